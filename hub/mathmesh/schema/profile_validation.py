"""Verification of profiles; the checks are part of those of `mathmesh.schema.validation`.

Profile (draft-hallambaker-mesh-schema §5), after 1 and 2 for any enveloped object
  3. every key its type requires is there and of its curve;
  4. the UDF of every key is that of the key;
  5. no key is private;
  6. the profile is signed by its own ProfileSignature key.
Validity of keys, where `now` is given (§4.1)
  25. every key of the profile is within its NotBefore and NotOnOrAfter.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.key_data import AGREEMENT, SIGNING
from mathmesh.schema.profile import (
    Profile,
    ProfileAccount,
    ProfileDevice,
    ProfileGroup,
    ProfileHost,
    ProfileService,
    ProfileUser,
)
from mathmesh.schema.signed import check_public_keys, check_signed_by, exactly, object_in
from mathmesh.schema.validity import check_keys_valid

SomeProfile = TypeVar("SomeProfile", bound=Profile)

_DEVICE_KEYS = {
    "profile_signature": SIGNING,
    "encryption": AGREEMENT,
    "signature": SIGNING,
    "authentication": AGREEMENT,
}
_GROUP_KEYS = {
    "profile_signature": SIGNING,
    "administrator_signature": SIGNING,
    "common_encryption": AGREEMENT,
}
_USER_KEYS = {**_GROUP_KEYS, "common_authentication": AGREEMENT, "common_signature": SIGNING}
_HOST_KEYS = {"profile_signature": SIGNING, "encryption": AGREEMENT, "authentication": AGREEMENT}
_SERVICE_KEYS = {
    "profile_signature": SIGNING,
    "service_authentication": AGREEMENT,
    "service_encryption": AGREEMENT,
    "service_signature": SIGNING,
}


def verify_profile_user(envelope: Envelope, *, now: datetime | None = None) -> ProfileUser:
    """The profile of a user in `envelope`, after checks 1 to 6 and 25."""
    return _profile(envelope, ProfileUser, _USER_KEYS, now)


def verify_profile_device(envelope: Envelope, *, now: datetime | None = None) -> ProfileDevice:
    """The profile of a device in `envelope`, after checks 1 to 6 and 25."""
    return _profile(envelope, ProfileDevice, _DEVICE_KEYS, now)


def verify_profile_service(envelope: Envelope, *, now: datetime | None = None) -> ProfileService:
    """The profile of a service in `envelope`, after checks 1 to 6 and 25."""
    return _profile(envelope, ProfileService, _SERVICE_KEYS, now)


def verify_profile_group(envelope: Envelope, *, now: datetime | None = None) -> ProfileGroup:
    """The profile of a group in `envelope`, after checks 1 to 6 and 25."""
    return _profile(envelope, ProfileGroup, _GROUP_KEYS, now)


def verify_profile_host(envelope: Envelope, *, now: datetime | None = None) -> ProfileHost:
    """The profile of a host in `envelope`, after checks 1 to 6 and 25."""
    return _profile(envelope, ProfileHost, _HOST_KEYS, now)


def verify_profile_account(envelope: Envelope, *, now: datetime | None = None) -> ProfileUser | ProfileGroup:
    """The profile of a user or a group in `envelope`, after checks 1 to 6 and 25."""
    if isinstance(object_in(envelope, ProfileAccount), ProfileGroup):
        return verify_profile_group(envelope, now=now)
    return verify_profile_user(envelope, now=now)


def _profile(
    envelope: Envelope, kind: type[SomeProfile], required: dict[str, str], now: datetime | None
) -> SomeProfile:
    profile = exactly(object_in(envelope, kind), kind)
    keys = check_public_keys(profile, required)
    check_signed_by(envelope, keys["profile_signature"], kind.__name__)
    check_keys_valid(profile, now)
    return profile
