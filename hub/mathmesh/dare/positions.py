"""File offsets of the frames of a sequence: known ones, looked at where they lie, and those learnt since."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

OCTETS = 8


class Positions:
    """Offsets of frames 0, 1, 2 …; `known` is a buffer of 64-bit numbers that is kept and never changed.

    Several threads may learn the same offsets at once.
    """

    __slots__ = ("_added", "_count", "_known")

    def __init__(self, known: memoryview | array[int] | None = None) -> None:
        self._known: memoryview | array[int] = array("Q") if known is None else known
        self._count = len(self._known)
        self._added = array("Q")

    def __len__(self) -> int:
        return self._count + len(self._added)

    def __getitem__(self, number: int) -> int:
        if number < 0:
            number += len(self)
        if 0 <= number < self._count:
            return self._known[number]
        return self._added[number - self._count]

    def learn(self, number: int, positions: Iterable[int]) -> None:
        """Notes the offsets of frames from `number` on, unless there is a gap before them."""
        place = number - self._count
        if 0 <= place <= len(self._added):
            fresh = array("Q", positions)
            self._added[place : place + len(fresh)] = fresh

    def truncate(self, count: int) -> None:
        """Forgets all but the first `count`."""
        del self._added[max(0, count - self._count) :]
        self._count = min(self._count, count)

    def cut(self, size: int) -> None:
        """Forgets the offsets at `size` and behind."""
        if len(self) and self[-1] >= size:
            self.truncate(bisect_left(self, size))

    def encode(self) -> bytes:
        """All offsets, 64 bits each in the machine's order."""
        return memoryview(self._known)[: self._count].tobytes() + self._added.tobytes()
