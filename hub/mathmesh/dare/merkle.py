"""Tree positions and the digests that link the frames of a sequence (draft-hallambaker-mesh-dare §5.3).

The published reference takes 64 zero octets for every left input; we write the linked values and
recognise the unlinked ones (`unlinked_tree_digest`, `unlinked_chain_digest`) when reading its files.
"""

import hashlib
from dataclasses import dataclass

MISSING = bytes(64)
"""Stands for a digest that does not exist."""


def combine(left: bytes, right: bytes) -> bytes:
    """Digest of an inner node."""
    return hashlib.sha512(left + right).digest()


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


@dataclass(frozen=True, slots=True)
class Peak:
    """A frame that later frames refer to: its number, file offset and TreeDigest (MISSING in type Tree)."""

    index: int
    position: int
    digest: bytes


class TreeState:
    """What must be known of the earlier frames to append the next one: the peaks of the tree so far.

    With n frames written these are the frames found by clearing the low set bits of n, one after the
    other; the TreePosition members of a file lead from its last frame through exactly those.
    """

    __slots__ = ("count", "peaks")

    def __init__(self, count: int = 0, peaks: tuple[Peak, ...] = ()) -> None:
        if tuple(peak.index + 1 for peak in peaks) != peak_ranks(count):
            raise ValueError("peaks do not fit the number of frames")
        self.count = count
        self.peaks = peaks

    def copy(self) -> "TreeState":
        """An independent copy."""
        twin = TreeState()
        twin.count, twin.peaks = self.count, self.peaks
        return twin

    @property
    def apex(self) -> bytes | None:
        """TreeDigest of the last frame, None before the first."""
        return self.peaks[-1].digest if self.peaks else None

    def next_tree_position(self) -> int:
        """TreePosition of the next frame; meaningless for frame 0, which has none."""
        apex = self._next_apex()
        return apex.position if apex else 0

    def append(self, position: int, payload_digest: bytes) -> bytes:
        """Adds the frame at file offset `position` and returns its TreeDigest."""
        digest = payload_digest
        kept = len(self.peaks)
        rank = self.count + 1
        while not rank & 1:
            kept -= 1
            digest = combine(self.peaks[kept].digest, digest)
            rank //= 2
        apex = self._next_apex()
        digest = combine(apex.digest if apex else MISSING, digest)
        self._push(kept, position, digest)
        return digest

    def append_position(self, position: int) -> None:
        """Adds a frame of type Tree, which carries positions and no digests."""
        low_bits = (((self.count + 1) & -(self.count + 1)) - 1).bit_count()
        self._push(len(self.peaks) - low_bits, position, MISSING)

    def _push(self, kept: int, position: int, digest: bytes) -> None:
        self.peaks = (*self.peaks[:kept], Peak(self.count, position, digest))
        self.count += 1

    def _next_apex(self) -> Peak | None:
        """The peak of frame `previous_apex(count)`: the last one not merged, or the first when all merge."""
        if not self.peaks:
            return None
        rank = self.count + 1
        merged = ((rank & -rank) - 1).bit_count()
        return self.peaks[len(self.peaks) - merged - 1] if merged < len(self.peaks) else self.peaks[0]


def peak_ranks(count: int) -> tuple[int, ...]:
    """Ranks (index + 1) of the peaks with `count` frames, oldest first."""
    ranks: list[int] = []
    while count:
        ranks.append(count)
        count &= count - 1
    return tuple(reversed(ranks))
