"""The keyring of an account on a machine that holds the account's seed: store keys are derived when asked
for.
"""

from __future__ import annotations

from collections.abc import Iterable

from mathmesh.keys import derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.build.profile import ACCOUNT

ENCRYPT = ACCOUNT + "Encrypt"


class StoreKeyring:
    """A `Keyring`: the keys given, and those of the stores named so far."""

    def __init__(self, account_seed: str, keys: Iterable[PrivateKey], stores: Iterable[str]) -> None:
        self._seed = account_seed
        self._keys = MemoryKeyring(keys)
        self._stores: dict[str, PrivateKey] = {}
        for store in stores:
            self.store_key(store)

    def store_key(self, store: str) -> PrivateKey:
        """The X448 key `CompleteAccountEncrypt` + name, to which the entries of a store are encrypted."""
        key = self._stores.get(store)
        if key is None:
            key = self._stores[store] = derive.derive_key(self._seed, ENCRYPT + store)
            self._keys.add(key)
        return key

    def private(self, kid: str) -> PrivateKey | None:
        """Private key whose public key has this identifier."""
        return self._keys.private(kid)

    def symmetric(self, kid: str) -> bytes | None:
        """Secret with this identifier."""
        return self._keys.symmetric(kid)

    def kids(self) -> Iterable[str]:
        """Identifiers of all keys held."""
        return self._keys.kids()
