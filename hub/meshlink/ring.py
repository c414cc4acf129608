"""The device's telemetry ring (protocol book, "Telemetry"): numbered from 1 in each boot, freed by receipts
only.

What was dropped because the ring was full is told to the hub by `gap`, so that a loss is visible.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Ring:
    """The entries of one boot; an entry is (dt, node, prop, value), dt in ms since that boot.

    boot: number of this boot; capacity: entries, each about 100 octets of heap on a device; next_s: number of
    the next entry, above 1 only after deep sleep.
    """

    def __init__(self, boot: int, capacity: int = 256, next_s: int = 1) -> None:
        self.boot = boot
        self._capacity = capacity
        self._entries: list[tuple[int, str, str, Any]] = []
        self._low = next_s
        self._lost_from = 0
        self._lost_to = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def low(self) -> int:
        """Number of the oldest entry held; one above `high` when nothing is held."""
        return self._low

    @property
    def high(self) -> int:
        """Number of the newest entry ever added; 0 before the first."""
        return self._low + len(self._entries) - 1

    def add(self, dt: int, node: str, prop: str, value: object) -> int:
        """Keep a reading and return its number; when the ring is full its oldest eighth is dropped."""
        if len(self._entries) >= self._capacity:
            drop = max(1, self._capacity // 8)
            self._entries = self._entries[drop:]
            self._lost_from = self._lost_from or self._low
            self._low += drop
            self._lost_to = self._low - 1
        self._entries.append((dt, node, prop, value))
        return self.high

    def free(self, boot: int, upto: int) -> None:
        """A receipt: the hub holds the entries of `boot` up to `upto`. Another boot's receipt frees
        nothing.
        """
        if boot != self.boot or upto < self._low:
            return
        count = min(upto, self.high) - self._low + 1
        self._entries = self._entries[count:]
        self._low += count
        if upto >= self._lost_to:
            self._lost_from = 0

    def batch(self, start: int, limit: int) -> "tuple[int, list[tuple[int, str, str, Any]]]":
        """(number of the first, entries): at most `limit`, from number `start` or the oldest held."""
        first = max(start, self._low)
        offset = first - self._low
        return first, self._entries[offset : offset + limit]

    def gap(self) -> tuple[int, int] | None:
        """(from, to) of entries that were dropped unsent or unreceipted and are not receipted since."""
        return (self._lost_from, self._lost_to) if self._lost_from else None

    def take_gap(self) -> tuple[int, int] | None:
        """As gap(), which it then forgets."""
        lost = self.gap()
        self._lost_from = 0
        return lost

    def summary(self, origin: int | None) -> "list[list[Any]]":
        """The member `ring` of `ready`; origin: hub time of this boot's start in ms, None if never known."""
        return [[self.boot, self._low, self.high, origin]] if self._entries else []
