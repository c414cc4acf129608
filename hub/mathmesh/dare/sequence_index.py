"""Index frames: where earlier frames lie, for readers that cannot keep a side index (mesh-dare §5.4).

An index frame lists the frames since the one before it, or all of them (`Full`), and points at the one before
it by IndexPosition. It lies in a header, which is limited, and no digest covers it: positions are hints, and
every frame found through them must bear the number asked for.
"""

from array import array
from collections.abc import Iterator
from typing import Any

from mathmesh.codec import jsonbcd
from mathmesh.dare.positions import Positions
from mathmesh.dare.sequence import Frame, sequence_info
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.structure import MAXIMUM_HEADER
from mathmesh.errors import EncodingError, MeshError, StoreError

_ROOM = MAXIMUM_HEADER - 1024


def is_index(frame: Frame) -> bool:
    """Whether a frame is an index frame."""
    return isinstance(frame.header.get("SequenceIndex"), dict)


def entries(reader: Reader, start: int, end: int) -> Iterator[dict[str, Any]]:
    """Entries of the frames from `start` to before `end`; UniqueId where one is to be seen."""
    for frame in reader.frames(start):
        if frame.index >= end:
            return
        entry: dict[str, Any] = {"Index": frame.index, "Position": frame.position}
        try:
            meta = frame.content_meta
        except EncodingError:
            meta = None
        name = meta and (meta.unique_id or meta.filename)
        if name:
            entry["UniqueId"] = name
        yield entry


def indexes(reader: Reader, start: int, end: int, *, full: bool) -> Iterator[dict[str, Any]]:
    """The SequenceIndex of as many index frames as the frames from `start` to before `end` need."""
    found: list[dict[str, Any]] = []
    length = 0
    first = True
    for entry in entries(reader, start, end):
        octets = len(jsonbcd.dumps(entry)) + 1
        if found and length + octets > _ROOM:
            yield _index(found, full=False)
            found, length, first = [], 0, False
        found.append(entry)
        length += octets
    if found:
        yield _index(found, full=full and first)


def _index(found: list[dict[str, Any]], *, full: bool) -> dict[str, Any]:
    return {"Full": True, "Positions": found} if full else {"Positions": found}


def next_unlisted(frame: Frame) -> int:
    """The first frame that the index frames up to `frame` do not list."""
    return max(_listed(frame), default=-1) + 1


def last_index(reader: Reader) -> Frame | None:
    """The last index frame, looked for from the end."""
    return next((frame for frame in reader.frames_reversed() if is_index(frame)), None)


def positions(reader: Reader) -> Positions | None:
    """File offsets of frames 0, 1, 2 … from a sequence that ends in an index frame; None when it does not.

    Also None when the index frames contradict one another or leave gaps.
    """
    try:
        frame = reader.last()
        if not is_index(frame):
            return None
        known: dict[int, int] = {frame.index: frame.position}
        while True:
            known |= _listed(frame)
            previous = sequence_info(frame.header).get("IndexPosition")
            if frame.header["SequenceIndex"].get("Full") is True or previous is None:
                break
            if not isinstance(previous, int) or not 0 <= previous < frame.position:
                return None
            frame = reader.frame_at(previous)
            if not is_index(frame):
                return None
    except MeshError:
        return None
    return _in_order(known)


def _listed(frame: Frame) -> dict[int, int]:
    listed: dict[int, int] = {}
    for entry in frame.header["SequenceIndex"].get("Positions") or ():
        index, position = (
            (entry.get("Index"), entry.get("Position")) if isinstance(entry, dict) else (None, 0)
        )
        if not isinstance(index, int) or not isinstance(position, int) or index < 0 or position < 0:
            raise StoreError("index frame is malformed")
        listed[index] = position
    return listed


def _in_order(known: dict[int, int]) -> Positions | None:
    if known.get(0) != 0:
        return None
    found = array("Q")
    while (position := known.get(len(found))) is not None:
        if found and position <= found[-1]:
            return None
        found.append(position)
    return Positions(found)
