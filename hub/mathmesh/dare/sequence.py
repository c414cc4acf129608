"""Frames of a sequence as values (draft-hallambaker-mesh-dare §5).

Files before 2022 put Index and ContainerType straight into the header and number only some frames; they are
read, never written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.frame import RawFrame
from mathmesh.dare.structure import MAXIMUM_HEADER, content_meta_of
from mathmesh.dare.text_form import parse_object
from mathmesh.errors import EncodingError

LIST, DIGEST, CHAIN, TREE, MERKLE = "List", "Digest", "Chain", "Tree", "Merkle"
CONTAINER_TYPES = (LIST, DIGEST, CHAIN, TREE, MERKLE)
DIGEST_TYPES = (DIGEST, CHAIN, MERKLE)
POSITION_TYPES = (TREE, MERKLE)

UNNUMBERED = -1
ERASED_SALT = "A" * 22
"""16 zero octets in base64url: what erasure leaves of a salt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame: its number, parsed header and trailer, body as stored, and where it lies in the file."""

    index: int
    header: dict[str, Any]
    body: bytes
    trailer: dict[str, Any]
    position: int
    length: int
    header_octets: bytes = field(repr=False)

    @property
    def end(self) -> int:
        """File offset behind the frame."""
        return self.position + self.length

    @property
    def merged(self) -> dict[str, Any]:
        """Members of header and trailer, the trailer's first in doubt."""
        return self.header | self.trailer

    @property
    def content_meta(self) -> ContentMeta:
        """Description of the payload; covered by FrameMac only."""
        return content_meta_of(self.header)

    @property
    def erased(self) -> bool:
        """Whether the salt was overwritten with zeros, so that nothing opens the body any more."""
        return self.header.get("Salt") == ERASED_SALT

    @property
    def tree_position(self) -> int | None:
        """File offset of the frame that is this one's apex in the tree."""
        return _number(sequence_info(self.header), "TreePosition")

    @property
    def exchange_index(self) -> int | None:
        """Number of the frame that holds the recipients of this one; its own when it holds some."""
        if self.header.get("recipients"):
            return self.index
        return _number(sequence_info(self.header), "ExchangePosition")


def sequence_info(header: Mapping[str, Any]) -> Mapping[str, Any]:
    """SequenceInfo of a header, or the header itself in files of the older form."""
    info = header.get("SequenceInfo", header)
    if not isinstance(info, Mapping):
        raise EncodingError("SequenceInfo is not an object")
    return info


def parse_frame(raw: RawFrame, number: int = UNNUMBERED) -> Frame:
    """The frame in `raw`, which must be number `number` unless that is UNNUMBERED.

    Raises EncodingError for malformed or oversized headers and for another number.
    """
    if len(raw.records[0]) > MAXIMUM_HEADER:
        raise EncodingError("header of a frame is longer than 64 KiB")
    header = parse_object(raw.records[0])
    trailer_octets = raw.records[2] if len(raw.records) > 2 else b""
    if len(trailer_octets) > MAXIMUM_HEADER:
        raise EncodingError("trailer of a frame is longer than 64 KiB")
    written = _number(sequence_info(header), "Index")
    if written is None:
        written = number
    elif number not in (UNNUMBERED, written):
        raise EncodingError(f"frame {number} bears the number {written}")
    return Frame(
        index=written,
        header=header,
        body=raw.records[1] if len(raw.records) > 1 else b"",
        trailer=parse_object(trailer_octets) if trailer_octets else {},
        position=raw.position,
        length=raw.length,
        header_octets=raw.records[0],
    )


def container_type(first: Frame) -> str:
    """ContainerType of the first frame; raises EncodingError for one that we do not know."""
    name = sequence_info(first.header).get("ContainerType")
    if name not in CONTAINER_TYPES:
        raise EncodingError(f"first frame names no container type we know: {name!r}")
    return str(name)


def _number(members: Mapping[str, Any], name: str) -> int | None:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise EncodingError(f"member {name} of a frame is not a number")
    return value
