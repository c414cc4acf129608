"""How much one device may have stored: readings by a rate, octets by volume, so that none fills the disk.

What is over the limit is not taken, and gets no receipt: the device keeps it and sends it again, and tells a
loss itself when its ring is full. Each such reading is counted once, and the owner is told at most hourly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

TELL_EVERY = 3600.0
"""Seconds between two tellings about one device."""
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one device may have stored. `readings` are per second and may come `burst` at once; `octets` are
    those of its sequence per day, of which a quarter may come at once. So many `sessions` may begin at once,
    and one more each `session_seconds`.
    """

    readings: float = 5.0
    burst: int = 4096
    octets: int = 20_000_000
    sessions: int = 60
    session_seconds: float = 20.0


class Bucket:
    """Tokens that come back at `rate` a second, up to `capacity`. `spend` may leave a debt, worked off by
    time.
    """

    def __init__(self, rate: float, capacity: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._capacity = capacity
        self._clock = clock
        self._level = capacity
        self._at = clock()

    @property
    def level(self) -> float:
        """Tokens that are there; below zero after a debt."""
        now = self._clock()
        self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now
        return self._level

    def spend(self, tokens: float) -> None:
        """Take tokens out, whether or not they are there."""
        self._level = self.level - tokens


class Quota:
    """The limits of one device. `clock` counts seconds and never runs back."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._readings = Bucket(limits.readings, limits.burst, clock)
        self._octets = Bucket(limits.octets / DAY, limits.octets / 4, clock)
        self._refused = (-1, -1)
        self._held_at: float | None = None
        self._told_at: float | None = None
        self.held = 0

    def takes(self, count: int) -> bool:
        """Whether `count` readings may be taken now; they are counted when they may."""
        if self._octets.level <= 0 or self._readings.level < count:
            return False
        self._readings.spend(count)
        return True

    def stored(self, octets: int) -> None:
        """So much was written to disk for the device."""
        self._octets.spend(octets)

    def refuse(self, boot: int, first: int, last: int) -> bool:
        """Count first..last of a boot as over the limit, each once; True when the owner is to be told now."""
        now = self._clock()
        if self._held_at is not None and now - self._held_at > TELL_EVERY:
            self.held = 0
        self._held_at = now
        if (boot, last) > self._refused:
            known = self._refused[1] if self._refused[0] == boot else 0
            self.held += last - max(first - 1, known)
            self._refused = (boot, last)
        if self._told_at is not None and now - self._told_at < TELL_EVERY:
            return False
        self._told_at = now
        return True

    @property
    def over(self) -> int:
        """Readings that were over the limit in this run of excess; 0 an hour after the last one."""
        if self._held_at is None or self._clock() - self._held_at > TELL_EVERY:
            return 0
        return self.held
