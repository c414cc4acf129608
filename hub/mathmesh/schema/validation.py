"""Verification of what other parties state, one entry function for each kind of object.

Every function raises VerificationError (or EncodingError, KeyUnavailableError) and returns the object only
when all of its checks hold; nothing of an object that failed is used. The checks, in this order:

Any enveloped object (draft-hallambaker-mesh-schema)
  1. the envelope states a digest and the body has it;
  2. the body decodes to the type asked for, and the header names no other type; a type that is derived
     from it does not do.
Profile (§5): 3 to 6, in `mathmesh.schema.profile_validation`
Connection (§6)
  7. it is signed by the AdministratorSignature key of the account's profile;
  8. its keys pass 3, 4 and 5, and ProfileUdf, where stated, is the account's.
Activation (§6)
  9. it is signed as in 7, before it is decrypted;
  10. an ActivationAccount holds a seed of the type for account activations;
  11. every private key of an ActivationCommon is the key whose UDF it bears, a share one of that key;
      those published in the account's profile are the profile's.
CatalogedDevice (§9)
  12. it carries the profile of this account and not of another;
  13. DeviceUdf is the UDF of the device profile it carries, which passes 1 to 6;
  14. both connections pass 7 and 8 and state one authentication key;
  15. both activations pass 9; where a keyring opens them, 10 and 11 hold and the connected keys are the
      base keys plus the activation.
Validity of keys, where `now` is given (§4.1)
  25. every key of the object, and the one that signed it, is within its NotBefore and NotOnOrAfter.

Claims and publications (16 to 24) are verified in `mathmesh.schema.claim`, all other kinds (26 and on) in
`mathmesh.schema.verify`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys import derive
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.activated import AGREEMENT, SIGNING, ActivatedKeys, activated_public
from mathmesh.schema.activation import ActivationAccount, ActivationCommon
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.connection import Connection, ConnectionDevice, ConnectionService
from mathmesh.schema.key_data import KeyData, same_udf
from mathmesh.schema.profile import ProfileAccount, ProfileDevice, ProfileUser
from mathmesh.schema.profile_validation import (
    verify_profile_account,
    verify_profile_device,
    verify_profile_group,
    verify_profile_host,
    verify_profile_service,
    verify_profile_user,
)
from mathmesh.schema.signed import check_public_keys, check_signed_by, envelope_of, exactly, object_in
from mathmesh.schema.validity import check_keys_valid, key_in_use
from mathmesh.threshold import key_share

__all__ = [
    "VerifiedDevice",
    "administrator_key",
    "connected_keys",
    "verify_activation_account",
    "verify_activation_common",
    "verify_cataloged_device",
    "verify_connection_device",
    "verify_connection_service",
    "verify_profile_account",
    "verify_profile_device",
    "verify_profile_group",
    "verify_profile_host",
    "verify_profile_service",
    "verify_profile_user",
]

SomeConnection = TypeVar("SomeConnection", bound=Connection)

_CONNECTION_SERVICE_KEYS = {"authentication": AGREEMENT}
_CONNECTION_DEVICE_KEYS = {"authentication": AGREEMENT, "signature": SIGNING, "encryption": AGREEMENT}


def verify_connection_service(
    envelope: Envelope, profile_user: ProfileUser, *, now: datetime | None = None
) -> ConnectionService:
    """The connection in `envelope` to the account of the verified `profile_user`, after checks 1, 2, 7, 8
    and 25.
    """
    return _connection(envelope, ConnectionService, _CONNECTION_SERVICE_KEYS, profile_user, now)


def verify_connection_device(
    envelope: Envelope, profile_user: ProfileUser, *, now: datetime | None = None
) -> ConnectionDevice:
    """The connection in `envelope` to the account of the verified `profile_user`, after checks 1, 2, 7, 8
    and 25.
    """
    return _connection(envelope, ConnectionDevice, _CONNECTION_DEVICE_KEYS, profile_user, now)


def verify_activation_account(
    envelope: Envelope, profile_user: ProfileUser, keyring: Keyring, *, now: datetime | None = None
) -> ActivationAccount:
    """The activation in `envelope`, opened with the device's base encryption key, after checks 1, 2, 9, 10
    and 25.

    ``AccountUdf`` is not checked: the reference writes the UDF of the device into it.
    """
    check_signed_by(envelope, administrator_key(profile_user, now), "ActivationAccount")
    activation = exactly(object_in(envelope, ActivationAccount, keyring=keyring), ActivationAccount)
    check_keys_valid(activation, now)
    if derive.seed_type(activation.activation_key or "") != derive.ACTIVATION_ACCOUNT:
        raise VerificationError("the activation key is not a seed for account activations")
    return activation


def verify_activation_common(
    envelope: Envelope, profile_user: ProfileAccount, keyring: Keyring, *, now: datetime | None = None
) -> ActivationCommon:
    """The account's keys in `envelope`, opened with the activated encryption key, after checks 1, 2, 9, 11
    and 25.

    `profile_user` may be that of a group, whose keys go to the account that administers it.
    """
    check_signed_by(envelope, administrator_key(profile_user, now), "ActivationCommon")
    activation = object_in(envelope, ActivationCommon, keyring=keyring)
    check_keys_valid(activation, now)
    published = {
        "profile_signature": profile_user.profile_signature,
        "administrator_signature": profile_user.administrator_signature,
        "encryption": profile_user.common_encryption,
        "authentication": profile_user.common_authentication,
        "signature": profile_user.common_signature if isinstance(profile_user, ProfileUser) else None,
    }
    for name, expected in published.items():
        granted: KeyData | None = getattr(activation, name)
        if granted is None:
            continue
        _check_granted(granted, name)
        if expected is None or not same_udf(granted.udf, expected.udf):
            raise VerificationError(f"the activation's {name} is not the key of the account's profile")
    for entry in activation.entries or ():
        if entry.key is None or not entry.resource:
            raise VerificationError("an entry of the activation names no resource or no key")
        _check_granted(entry.key, entry.resource)
    return activation


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDevice:
    """A CatalogedDevice and what its envelopes hold, all verified; activations only where the keyring
    opened them.
    """

    entry: CatalogedDevice
    profile_user: ProfileUser
    profile_device: ProfileDevice
    connection_service: ConnectionService
    connection_device: ConnectionDevice
    keys: ActivatedKeys
    activation_account: ActivationAccount | None = None
    activation_common: ActivationCommon | None = None


def verify_cataloged_device(
    entry: CatalogedDevice,
    profile_user: ProfileUser,
    *,
    base_keyring: Keyring | None = None,
    activated_keyring: Keyring | None = None,
    now: datetime | None = None,
) -> VerifiedDevice:
    """The content of `entry` in the account of the verified `profile_user`, after checks 12 to 15 and 25.

    `base_keyring` holds the device's base encryption key and opens its ActivationAccount;
    `activated_keyring` holds its activated encryption key and opens its ActivationCommon.
    """
    carried = verify_profile_user(envelope_of(entry.enveloped_profile_user, "EnvelopedProfileUser"), now=now)
    if not same_udf(carried.udf, profile_user.udf):
        raise VerificationError(f"the entry is for account {carried.udf}, not for {profile_user.udf}")
    device = verify_profile_device(
        envelope_of(entry.enveloped_profile_device, "EnvelopedProfileDevice"), now=now
    )
    if not same_udf(entry.device_udf, device.udf):
        raise VerificationError(f"the entry calls device {device.udf} {entry.device_udf}")
    service = verify_connection_service(
        envelope_of(entry.enveloped_connection_service, "EnvelopedConnectionService"), profile_user, now=now
    )
    connection = verify_connection_device(
        envelope_of(entry.enveloped_connection_device, "EnvelopedConnectionDevice"), profile_user, now=now
    )
    keys = connected_keys(connection)
    if key_in_use(service.authentication, "Authentication").udf != keys.authentication.udf:
        raise VerificationError("the two connections of the device state different authentication keys")
    account, common = _activations(entry, profile_user, base_keyring, activated_keyring, now)
    if account is not None and activated_public(device, account.activation_key or "") != keys:
        raise VerificationError("the connected keys are not the base keys plus the activation")
    return VerifiedDevice(
        entry=entry,
        profile_user=carried,
        profile_device=device,
        connection_service=service,
        connection_device=connection,
        keys=keys,
        activation_account=account,
        activation_common=common,
    )


def administrator_key(profile_user: ProfileAccount, now: datetime | None = None) -> PublicKey:
    """The key that signs connections and activations of the account of `profile_user`, valid at `now`."""
    return key_in_use(profile_user.administrator_signature, "AdministratorSignature", now)


def connected_keys(connection: ConnectionDevice) -> ActivatedKeys:
    """The activated public keys that a verified `connection` states."""
    return ActivatedKeys(
        signature=key_in_use(connection.signature, "Signature"),
        encryption=key_in_use(connection.encryption, "Encryption"),
        authentication=key_in_use(connection.authentication, "Authentication"),
    )


def _connection(
    envelope: Envelope,
    kind: type[SomeConnection],
    required: dict[str, str],
    profile_user: ProfileUser,
    now: datetime | None,
) -> SomeConnection:
    check_signed_by(envelope, administrator_key(profile_user, now), kind.__name__)
    connection = exactly(object_in(envelope, kind), kind)
    check_public_keys(connection, required)
    check_keys_valid(connection, now)
    stated = getattr(connection, "profile_udf", None)
    if stated is not None and not same_udf(stated, profile_user.udf):
        raise VerificationError(f"the connection is to account {stated}, not to {profile_user.udf}")
    return connection


def _activations(
    entry: CatalogedDevice,
    profile_user: ProfileUser,
    base_keyring: Keyring | None,
    activated_keyring: Keyring | None,
    now: datetime | None,
) -> tuple[ActivationAccount | None, ActivationCommon | None]:
    account = envelope_of(entry.enveloped_activation_account, "EnvelopedActivationAccount")
    common = envelope_of(entry.enveloped_activation_common, "EnvelopedActivationCommon")
    check_signed_by(account, administrator_key(profile_user, now), "ActivationAccount")
    check_signed_by(common, administrator_key(profile_user, now), "ActivationCommon")
    return (
        verify_activation_account(account, profile_user, base_keyring, now=now) if base_keyring else None,
        verify_activation_common(common, profile_user, activated_keyring, now=now)
        if activated_keyring
        else None,
    )


def _check_granted(data: KeyData, what: str) -> None:
    """A granted key is a private key of its UDF, or a share of the key with it."""
    if data.private_parameters is None:
        raise VerificationError(f"the activation grants no private key for {what}")
    if key_share.TAG in data.private_parameters:
        data.key_share()
    else:
        data.private_key()
