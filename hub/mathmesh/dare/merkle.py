"""Tree positions and the digests that link the frames of a sequence (draft-hallambaker-mesh-dare §5.3).

The published reference takes 64 zero octets for every left input; we write the linked values and
recognise the unlinked ones (`unlinked_tree_digest`, `unlinked_chain_digest`) when reading its files.
"""

import hashlib
from typing import NamedTuple

_sha512 = hashlib.sha512

MISSING = bytes(64)
"""Stands for a digest that does not exist."""


def combine(left: bytes, right: bytes) -> bytes:
    """Digest of an inner node."""
    return _sha512(left + right).digest()


def previous_apex(index: int) -> int:
    """Number of the frame that TreePosition of frame `index` points at, -1 for frame 0."""
    rank, step = index + 1, 1
    while not rank & 1:
        step *= 2
        rank //= 2
    return step // 2 - 1 if rank == 1 else index - step


def unlinked_chain_digest(payload_digest: bytes) -> bytes:
    """ChainDigest as the published reference writes it for every frame."""
    return combine(MISSING, payload_digest)


def unlinked_tree_digest(index: int, payload_digest: bytes) -> bytes:
    """TreeDigest as the published reference computes it for `index` (it passes n + 1 for appended data)."""
    rank, digest = index + 1, payload_digest
    while not rank & 1:
        digest = combine(MISSING, digest)
        rank //= 2
    return combine(MISSING, digest)


class Peak(NamedTuple):
    """A frame that later frames refer to: its number, file offset and TreeDigest (MISSING in type Tree)."""

    number: int
    position: int
    digest: bytes


class TreeState:
    """What must be known of the earlier frames to append the next one: the peaks of the tree so far.

    With n frames written these are the frames found by clearing the low set bits of n, one after the
    other; the TreePosition members of a file lead from its last frame through exactly those.
    """

    __slots__ = ("count", "peaks")

    def __init__(self, count: int = 0, peaks: tuple[Peak, ...] = ()) -> None:
        if tuple(peak.number + 1 for peak in peaks) != peak_ranks(count):
            raise ValueError("peaks do not fit the number of frames")
        self.count = count
        self.peaks = peaks

    def copy(self) -> "TreeState":
        """An independent copy."""
        twin = TreeState.__new__(TreeState)
        twin.count, twin.peaks = self.count, self.peaks
        return twin

    @property
    def apex(self) -> bytes | None:
        """TreeDigest of the last frame, None before the first."""
        return self.peaks[-1].digest if self.peaks else None

    def next_tree_position(self) -> int:
        """TreePosition of the next frame; meaningless for frame 0, which has none."""
        apex = self._left(self._merged())
        return 0 if apex is None else apex.position

    def append(self, position: int, payload_digest: bytes) -> bytes:
        """Adds the frame at file offset `position` and returns its TreeDigest."""
        number = self.count
        rank = number + 1
        peaks = self.peaks
        if rank & 1:
            left = peaks[-1][2] if peaks else MISSING
            digest = _sha512(left + payload_digest).digest()
            self.peaks = (*peaks, Peak(number, position, digest))
        else:
            merged = (rank & -rank).bit_length() - 1
            digest = payload_digest
            for step in range(1, merged + 1):
                digest = _sha512(peaks[-step][2] + digest).digest()
            left = peaks[-1 - merged][2] if merged < len(peaks) else peaks[0][2]
            digest = _sha512(left + digest).digest()
            self.peaks = (*peaks[:-merged], Peak(number, position, digest))
        self.count = rank
        return digest

    def append_position(self, position: int) -> None:
        """Adds a frame of type Tree, which carries positions and no digests."""
        self._push(self._merged(), position, MISSING)

    def _merged(self) -> int:
        """How many of the last peaks the next frame takes the place of: the low zero bits of its rank."""
        rank = self.count + 1
        return (rank & -rank).bit_length() - 1

    def _left(self, merged: int) -> Peak | None:
        """The peak of frame `previous_apex(count)`: the last one not merged, or the first when all merge."""
        peaks = self.peaks
        if merged < len(peaks):
            return peaks[-1 - merged]
        return peaks[0] if peaks else None

    def _push(self, merged: int, position: int, digest: bytes) -> None:
        self.peaks = (*self.peaks[: len(self.peaks) - merged], Peak(self.count, position, digest))
        self.count += 1


def peak_ranks(count: int) -> tuple[int, ...]:
    """Ranks (index + 1) of the peaks with `count` frames, oldest first."""
    ranks: list[int] = []
    while count:
        ranks.append(count)
        count &= count - 1
    return tuple(reversed(ranks))
