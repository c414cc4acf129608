"""This machine as a device of an account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.activated import activate
from mathmesh.schema.build.profile import make_profile_device
from mathmesh.schema.profile import ProfileDevice
from mathmesh.schema.validation import verify_profile_device


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceKeys:
    """This machine's profile and its activated private keys."""

    profile: ProfileDevice
    profile_envelope: Envelope
    signature: PrivateKey = field(repr=False)
    encryption: PrivateKey = field(repr=False)
    authentication: PrivateKey = field(repr=False)


def device_keys(device_seed: str, activation: str, created: datetime) -> DeviceKeys:
    """The keys that follow from the device's seed and its activation in one account.

    `created` is the time in the profile; with the same arguments the profile is always the same.
    """
    envelope = make_profile_device(device_seed, created)
    keys = activate(device_seed, activation)
    return DeviceKeys(
        profile=verify_profile_device(envelope),
        profile_envelope=envelope,
        signature=keys.signature,
        encryption=keys.encryption,
        authentication=keys.authentication,
    )
