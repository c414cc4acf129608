"""The only switch between MicroPython and CPython: ticks, a steady clock, flash, heap."""

import gc
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MICROPYTHON = sys.implementation.name == "micropython"

_time: "Any" = time  # each runtime has calls that the other lacks

_PERIOD = 1 << 30
_TCP = 6
_NO_DELAY = 1


def _ticks_ms() -> int:
    return _time.monotonic_ns() // 1000000 % _PERIOD


def _ticks_us() -> int:
    return _time.monotonic_ns() // 1000 % _PERIOD


def _ticks_diff(end: int, start: int) -> int:
    return (end - start + _PERIOD // 2) % _PERIOD - _PERIOD // 2


ticks_ms: "Callable[[], int]" = _time.ticks_ms if MICROPYTHON else _ticks_ms
ticks_us: "Callable[[], int]" = _time.ticks_us if MICROPYTHON else _ticks_us
ticks_diff: "Callable[[int, int], int]" = _time.ticks_diff if MICROPYTHON else _ticks_diff


def send_at_once(writer: "Any") -> None:
    """Let a TCP connection send small packets without waiting for acknowledgements; CPython does so anyway.

    Otherwise a command's answer lies behind the MQTT acknowledgement for the 40 ms that the broker's kernel
    may take. Without effect on a connection with TLS and where the port lacks the option.
    """
    if MICROPYTHON:
        try:
            writer.s.setsockopt(_TCP, _NO_DELAY, 1)
        except (AttributeError, OSError, ValueError):
            return


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


def flush(stream: "Any") -> None:
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
