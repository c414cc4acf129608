"""A catalog: the entries that its sequence adds up to (mesh-schema §9).

Each frame says New, Update or Delete of one entry, named by `UniqueId` in the frame's ContentMeta. That
member travels and lies on disk in clear, and for some catalogs the primary key is private (the name of a
network, the site of a password). Our writers therefore put a MAC of such a key there, under a secret
that follows from the store's key; keys that are UDFs are written as they are. Readers accept both, and
trust neither: the key of an entry is taken from its decrypted body, and a frame whose UniqueId names
another entry is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mathmesh.codec import udf
from mathmesh.dare.content_meta import DELETE, NEW, UPDATE, ContentMeta
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import mac, symmetric
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.mesh_object import MeshObject, parse
from mathmesh.schema.primary_key import primary_key

__all__ = ["DELETE", "EVENTS", "NEW", "UPDATE", "Catalog", "Entry", "name_secret", "read_entry", "unique_id"]

EVENTS = (NEW, UPDATE, DELETE)
_LABEL = "mmm/catalog/unique"
_SCALAR_OCTETS = 56


def name_secret(store_key: PrivateKey) -> str:
    """The secret, an E-UDF, under which a store's private keys are hidden in UniqueId."""
    scalar = store_key.scalar.to_bytes(_SCALAR_OCTETS, "little")
    return symmetric.sub_key(udf.text(udf.ENCRYPTION, scalar), _LABEL)


def unique_id(key: str, secret: str | None) -> str:
    """What UniqueId says for the primary key `key`: itself if it is a UDF or there is no secret, else its
    MAC.
    """
    if secret is None or _is_udf(key):
        return key
    return mac.mac(secret, key.encode())


def _is_udf(key: str) -> bool:
    try:
        return udf.canonical(key) == key
    except EncodingError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A standing entry: its key, its value, and the frames that first and last wrote it."""

    key: str
    value: MeshObject
    first: int
    last: int


class Catalog:
    """Fold of the frames of one catalog; `secret` as `name_secret` makes it, None for a reader without the
    key.
    """

    def __init__(self, secret: str | None = None) -> None:
        self._secret = secret
        self._entries: dict[str, Entry] = {}
        self.refused: list[tuple[int, str]] = []
        """Frames that were passed over, with the reason: number of the frame, text."""

    def apply(self, index: int, meta: ContentMeta | None, plaintext: bytes) -> None:
        """Take in frame `index` (frame 0 carries no entry and is not given).

        A frame that is malformed or names another entry than its body is noted in `refused` and changes
        nothing: one bad frame must not take the rest of the catalog away.
        """
        try:
            self._apply(index, meta or ContentMeta(), plaintext)
        except (EncodingError, VerificationError) as error:
            self.refused.append((index, str(error)))

    def _apply(self, index: int, meta: ContentMeta, plaintext: bytes) -> None:
        if meta.event == DELETE:
            if meta.unique_id is None:
                raise EncodingError("a Delete names no entry")
            self._entries.pop(meta.unique_id, None)
            return
        value, key = read_entry(meta, plaintext, self._secret)
        name = unique_id(key, self._secret)
        before = self._entries.get(name)
        first = before.first if before else index
        self._entries[name] = Entry(key=key, value=value, first=first, last=index)

    def entries(self) -> Mapping[str, MeshObject]:
        """The values by primary key, in the order in which they were first written."""
        ordered = sorted(self._entries.values(), key=lambda entry: entry.first)
        return {entry.key: entry.value for entry in ordered}

    def get(self, key: str) -> MeshObject | None:
        """The value under a primary key, or None."""
        entry = self._entries.get(unique_id(key, self._secret))
        return entry.value if entry else None

    def meta_of_write(self, key: str) -> ContentMeta:
        """The ContentMeta of a frame that writes the entry `key`: New, or Update with First and Previous."""
        name = unique_id(key, self._secret)
        entry = self._entries.get(name)
        if entry is None:
            return ContentMeta(unique_id=name, event=NEW)
        return ContentMeta(unique_id=name, event=UPDATE, first=entry.first, previous=entry.last)

    def meta_of_delete(self, key: str) -> ContentMeta | None:
        """The ContentMeta of a frame that deletes the entry `key`; None when there is no such entry."""
        name = unique_id(key, self._secret)
        entry = self._entries.get(name)
        if entry is None:
            return None
        return ContentMeta(unique_id=name, event=DELETE, first=entry.first, previous=entry.last)


def read_entry(meta: ContentMeta, plaintext: bytes, secret: str | None = None) -> tuple[MeshObject, str]:
    """Value and primary key of a frame that writes an entry.

    Raises EncodingError when the body is no catalog entry, VerificationError when UniqueId names another one.
    """
    value = parse(plaintext)
    key = primary_key(value)
    if key is None:
        raise EncodingError(f"{value.tag} has no primary key and cannot be an entry")
    if meta.unique_id is not None and meta.unique_id not in (key, unique_id(key, secret)):
        raise VerificationError(f"the frame names another entry than the {value.tag} inside it")
    return value, key
