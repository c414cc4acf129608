"""Where the whole frames of a sequence end, after a crash may have torn its last write.

Only octets behind the last whole frame may be cut. If a whole frame with a fitting number follows the place
where reading stops, the file is damaged in the middle and nothing must be cut.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence

from mathmesh.dare import merkle, protection
from mathmesh.dare.frame import ReadAt, read_frame, start_before
from mathmesh.dare.positions import Positions
from mathmesh.dare.sequence import UNNUMBERED, Frame, parse_frame
from mathmesh.dare.sequence_reader import tree_up_to
from mathmesh.errors import EncodingError, StoreError

_STEPS = 4096
"""Frames followed back one by one before the positions of the tree are believed."""
_STEPS_LINKED = 16
"""As many when the last TreeDigest is that of the tree which those positions lead to."""
_CHUNK = 1 << 20
_CANDIDATE = re.compile(rb"[\xf4-\xf7]")
_HEADER_LEAD = range(0xF0, 0xF4)


def ends_whole(read_at: ReadAt, size: int, positions: Positions | Sequence[int] = ()) -> bool:
    """Whether the last octets are a frame that can be followed back to the beginning.

    Following back goes to a known offset in `positions` (of frames 0, 1, 2 …), or through the tree once it
    has been long, sooner where the digests of the tree bear it out. A body that is itself a sequence would
    be taken for frames of this one otherwise.
    """
    try:
        last = parse_frame(read_frame(read_at, start_before(read_at, size)))
        if last.end != size:
            return False
        return last.index == UNNUMBERED or _leads_back(read_at, last, positions)
    except EncodingError:
        return False


def _leads_back(read_at: ReadAt, last: Frame, positions: Positions | Sequence[int]) -> bool:
    position, number = last.position, last.index
    while position and number > 0:
        known = bisect_left(positions, position)
        if known < len(positions) and positions[known] == position:
            return known == number
        steps = last.index - number
        if steps == _STEPS_LINKED and last.tree_position is not None:
            before = _frame_before(read_at, last)
            if not _counts_from_the_start(read_at, last, before):
                return False
            if _is_linked(read_at, last, before):
                return True
        if steps >= _STEPS and last.tree_position is not None:
            return _tree_leads_back(read_at, last)
        position, number = _whole_before(read_at, position), number - 1
    return position == number == 0


def _frame_before(read_at: ReadAt, frame: Frame) -> Frame:
    return parse_frame(read_frame(read_at, start_before(read_at, frame.position)), frame.index - 1)


def _counts_from_the_start(read_at: ReadAt, last: Frame, before: Frame) -> bool:
    """Whether TreePosition is that of the frame right before, as it must be for even numbers.

    In a sequence that lies in a body it is not: there it counts from the beginning of that body.
    """
    even = before if last.index % 2 else last
    return even.tree_position == start_before(read_at, even.position)


def _is_linked(read_at: ReadAt, last: Frame, before: Frame) -> bool:
    """Whether the TreeDigest of `last` follows from those of the frames that the tree names before it."""
    members = last.merged
    digest, claimed = (protection.binary(members, name) for name in ("PayloadDigest", "TreeDigest"))
    if digest is None or claimed is None:
        return False

    def frame_at(position: int, number: int) -> Frame:
        return parse_frame(read_frame(read_at, position), number)

    try:
        tree = tree_up_to(before, frame_at)
    except StoreError:
        return False
    return tree.append(last.position, digest) == claimed


def _whole_before(read_at: ReadAt, end: int) -> int:
    """Offset of the frame that ends at `end`, whose two lengths must agree."""
    start = start_before(read_at, end)
    tail = read_at(end - 1, 1)
    width = 1 + (1 << (tail[0] & 3))
    if read_at(start, width)[::-1] != read_at(end - width, width):
        raise EncodingError("frame does not begin with its own length")
    return start


def _tree_leads_back(read_at: ReadAt, frame: Frame) -> bool:
    while frame.index:
        target, apex = frame.tree_position, merkle.previous_apex(frame.index)
        if target is None or target >= frame.position:
            return False
        frame = parse_frame(read_frame(read_at, target), apex)
    return frame.position == 0


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
