"""Profiles from their seeds: the same seed always gives the same keys (mesh-udf §4.4, mesh-schema §5)."""

from __future__ import annotations

from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import LocalProtocolError
from mathmesh.keys import derive
from mathmesh.schema.build.enveloped import enveloped, no_entropy, seconds
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.profile import (
    Profile,
    ProfileDevice,
    ProfileGroup,
    ProfileHost,
    ProfileService,
    ProfileUser,
)

DEVICE = "BaseDevice"
ACCOUNT = "CompleteAccount"
SERVICE = "BaseService"
HOST = "BaseHost"


def common_key_name(operation: str, renewal: int = 0) -> str:
    """The name of a key that devices of an account have had, after so many renewals (protocol book)."""
    return ACCOUNT + operation + (f".{renewal}" if renewal else "")


def make_profile_user(
    seed_udf: str, account_address: str, service_udf: str, now: datetime, *, renewal: int = 0
) -> Envelope:
    """The signed profile of the account with `seed_udf` (type 0x0102) at `account_address`, lower-cased here.

    `service_udf` is the UDF of the profile of the service that hosts it; `renewal` counts how often the keys
    CommonEncryption and CommonSignature were renewed.
    """
    _check_type(seed_udf, derive.PROFILE_ACCOUNT)
    profile = ProfileUser(
        updated=seconds(now),
        account_address=uri.account_address(account_address),
        service_udf=service_udf,
        profile_signature=_key(seed_udf, ACCOUNT + "Profile"),
        escrow_encryption=_key(seed_udf, ACCOUNT + "Escrow"),
        administrator_signature=_key(seed_udf, ACCOUNT + "AdminSign"),
        common_encryption=_key(seed_udf, common_key_name("Encrypt", renewal)),
        common_authentication=_key(seed_udf, ACCOUNT + "Authenticate"),
        common_signature=_key(seed_udf, common_key_name("Sign", renewal)),
    )
    return _signed(profile, seed_udf, ACCOUNT, now)


def make_profile_device(seed_udf: str, now: datetime, *, description: str | None = None) -> Envelope:
    """The signed profile of the device with `seed_udf` (type 0x0100)."""
    _check_type(seed_udf, derive.PROFILE_DEVICE)
    profile = ProfileDevice(
        updated=seconds(now),
        description=description,
        profile_signature=_key(seed_udf, DEVICE + "Profile"),
        encryption=_key(seed_udf, DEVICE + "Encrypt"),
        signature=_key(seed_udf, DEVICE + "Sign"),
        authentication=_key(seed_udf, DEVICE + "Authenticate"),
    )
    return _signed(profile, seed_udf, DEVICE, now)


def make_profile_group(seed_udf: str, account_address: str, service_udf: str, now: datetime) -> Envelope:
    """The signed profile of the group with `seed_udf` (type 0x0102) at `account_address`, lower-cased here.

    It has no CommonSignature: what a group's administrator states for it is signed as administrator.
    """
    _check_type(seed_udf, derive.PROFILE_ACCOUNT)
    profile = ProfileGroup(
        updated=seconds(now),
        account_address=uri.account_address(account_address),
        service_udf=service_udf,
        profile_signature=_key(seed_udf, ACCOUNT + "Profile"),
        escrow_encryption=_key(seed_udf, ACCOUNT + "Escrow"),
        administrator_signature=_key(seed_udf, ACCOUNT + "AdminSign"),
        common_encryption=_key(seed_udf, ACCOUNT + "Encrypt"),
        common_authentication=_key(seed_udf, ACCOUNT + "Authenticate"),
    )
    return _signed(profile, seed_udf, ACCOUNT, now)


def make_profile_host(seed_udf: str, now: datetime, *, description: str | None = None) -> Envelope:
    """The signed profile of the host with `seed_udf` (type 0x0100)."""
    _check_type(seed_udf, derive.PROFILE_DEVICE)
    profile = ProfileHost(
        updated=seconds(now),
        description=description,
        profile_signature=_key(seed_udf, HOST + "Profile"),
        encryption=_key(seed_udf, HOST + "Encrypt"),
        signature=_key(seed_udf, HOST + "Sign"),
        authentication=_key(seed_udf, HOST + "Authenticate"),
    )
    return _signed(profile, seed_udf, HOST, now)


def make_profile_service(seed_udf: str, now: datetime, *, description: str | None = None) -> Envelope:
    """The signed profile of the service with `seed_udf` (type 0x0104; the reference uses 0x0102)."""
    _check_type(seed_udf, derive.PROFILE_SERVICE)
    profile = ProfileService(
        updated=seconds(now),
        description=description,
        profile_signature=_key(seed_udf, SERVICE + "Profile"),
        service_authentication=_key(seed_udf, SERVICE + "Authenticate"),
        service_encryption=_key(seed_udf, SERVICE + "Encrypt"),
        service_signature=_key(seed_udf, SERVICE + "Sign"),
    )
    return _signed(profile, seed_udf, SERVICE, now)


def _signed(profile: Profile, seed_udf: str, actor: str, now: datetime) -> Envelope:
    signer = derive.derive_key(seed_udf, actor + "Profile")
    return enveloped(profile, entropy=no_entropy, now=now, signer=signer)


def _key(seed_udf: str, name: str) -> KeyData:
    return KeyData.of_public(derive.derive_key(seed_udf, name).public)


def _check_type(seed_udf: str, expected: int) -> None:
    if derive.seed_type(seed_udf) != expected:
        raise LocalProtocolError(f"a seed of type {expected:#06x} is wanted here")
