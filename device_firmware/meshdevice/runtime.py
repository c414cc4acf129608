"""The only switch between MicroPython and CPython: ticks, a steady clock, flash, heap."""

import gc
import os
import sys
import time

MICROPYTHON = sys.implementation.name == "micropython"

if MICROPYTHON:
    ticks_ms = time.ticks_ms
    ticks_us = time.ticks_us
    ticks_diff = time.ticks_diff
else:
    _PERIOD = 1 << 30

    def ticks_ms() -> int:
        return time.monotonic_ns() // 1000000 % _PERIOD

    def ticks_us() -> int:
        return time.monotonic_ns() // 1000 % _PERIOD

    def ticks_diff(end: int, start: int) -> int:
        return (end - start + _PERIOD // 2) % _PERIOD - _PERIOD // 2


class Clock:
    """Milliseconds since it was made, as a plain integer that never wraps.

    The tick counter of a board wraps after days: `now` must be called at least once in six days,
    which the main loop does many times a second.
    """

    def __init__(self) -> None:
        self._last = ticks_ms()
        self._total = 0

    def now(self) -> int:
        """Milliseconds since this clock was made."""
        tick = ticks_ms()
        self._total += ticks_diff(tick, self._last)
        self._last = tick
        return self._total


def flush(stream: object) -> None:
    """Flush a file object and, where the system has it, force its octets to the medium."""
    stream.flush()
    sync = getattr(os, "fsync", None)
    if sync is not None:
        sync(stream.fileno())


def heap_used() -> int:
    """Octets of MicroPython's heap in use; 0 on CPython."""
    return gc.mem_alloc() if MICROPYTHON else 0


def heap_free() -> int:
    """Octets of MicroPython's heap that are free; 0 on CPython."""
    return gc.mem_free() if MICROPYTHON else 0
