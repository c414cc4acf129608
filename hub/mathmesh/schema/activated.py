"""The keys of a device within one account: its base keys plus an activation (mesh-cryptography §5,
mesh-schema §6).
"""

from __future__ import annotations

from dataclasses import dataclass

from mathmesh.errors import VerificationError
from mathmesh.keys import derive
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.key_data import AGREEMENT, SIGNING, KeyData
from mathmesh.schema.profile import ProfileDevice
from mathmesh.threshold import cogeneration

BASE = "BaseDevice"
ACTIVATION = "ActivationDevice"
HOST_ACTIVATION = "ActivationHost"
SIGN, ENCRYPT, AUTHENTICATE = "Sign", "Encrypt", "Authenticate"

__all__ = [
    "AGREEMENT",
    "SIGNING",
    "ActivatedKeys",
    "DeviceKeys",
    "activate",
    "activated_authentication",
    "activated_public",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivatedKeys:
    """The public keys of a device within an account: Ed448, X448, X448."""

    signature: PublicKey
    encryption: PublicKey
    authentication: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceKeys:
    """The private keys of a device within an account, as composite keys; not for printing."""

    signature: PrivateKey
    encryption: PrivateKey
    authentication: PrivateKey

    @property
    def public(self) -> ActivatedKeys:
        """Their public keys."""
        return ActivatedKeys(
            signature=self.signature.public,
            encryption=self.encryption.public,
            authentication=self.authentication.public,
        )


def activated_public(device: ProfileDevice, activation_seed: str) -> ActivatedKeys:
    """The public keys that `activation_seed` (type 0x0103) gives the device of the verified profile
    `device`.
    """
    return ActivatedKeys(
        signature=_combined(device.signature, activation_seed, ACTIVATION + SIGN, SIGNING),
        encryption=_combined(device.encryption, activation_seed, ACTIVATION + ENCRYPT, AGREEMENT),
        authentication=activated_authentication(device, activation_seed),
    )


def activated_authentication(
    device: ProfileDevice, activation_seed: str, *, activation: str = ACTIVATION
) -> PublicKey:
    """The public authentication key alone; for a host, `activation` is HOST_ACTIVATION."""
    return _combined(device.authentication, activation_seed, activation + AUTHENTICATE, AGREEMENT)


def _combined(base: KeyData | None, activation_seed: str, name: str, curve: str) -> PublicKey:
    if base is None:
        raise VerificationError("the profile of the device lacks a base key")
    return cogeneration.combine_public(
        base.public_key(curve), derive.derive_key(activation_seed, name).public
    )


def activate(device_seed: str, activation_seed: str) -> DeviceKeys:
    """The private keys of the device with `device_seed` (type 0x0100) under `activation_seed` (type
    0x0103).
    """

    def combined(operation: str) -> PrivateKey:
        return cogeneration.combine_private(
            derive.derive_key(device_seed, BASE + operation),
            derive.derive_key(activation_seed, ACTIVATION + operation),
        )

    return DeviceKeys(
        signature=combined(SIGN), encryption=combined(ENCRYPT), authentication=combined(AUTHENTICATE)
    )
