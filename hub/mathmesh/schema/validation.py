"""Verification of what other parties state, one entry function for each kind of object.

Every function raises VerificationError (or EncodingError, KeyUnavailableError) and returns the object only
when all of its checks hold; nothing of an object that failed is used. The checks, in this order:

Any enveloped object
  1. the envelope states a digest and the body has it;
  2. the body decodes to the type asked for, and the header names no other type.
Profile (draft-hallambaker-mesh-schema §5)
  3. every key its type requires is there and of its curve;
  4. the UDF of every key is that of the key;
  5. no key is private;
  6. the profile is signed by its own ProfileSignature key.
Connection (§6)
  7. it is signed by the AdministratorSignature key of the account's profile;
  8. its keys pass 3, 4 and 5, and ProfileUdf, where stated, is the account's.
Activation (§6)
  9. it is signed as in 7, before it is decrypted;
  10. an ActivationAccount holds a seed of the type for account activations;
  11. every private key of an ActivationCommon is the key whose UDF it bears; those published in the
      account's profile are the profile's.
CatalogedDevice (§9)
  12. it carries the profile of this account and not of another;
  13. DeviceUdf is the UDF of the device profile it carries, which passes 1 to 6;
  14. both connections pass 7 and 8 and state one authentication key;
  15. both activations pass 9; where a keyring opens them, 10 and 11 hold and the connected keys are the
      base keys plus the activation.

Claims and publications are verified in `mathmesh.schema.claim`.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from mathmesh.schema.profile import Profile, ProfileDevice, ProfileService, ProfileUser
from mathmesh.schema.signed import check_public_keys, check_signed_by, envelope_of, object_in

SomeProfile = TypeVar("SomeProfile", bound=Profile)
SomeConnection = TypeVar("SomeConnection", bound=Connection)

_DEVICE_KEYS = {
    "profile_signature": SIGNING,
    "encryption": AGREEMENT,
    "signature": SIGNING,
    "authentication": AGREEMENT,
}
_USER_KEYS = {
    "profile_signature": SIGNING,
    "administrator_signature": SIGNING,
    "common_encryption": AGREEMENT,
    "common_authentication": AGREEMENT,
    "common_signature": SIGNING,
}
_SERVICE_KEYS = {
    "profile_signature": SIGNING,
    "service_authentication": AGREEMENT,
    "service_encryption": AGREEMENT,
    "service_signature": SIGNING,
}
_CONNECTION_SERVICE_KEYS = {"authentication": AGREEMENT}
_CONNECTION_DEVICE_KEYS = {"authentication": AGREEMENT, "signature": SIGNING, "encryption": AGREEMENT}


def verify_profile_user(envelope: Envelope) -> ProfileUser:
    """The profile of a user in `envelope`, after checks 1 to 6."""
    return _profile(envelope, ProfileUser, _USER_KEYS)


def verify_profile_device(envelope: Envelope) -> ProfileDevice:
    """The profile of a device in `envelope`, after checks 1 to 6."""
    return _profile(envelope, ProfileDevice, _DEVICE_KEYS)


def verify_profile_service(envelope: Envelope) -> ProfileService:
    """The profile of a service in `envelope`, after checks 1 to 6."""
    return _profile(envelope, ProfileService, _SERVICE_KEYS)


def verify_connection_service(envelope: Envelope, profile_user: ProfileUser) -> ConnectionService:
    """The connection in `envelope` to the account of the verified `profile_user`, after checks 1, 2, 7 and
    8.
    """
    return _connection(envelope, ConnectionService, _CONNECTION_SERVICE_KEYS, profile_user)


def verify_connection_device(envelope: Envelope, profile_user: ProfileUser) -> ConnectionDevice:
    """The connection in `envelope` to the account of the verified `profile_user`, after checks 1, 2, 7 and
    8.
    """
    return _connection(envelope, ConnectionDevice, _CONNECTION_DEVICE_KEYS, profile_user)


def verify_activation_account(
    envelope: Envelope, profile_user: ProfileUser, keyring: Keyring
) -> ActivationAccount:
    """The activation in `envelope`, opened with the device's base encryption key, after checks 1, 2, 9 and
    10.

    ``AccountUdf`` is not checked: the reference writes the UDF of the device into it.
    """
    check_signed_by(envelope, administrator_key(profile_user), "ActivationAccount")
    activation = object_in(envelope, ActivationAccount, keyring=keyring)
    if derive.seed_type(activation.activation_key or "") != derive.ACTIVATION_ACCOUNT:
        raise VerificationError("the activation key is not a seed for account activations")
    return activation


def verify_activation_common(
    envelope: Envelope, profile_user: ProfileUser, keyring: Keyring
) -> ActivationCommon:
    """The account's keys in `envelope`, opened with the activated encryption key, after checks 1, 2, 9 and
    11.
    """
    check_signed_by(envelope, administrator_key(profile_user), "ActivationCommon")
    activation = object_in(envelope, ActivationCommon, keyring=keyring)
    published = {
        "profile_signature": profile_user.profile_signature,
        "administrator_signature": profile_user.administrator_signature,
        "encryption": profile_user.common_encryption,
        "authentication": profile_user.common_authentication,
        "signature": profile_user.common_signature,
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
) -> VerifiedDevice:
    """The content of `entry` in the account of the verified `profile_user`, after checks 12 to 15.

    `base_keyring` holds the device's base encryption key and opens its ActivationAccount;
    `activated_keyring` holds its activated encryption key and opens its ActivationCommon.
    """
    carried = verify_profile_user(envelope_of(entry.enveloped_profile_user, "EnvelopedProfileUser"))
    if not same_udf(carried.udf, profile_user.udf):
        raise VerificationError(f"the entry is for account {carried.udf}, not for {profile_user.udf}")
    device = verify_profile_device(envelope_of(entry.enveloped_profile_device, "EnvelopedProfileDevice"))
    if not same_udf(entry.device_udf, device.udf):
        raise VerificationError(f"the entry calls device {device.udf} {entry.device_udf}")
    service = verify_connection_service(
        envelope_of(entry.enveloped_connection_service, "EnvelopedConnectionService"), profile_user
    )
    connection = verify_connection_device(
        envelope_of(entry.enveloped_connection_device, "EnvelopedConnectionDevice"), profile_user
    )
    keys = connected_keys(connection)
    if _key(service.authentication).udf != keys.authentication.udf:
        raise VerificationError("the two connections of the device state different authentication keys")
    account, common = _activations(entry, profile_user, base_keyring, activated_keyring)
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


def administrator_key(profile_user: ProfileUser) -> PublicKey:
    """The key that signs connections and activations of the account of `profile_user`."""
    return _key(profile_user.administrator_signature)


def connected_keys(connection: ConnectionDevice) -> ActivatedKeys:
    """The activated public keys that a verified `connection` states."""
    return ActivatedKeys(
        signature=_key(connection.signature),
        encryption=_key(connection.encryption),
        authentication=_key(connection.authentication),
    )


def _profile(envelope: Envelope, kind: type[SomeProfile], required: dict[str, str]) -> SomeProfile:
    profile = object_in(envelope, kind)
    keys = check_public_keys(profile, required)
    check_signed_by(envelope, keys["profile_signature"], kind.__name__)
    return profile


def _connection(
    envelope: Envelope, kind: type[SomeConnection], required: dict[str, str], profile_user: ProfileUser
) -> SomeConnection:
    check_signed_by(envelope, administrator_key(profile_user), kind.__name__)
    connection = object_in(envelope, kind)
    if type(connection) is not kind:
        raise VerificationError(f"a {connection.tag} stands in the place of a {kind.__name__}")
    check_public_keys(connection, required)
    stated = getattr(connection, "profile_udf", None)
    if stated is not None and not same_udf(stated, profile_user.udf):
        raise VerificationError(f"the connection is to account {stated}, not to {profile_user.udf}")
    return connection


def _activations(
    entry: CatalogedDevice,
    profile_user: ProfileUser,
    base_keyring: Keyring | None,
    activated_keyring: Keyring | None,
) -> tuple[ActivationAccount | None, ActivationCommon | None]:
    account = envelope_of(entry.enveloped_activation_account, "EnvelopedActivationAccount")
    common = envelope_of(entry.enveloped_activation_common, "EnvelopedActivationCommon")
    check_signed_by(account, administrator_key(profile_user), "ActivationAccount")
    check_signed_by(common, administrator_key(profile_user), "ActivationCommon")
    return (
        verify_activation_account(account, profile_user, base_keyring) if base_keyring else None,
        verify_activation_common(common, profile_user, activated_keyring) if activated_keyring else None,
    )


def _check_granted(data: KeyData, what: str) -> None:
    """A granted key is a private key of its UDF, or a share of it (KeyShare), which only its UDF names."""
    if data.private_parameters is None:
        raise VerificationError(f"the activation grants no private key for {what}")
    if "KeyShare" not in data.private_parameters:
        data.private_key()


def _key(data: KeyData | None) -> PublicKey:
    if data is None:
        raise VerificationError("a key that the object must state is missing")
    return data.public_key()
