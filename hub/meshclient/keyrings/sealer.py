"""What a sealer is, and the ones there are."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Protocol

from mathmesh.errors import KeyUnavailableError

SECRET_OCTETS = 32
"""Size of the secret that is sealed: the master key of a file, never the keys in it."""


class Sealer(Protocol):
    """Hardware that keeps a secret for this machine. No chip knows X448 or Ed448: it seals the master key
    under which the keys lie on disk.
    """

    @property
    def name(self) -> str:
        """How files name this kind of sealer."""

    def seal(self, secret: bytes) -> bytes:
        """Octets that only this hardware turns back into `secret` (32 octets).

        Raises KeyUnavailableError when the hardware cannot be used; the message tells what is missing.
        """

    def unseal(self, sealed: bytes) -> bytes:
        """The secret in what `seal` returned; KeyUnavailableError also when other hardware sealed it."""


SEALERS: Mapping[str, tuple[str, str]] = {
    "tpm2": ("meshclient.keyrings.tpm", "TpmSealer"),
    "pkcs11": ("meshclient.keyrings.pkcs11", "Pkcs11Sealer"),
}
"""Module and class of each kind, imported when it is asked for."""


def sealer(name: str) -> Sealer:
    """The sealer of that kind, set from the environment; KeyUnavailableError for no such kind."""
    found = SEALERS.get(name)
    if found is None:
        raise KeyUnavailableError(f"no such sealer: {name}; known are {', '.join(SEALERS)}")
    module, kind = found
    made: Sealer = getattr(importlib.import_module(module), kind)()
    return made
