"""A keyring in a file: private keys and secrets, readable by its owner alone, or sealed by hardware."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mathmesh.codec import b64, jsonbcd, udf
from mathmesh.errors import EncodingError, PolicyError, StoreError, VerificationError
from mathmesh.keys import symmetric
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from meshclient.keyrings import sealed
from meshclient.keyrings.sealer import Sealer
from meshclient.private_file import overwrite, read_private, write_private

VERSION = 1


class FileKeyring:
    """A `Keyring` that lasts: each change is written whole and at once, so that a crash leaves no half file.

    One process at a time changes a keyring: what another one added since it was opened is lost by a change.
    """

    def __init__(self, path: Path, protection: sealed.Protection | None = None) -> None:
        """An empty keyring to be kept at `path`; use `open` for one that is there."""
        self.path = path
        self._protection = protection
        self._private: dict[str, PrivateKey] = {}
        self._secrets: dict[str, bytes] = {}

    @classmethod
    def open(cls, path: Path) -> FileKeyring:
        """Read a keyring.

        Raises StoreError when it is missing, damaged or may be read by others, KeyUnavailableError when it is
        sealed by hardware that is absent.
        """
        content, protection = sealed.reveal(read_private(path, "keyring"))
        made = cls(path, protection)
        try:
            made._read(content)
        except (EncodingError, VerificationError, TypeError, KeyError, AttributeError):
            raise StoreError(f"the keyring {path} is damaged; restore it from the backup") from None
        return made

    @classmethod
    def open_or_create(cls, path: Path) -> FileKeyring:
        """Open the keyring, or start an empty one, which is written with its first key."""
        return cls.open(path) if path.exists() else cls(path)

    @property
    def sealed_by(self) -> str | None:
        """The kind of hardware that seals this keyring, None when it lies in clear."""
        return None if self._protection is None else self._protection.sealer

    def private(self, kid: str) -> PrivateKey | None:
        """Private key whose public key has this identifier."""
        return self._memory().private(kid)

    def symmetric(self, kid: str) -> bytes | None:
        """Secret with this identifier."""
        return self._memory().symmetric(kid)

    def kids(self) -> Iterable[str]:
        """Identifiers of all keys held."""
        return (*self._private, *self._secrets)

    def add(self, key: PrivateKey) -> str:
        """Keep a private key; its identifier is returned."""
        self._private[key.public.udf] = key
        self._save()
        return key.public.udf

    def add_symmetric(self, secret: bytes) -> str:
        """Keep a secret of 15 octets or more; its identifier is returned."""
        if len(secret) < symmetric.MINIMUM_OCTETS:
            raise PolicyError("a secret to be kept has 15 octets or more")
        kid = symmetric.key_id(secret)
        self._secrets[kid] = bytes(secret)
        self._save()
        return kid

    def remove(self, kid: str) -> bool:
        """Forget a key; false when there was none of that identifier."""
        name = udf.canonical(kid)
        if self._private.pop(name, None) is None and self._secrets.pop(name, None) is None:
            return False
        self._save()
        return True

    def seal(self, sealer: Sealer) -> None:
        """Seal the keyring; the file in clear is overwritten, which flash memory may not obey."""
        self._protection = sealed.Protection.create(sealer)
        with overwrite(self.path):
            self._save()

    def unseal(self) -> None:
        """Keep the keyring in clear again, mode 0600."""
        self._protection = None
        self._save()

    def _memory(self) -> MemoryKeyring:
        return MemoryKeyring(self._private.values(), self._secrets.values())

    def _save(self) -> None:
        content = jsonbcd.dumps(
            {
                "Version": VERSION,
                "PrivateKeys": [key.to_json() for key in self._private.values()],
                "Secrets": [b64.encode(secret) for secret in self._secrets.values()],
            }
        )
        write_private(self.path, content if self._protection is None else self._protection.protect(content))

    def _read(self, content: bytes) -> None:
        document: Any = jsonbcd.loads(content)
        if document["Version"] != VERSION:
            raise StoreError(f"the keyring {self.path} is of version {document['Version']}, not {VERSION}")
        for member in document["PrivateKeys"]:
            key = PrivateKey.from_json(member)
            self._private[key.public.udf] = key
        for text in document["Secrets"]:
            secret = b64.decode(text)
            self._secrets[symmetric.key_id(secret)] = secret
