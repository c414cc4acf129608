"""A secret document on disk whose key is sealed by hardware.

The document is JSON: which kind of sealer, the sealed master key, and an envelope under that key (with our
signature of it, so that it cannot be altered). Whoever copies the file has ciphertext only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mathmesh.codec import b64, jsonbcd, udf
from mathmesh.dare.envelope import Envelope
from mathmesh.dare.locator import open_located, seal_located
from mathmesh.errors import EncodingError, KeyUnavailableError, StoreError, VerificationError
from mathmesh.types import Entropy
from meshclient.keyrings.sealer import SECRET_OCTETS, Sealer
from meshclient.keyrings.sealer import sealer as sealer_by_name

VERSION = 2
"""Version of a sealed document; documents in clear have versions of their own, beginning with 1."""

_MEMBERS = frozenset({"Version", "Sealer", "SealedKey", "Content"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The master key of one document and its sealed form; `protect` needs no hardware."""

    sealer: str
    sealed_key: bytes
    _key: str = field(repr=False)

    @classmethod
    def create(cls, sealer: Sealer, entropy: Entropy = os.urandom) -> Protection:
        """A fresh master key, sealed; what was sealed is unsealed again before it is relied on.

        Raises KeyUnavailableError when the hardware cannot be used.
        """
        secret = entropy(SECRET_OCTETS)
        sealed = sealer.seal(secret)
        if sealer.unseal(sealed) != secret:
            raise KeyUnavailableError(f"the {sealer.name} hardware does not give back what it sealed")
        return cls(sealer=sealer.name, sealed_key=sealed, _key=udf.text(udf.ENCRYPTION, secret))

    def protect(self, content: bytes) -> bytes:
        """The document that holds `content`."""
        envelope = seal_located(content, self._key, entropy=os.urandom)
        return jsonbcd.dumps(
            {
                "Version": VERSION,
                "Sealer": self.sealer,
                "SealedKey": self.sealed_key,
                "Content": envelope.to_value(),
            }
        )


def reveal(
    document: bytes, find_sealer: Callable[[str], Sealer] = sealer_by_name
) -> tuple[bytes, Protection | None]:
    """Content of a document and its protection; a document in clear comes back as it is, with None.

    Raises StoreError for a damaged document, KeyUnavailableError when the hardware that sealed it is absent.
    """
    members = _sealed_members(document)
    if members is None:
        return document, None
    try:
        name, sealed = str(members["Sealer"]), b64.decode(members["SealedKey"])
        envelope = Envelope.from_value(members["Content"])
    except (EncodingError, AttributeError, TypeError):
        raise StoreError("sealed document is damaged; restore it from the backup") from None
    key = udf.text(udf.ENCRYPTION, find_sealer(name).unseal(sealed))
    try:
        content = open_located(envelope, key).content
    except (VerificationError, KeyUnavailableError, EncodingError):
        raise StoreError(
            "sealed document does not open under its own key; restore it from the backup"
        ) from None
    return content, Protection(sealer=name, sealed_key=sealed, _key=key)


def _sealed_members(document: bytes) -> dict[str, Any] | None:
    try:
        value = jsonbcd.loads(document)
    except EncodingError:
        return None
    return value if isinstance(value, dict) and _MEMBERS <= value.keys() else None
