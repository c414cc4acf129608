"""The room on disk that telemetry leaves free, so that the account's own stores can always be written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

LOOK_EVERY = 5.0
"""Seconds for which an answer of the file system is good."""
LARGEST_PART = 0.05
"""The reserve is never a larger part of the disk than this: small disks shall be usable."""
BACK = 1.1
"""So many times the reserve must be free until readings are taken again."""


class DiskReserve:
    """Watches the file system of `folder`. `octets` is the wished reserve; `look` returns (free, total)."""

    def __init__(
        self,
        folder: Path,
        octets: int,
        *,
        look: Callable[[Path], tuple[int, int]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._wish = octets
        self._look = look or _look
        self._clock = clock
        self._looked: float | None = None
        self._low = False
        self.free = 0

    @property
    def low(self) -> bool:
        """Whether the reserve is touched: nothing that can wait shall be written."""
        now = self._clock()
        if self._looked is None or now - self._looked >= LOOK_EVERY:
            self._looked = now
            self.free, total = self._look(self._folder)
            reserve = min(self._wish, int(total * LARGEST_PART))
            self._low = self.free < reserve * (BACK if self._low else 1)
        return self._low


def _look(folder: Path) -> tuple[int, int]:
    try:
        found = os.statvfs(folder)
    except OSError:  # the next write will tell
        return 1 << 62, 1 << 62
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
