"""Verification of capabilities (draft-hallambaker-mesh-schema §7).

Any capability
  66. it is active, so it is none that was revoked, and Mode, where stated, is Device, Account or PIN;
  67. Issued, where stated, is not later than now, and Expires, where stated, is.
AccessCapability
  68. Id is the UDF of the authentication key of the device whose CatalogedDevice it encloses, and
      CatalogedDeviceDigest is that of the envelope; where `account` is given the envelope is signed by the
      account's AdministratorSignature key, valid now;
  69. where a keyring opens the CatalogedDevice, it passes 12 to 15 and 25.
CryptographicCapability of a service
  70. it was granted to the caller: GranteeUdf is the UDF of the caller's key, or GranteeAccount (in the
      reference GranteeUdf too) its address; one that names nobody is granted to nobody;
  71. where `account` is given, its key share is signed by the account's AdministratorSignature key, valid
      now (`allow_unsigned`: or not at all); for a CapabilitySign it is a share of the account's
      CommonSignature key, an unsigned one otherwise of its CommonEncryption key (the administrator may
      also sign shares of stores' keys, which no profile names);
  72. the share belongs to the grantee's: Id is the UDF of what the whole key has beyond this share;
  73. the key of the share is within NotBefore and NotOnOrAfter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.capability import (
    AccessCapability,
    Capability,
    CapabilitySign,
    CryptographicCapability,
    cataloged_device_digest,
)
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.key_data import KeyData, same_udf
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.profile import ProfileAccount, ProfileUser
from mathmesh.schema.signed import (
    check_signed_by,
    check_signed_or_clear,
    envelope_of,
    is_unsigned,
    object_in,
)
from mathmesh.schema.validation import VerifiedDevice, administrator_key, verify_cataloged_device
from mathmesh.schema.validity import check_issued, check_keys_valid, check_not_expired, key_in_use
from mathmesh.threshold.cogeneration import combine_public
from mathmesh.threshold.key_share import KeyShare

MODES = (None, "Device", "Account", "PIN")

Some = TypeVar("Some", bound=Capability)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grantee:
    """Who asks for the use of a capability: the UDF of the proven authentication key and the address."""

    key_id: str | None = None
    address: str | None = None


def verify_capability(capability: MeshObject | None, kind: type[Some], *, now: datetime) -> Some:
    """`capability`, which must be of type `kind` (or derived from it), after checks 66 and 67."""
    if not isinstance(capability, kind):
        raise VerificationError(f"there is no {kind.__name__}")
    if capability.active is not True or not capability.id:
        raise VerificationError(f"capability {capability.id} is not active")
    if capability.mode not in MODES:
        raise VerificationError(f"capability {capability.id} is of the unknown mode {capability.mode}")
    check_issued(capability.issued, now, f"capability {capability.id}")
    check_not_expired(capability.expires, now, f"capability {capability.id}")
    return capability


def verify_access_capability(
    capability: MeshObject | None,
    *,
    now: datetime,
    account: ProfileUser | None = None,
    activated_keyring: Keyring | None = None,
) -> tuple[AccessCapability, VerifiedDevice | None]:
    """The access of a device and, where `activated_keyring` opens it, the device's entry; checks 66 to 69.

    `account` is the verified profile of the account. The service, which opens nothing, gives neither.
    """
    access = verify_capability(capability, AccessCapability, now=now)
    envelope = envelope_of(access.enveloped_cataloged_device, "EnvelopedCatalogedDevice")
    if access.cataloged_device_digest != cataloged_device_digest(envelope):
        raise VerificationError("CatalogedDeviceDigest is not that of the enclosed entry")
    if account is None:
        return access, None
    check_signed_by(envelope, administrator_key(account, now), "CatalogedDevice")
    if activated_keyring is None:
        return access, None
    entry = object_in(envelope, CatalogedDevice, keyring=activated_keyring)
    device = verify_cataloged_device(entry, account, activated_keyring=activated_keyring, now=now)
    if not same_udf(access.id, device.keys.authentication.udf):
        raise VerificationError(f"access {access.id} is that of another device")
    return access, device


def verify_serviced_share(
    capability: MeshObject | None,
    *,
    grantee: Grantee,
    keyring: Keyring,
    now: datetime,
    account: ProfileAccount | None = None,
    allow_unsigned: bool = False,
) -> KeyShare:
    """The service's share for a request of `grantee`, after checks 66, 67 and 70 to 73.

    `keyring` holds the host's key to which shares are encrypted; `account` is the verified profile whose key
    was split. Raises KeyUnavailableError when the share is for another host.
    """
    granted = verify_capability(capability, CryptographicCapability, now=now)
    if not is_granted(granted, grantee):
        raise VerificationError(f"capability {granted.id} is not granted to {grantee.key_id}")
    envelope = _share_envelope(granted)
    if account is not None:
        signer = administrator_key(account, now)
        check_signed_or_clear(envelope, signer, "KeyShare", allow_unsigned=allow_unsigned)
    lax = allow_unsigned and is_unsigned(envelope)
    data = object_in(envelope, KeyData, keyring=keyring, require_digest=not lax)
    share = data.key_share()
    check_keys_valid(data, now)
    expected = _expected_key(granted, account, now, signed=not lax)
    if expected is not None and share.public_primary != expected:
        raise VerificationError(f"capability {granted.id} holds a share of a key of another account")
    if not same_udf(granted.id, other_share(share).udf):
        raise VerificationError(f"the share does not belong to that of capability {granted.id}")
    return share


def is_granted(capability: CryptographicCapability, grantee: Grantee) -> bool:
    """Whether `capability` names the grantee by key or address."""
    by_key = grantee.key_id is not None and same_udf(capability.grantee_udf, grantee.key_id)
    names = [(name or "").lower() for name in (capability.grantee_account, capability.grantee_udf)]
    return by_key or (bool(grantee.address) and (grantee.address or "").lower() in names)


def other_share(share: KeyShare) -> PublicKey:
    """The public key of what has to be added to `share` to make the whole key."""
    negative = PrivateKey.from_scalar(share.share.crv, -share.share.scalar)
    return combine_public(share.public_primary, negative.public)


def _expected_key(
    capability: CryptographicCapability, account: ProfileAccount | None, now: datetime, *, signed: bool
) -> PublicKey | None:
    """The key that a share must be a part of; None where the administrator's signature alone vouches."""
    if account is None:
        return None
    if isinstance(capability, CapabilitySign):
        signature = account.common_signature if isinstance(account, ProfileUser) else None
        return key_in_use(signature, "CommonSignature in the account's profile", now)
    if signed:
        return None
    return key_in_use(account.common_encryption, "CommonEncryption in the account's profile", now)


def _share_envelope(capability: CryptographicCapability) -> Envelope:
    """The one envelope with the share; the edition of 2021 has a list of them."""
    if capability.enveloped_key_share is None and len(capability.enveloped_key_shares or ()) == 1:
        return (capability.enveloped_key_shares or ())[0]
    return envelope_of(capability.enveloped_key_share, "EnvelopedKeyShare")
