"""Where private keys are asked for by identifier; the core never stores them."""

from collections.abc import Iterable
from typing import Protocol

from mathmesh.codec import udf
from mathmesh.errors import EncodingError
from mathmesh.keys import symmetric
from mathmesh.keys.pair import PrivateKey


class Keyring(Protocol):
    """Answers with a key or None; `kid` is a key UDF (M…) or symmetric identifier (EB…) in any spelling."""

    def private(self, kid: str) -> PrivateKey | None:
        """Private key whose public key has this identifier."""

    def symmetric(self, kid: str) -> bytes | None:
        """Secret with this identifier."""

    def kids(self) -> Iterable[str]:
        """Identifiers of all keys held, canonical."""


class MemoryKeyring:
    """A keyring that holds its keys in memory only."""

    def __init__(self, keys: Iterable[PrivateKey] = (), secrets: Iterable[bytes] = ()) -> None:
        self._private: dict[str, PrivateKey] = {}
        self._symmetric: dict[str, bytes] = {}
        for key in keys:
            self.add(key)
        for secret in secrets:
            self.add_symmetric(secret)

    def add(self, key: PrivateKey) -> None:
        """Holds a private key under the identifier of its public key."""
        self._private[key.public.udf] = key

    def add_symmetric(self, secret: bytes) -> None:
        """Holds a secret under its symmetric identifier."""
        self._symmetric[symmetric.key_id(secret)] = bytes(secret)

    def private(self, kid: str) -> PrivateKey | None:
        """Private key whose public key has this identifier."""
        return self._private.get(_canonical(kid))

    def symmetric(self, kid: str) -> bytes | None:
        """Secret with this identifier."""
        return self._symmetric.get(_canonical(kid))

    def kids(self) -> Iterable[str]:
        """Identifiers of all keys held."""
        return (*self._private, *self._symmetric)


def _canonical(kid: str) -> str:
    try:
        return udf.canonical(kid)
    except EncodingError:
        return ""
