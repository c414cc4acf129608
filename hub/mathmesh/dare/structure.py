"""The envelope as a value and its three serialisations (draft-hallambaker-mesh-dare §4.1).

`[header, body]` or `[header, body, trailer]` as JSON, as JSON-B, or in the form of a .dare file: text header
and trailer around a binary body. One reader takes all three.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mathmesh.codec import b64, jsonbcd
from mathmesh.codec.json_writer import tag
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.protection import binary
from mathmesh.dare.text_form import binary_members, plain_members
from mathmesh.errors import EncodingError, PolicyError

TAG = "DareEnvelope"
MAXIMUM_HEADER = 1 << 16
"""Octets of a header or trailer."""
MAXIMUM_ANNOTATIONS = 1024
_BINARY = 0x88

NEVER_CLOAKED = frozenset(
    (
        *("enc", "dig", "kid", "Salt", "Malt", "recipients", "annotations", "cloaked"),
        *("signatures", "SignedData", "PayloadDigest", "ChainDigest", "TreeDigest", "FrameMac"),
        *("policy", "SequenceInfo", "SequenceIndex"),
    )
)
"""Members that say how the rest is read, or that others must see."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Header and trailer are plain JSON data (binary members as base64url text), unknown members included.

    `body` holds the octets as transported: ciphertext when the header names an encryption. An empty trailer
    is the same as none and is not written.
    """

    header: dict[str, Any]
    body: bytes
    trailer: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_value(cls, value: object) -> "Envelope":
        """The envelope in a bare array or a `{"DareEnvelope": [...]}` object.

        Raises EncodingError when it is neither, PolicyError when header or trailer exceed our limits.
        """
        if isinstance(value, dict) and set(value) == {TAG}:
            value = value[TAG]
        if isinstance(value, Envelope):
            return value
        if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 3:
            raise EncodingError("envelope is not an array of header, body and trailer")
        body = value[1] if len(value) > 1 else None
        if isinstance(body, str):
            body = b64.decode(body)
        elif body is None:
            body = b""
        elif not isinstance(body, bytes):
            raise EncodingError("body of an envelope is not binary")
        trailer = members_of(value[2], "trailer") if len(value) > 2 and value[2] is not None else {}
        return cls(members_of(value[0], "header"), body, trailer)

    @classmethod
    def from_bytes(cls, octets: bytes, *, most: int | None = None) -> "Envelope":
        """The envelope in JSON, JSON-B or the form of a .dare file, of at most `most` values."""
        return cls.from_value(jsonbcd.loads(octets, tolerant=True, most=most))

    def to_value(self) -> list[Any]:
        """The bare array as JSON data; members that hold envelopes take this."""
        items: list[Any] = [self.header, b64.encode(self.body)]
        return [*items, self.trailer] if self.trailer else items

    def to_json(self) -> bytes:
        """Compact JSON of the bare array."""
        return jsonbcd.dumps(self.to_value())

    def to_json_b(self) -> bytes:
        """JSON-B of the bare array, binary members as binary items."""
        items: list[Any] = [binary_members(self.header), self.body]
        return jsonbcd.dumps_b([*items, binary_members(self.trailer)] if self.trailer else items)

    def to_stream(self, text: Callable[[dict[str, Any]], bytes] = jsonbcd.dumps) -> bytes:
        """The form of a .dare file; `text` writes header and trailer."""
        lead = b"[" + text(self.header) + b"," + tag(_BINARY, len(self.body))
        end = b"," + text(self.trailer) + b"]" if self.trailer else b"]"
        return lead + self.body + end

    def merged(self) -> dict[str, Any]:
        """Members of header and trailer; where both have one the trailer's counts, signatures are joined."""
        merged = self.header | self.trailer
        signatures = [*_list(self.header, "signatures"), *_list(self.trailer, "signatures")]
        if signatures:
            merged["signatures"] = signatures
        return merged

    @property
    def envelope_id(self) -> str | None:
        """EnvelopeId of the header."""
        value = self.header.get("EnvelopeId")
        return value if isinstance(value, str) else None

    @property
    def content_meta(self) -> ContentMeta:
        """Description of the payload, empty when there is none; not covered by digest or signature."""
        return content_meta_of(self.header)

    @property
    def kids(self) -> tuple[str, ...]:
        """Identifiers of the recipients."""
        entries = _list(self.header, "recipients")
        return tuple(str(entry.get("kid", "")) for entry in entries if isinstance(entry, dict))


def content_meta_of(header: dict[str, Any]) -> ContentMeta:
    """ContentMeta of a header; also the object form and the `UniqueID` spelling of old files are read."""
    octets = binary(header, "ContentMetaData")
    if octets is not None:
        return ContentMeta.decode(octets)
    old = header.get("ContentMeta")
    if old is not None:
        return ContentMeta.from_json(old)
    moved = {"UniqueID": "UniqueId", "Event": "Event", "First": "First", "Previous": "Previous"}
    return ContentMeta.from_json({name: header[old] for old, name in moved.items() if old in header})


def check_limits(header: dict[str, Any]) -> None:
    """Raises PolicyError for lists longer than we read."""
    if len(_list(header, "annotations")) > MAXIMUM_ANNOTATIONS:
        raise PolicyError("envelope has more than 1024 annotations")


def members_of(value: object, what: str) -> dict[str, Any]:
    """A header or trailer as plain JSON data; raises EncodingError for another type, PolicyError for size."""
    if not isinstance(value, dict):
        raise EncodingError(f"{what} of an envelope is not an object")
    plain = plain_members(value)
    assert isinstance(plain, dict)
    check_limits(plain)
    if len(jsonbcd.dumps(plain)) > MAXIMUM_HEADER:
        raise PolicyError(f"{what} of an envelope is longer than 64 KiB")
    return plain


def _list(members: dict[str, Any], name: str) -> list[Any]:
    value = members.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise EncodingError(f"member {name} is not a list")
    return value
