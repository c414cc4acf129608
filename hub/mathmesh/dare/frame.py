"""Records and frames, the units a sequence file is made of (draft-hallambaker-mesh-dare §5.1, jsonbcd §4.2).

A frame is a tag and length, one to three records, and the same tag and length octets reversed, so that a
file can be walked from both ends. Lengths are written in their shortest form; readers accept any width.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mathmesh.codec.json_writer import tag
from mathmesh.errors import EncodingError

RECORD = 0xF0
FRAME = 0xF4
MAXIMUM_RECORDS = 3
MAXIMUM_FRAME = 1 << 31
MAXIMUM_LEAD = 9
"""Octets of the longest tag and length."""
_FIRST_READ = 1024
"""Octets that are read of a frame before its length is known: all of most frames."""

ReadAt = Callable[[int, int], bytes]
"""`read_at(offset, count)` returns the octets of a file there, fewer where the file ends earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFrame:
    """One frame as it lies in a file: offset of its first octet, length in all, and its records."""

    position: int
    length: int
    records: tuple[bytes, ...]

    @property
    def end(self) -> int:
        """Offset behind the frame."""
        return self.position + self.length


def pack_frame(records: Sequence[bytes]) -> bytes:
    """The frame of one to three `records` (header, body, trailer)."""
    pieces: list[bytes] = []
    for record in records:
        pieces.append(_tag(RECORD, len(record)))
        pieces.append(record)
    payload = b"".join(pieces)
    lead = _tag(FRAME, len(payload))
    return b"".join((lead, payload, lead[::-1]))


def split_records(payload: bytes) -> tuple[bytes, ...]:
    """The records that make up the inside of a frame; raises EncodingError unless they fill it exactly."""
    records = []
    position = 0
    while position < len(payload):
        lead, length = _lead(payload[position : position + MAXIMUM_LEAD], RECORD)
        position += lead
        if length > len(payload) - position:
            raise EncodingError("record overruns its frame")
        records.append(payload[position : position + length])
        position += length
    if not records or len(records) > MAXIMUM_RECORDS:
        raise EncodingError("frame does not hold one to three records")
    if not records[0]:
        raise EncodingError("frame has an empty header record")
    return tuple(records)


def read_frame(read_at: ReadAt, position: int) -> RawFrame:
    """The frame that begins at `position`; raises EncodingError when there is none or it is cut short."""
    octets = read_at(position, _FIRST_READ)
    lead, length = _lead(octets[:MAXIMUM_LEAD], FRAME)
    whole = 2 * lead + length
    if len(octets) == _FIRST_READ < whole:
        octets += read_at(position + _FIRST_READ, whole - _FIRST_READ)
    octets = octets[:whole]
    if len(octets) != whole:
        raise EncodingError("frame is cut short")
    if octets[:lead][::-1] != octets[-lead:]:
        raise EncodingError("frame does not end with its own length")
    return RawFrame(
        position=position, length=len(octets), records=split_records(octets[lead : lead + length])
    )


def start_before(read_at: ReadAt, end: int) -> int:
    """Offset where the frame that ends at `end` begins; raises EncodingError when no frame can end there."""
    tail_start = max(0, end - MAXIMUM_LEAD)
    tail = read_at(tail_start, end - tail_start)
    if len(tail) != end - tail_start:
        raise EncodingError("offset lies behind the file")
    lead, length = _lead(tail[::-1], FRAME)
    start = end - 2 * lead - length
    if start < 0:
        raise EncodingError("frame begins before the file")
    return start


def unpack_frame(octets: bytes) -> tuple[bytes, ...]:
    """The records of `octets`, which must be exactly one frame."""
    raw = read_frame(lambda offset, count: octets[offset : offset + count], 0)
    if raw.length != len(octets):
        raise EncodingError("frame is followed by further octets")
    return raw.records


def _tag(kind: int, length: int) -> bytes:
    """The codec's tag, with the lengths of nearly all frames and records made on a short way."""
    if length < 256:
        return bytes((kind, length))
    if length < 65536:
        return bytes((kind + 1, length >> 8, length & 255))
    return tag(kind, length)


def _lead(octets: bytes, kind: int) -> tuple[int, int]:
    """Width of the tag with its length, and the length; `octets` may run on behind them."""
    if not octets or octets[0] & 0xFC != kind:
        raise EncodingError("octets do not begin a frame" if kind == FRAME else "frame holds a foreign item")
    width = 1 << (octets[0] & 3)
    if len(octets) < 1 + width:
        raise EncodingError("length is cut short")
    length = int.from_bytes(octets[1 : 1 + width], "big")
    if length > MAXIMUM_FRAME:
        raise EncodingError("frame or record is longer than 2^31 octets")
    return 1 + width, length
