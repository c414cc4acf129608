"""Where the whole frames of a sequence end, after a crash may have torn its last write.

Only octets behind the last whole frame may be cut. If a whole frame with a fitting number follows the place
where reading stops, the file is damaged in the middle and nothing must be cut.
"""

import re

from mathmesh.dare import merkle
from mathmesh.dare.frame import ReadAt, read_frame, start_before
from mathmesh.dare.sequence import UNNUMBERED, Frame, parse_frame
from mathmesh.errors import EncodingError, StoreError

_CHUNK = 1 << 20
_CANDIDATE = re.compile(rb"[\xf4-\xf7]")
_HEADER_LEAD = range(0xF0, 0xF4)


def ends_whole(read_at: ReadAt, size: int) -> bool:
    """Whether the last octets are a frame that follows the one before it and the apex it points at."""
    try:
        last = parse_frame(read_frame(read_at, start_before(read_at, size)))
        if last.end != size:
            return False
        if last.position == 0:
            return last.index in (0, UNNUMBERED)
        before = parse_frame(read_frame(read_at, start_before(read_at, last.position)))
        if before.end != last.position or last.index == UNNUMBERED:
            return last.index == UNNUMBERED
        return before.index in (last.index - 1, UNNUMBERED) and _apex_fits(read_at, last)
    except EncodingError:
        return False


def whole_end(read_at: ReadAt, size: int, *, start: int = 0, number: int = 0) -> int:
    """File offset behind the last whole frame, reading on from frame `number` at offset `start`.

    Raises StoreError when whole frames follow behind damage, or when not even the first frame is whole.
    """
    position = start
    while position < size:
        try:
            position = parse_frame(read_frame(read_at, position), number).end
        except EncodingError as error:
            if _later_frame(read_at, position, size, number):
                raise StoreError(
                    f"sequence is damaged at octet {position}, and frames follow: nothing was cut; "
                    "restore the file from a backup or from the service"
                ) from error
            break
        number += 1
    if position == 0:
        raise StoreError("sequence has no whole first frame; restore the file from a backup or remove it")
    return position


def _apex_fits(read_at: ReadAt, frame: Frame) -> bool:
    target = frame.tree_position
    if target is None:
        return True
    if target >= frame.position:
        return False
    apex = parse_frame(read_frame(read_at, target))
    return apex.index == merkle.previous_apex(frame.index)


def _later_frame(read_at: ReadAt, damaged: int, size: int, number: int) -> bool:
    """Whether a whole frame with a number from `number` on begins anywhere behind offset `damaged`."""
    for offset in range(damaged, size, _CHUNK):
        for match in _CANDIDATE.finditer(read_at(offset, min(_CHUNK, size - offset))):
            position = offset + match.start()
            if position > damaged and _is_frame(read_at, position, number):
                return True
    return False


def _is_frame(read_at: ReadAt, position: int, number: int) -> bool:
    lead = read_at(position, 10)
    width = 1 << (lead[0] & 3)
    if len(lead) < 2 + width or lead[1 + width] not in _HEADER_LEAD:
        return False
    try:
        return parse_frame(read_frame(read_at, position)).index >= number
    except EncodingError:
        return False
