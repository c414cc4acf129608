"""How far a long step has come, for a person who looks on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mathmesh.dare.stream import Progress

_EVERY_SECONDS = 0.5
_MEGABYTE = 10**6


@contextmanager
def progress(path: Path) -> Iterator[Progress | None]:
    """What to tell about work on `path`; None where nobody looks on. Its line is gone at the end."""
    if not sys.stderr.isatty():
        yield None
        return
    start = last = time.monotonic()
    width = 0

    def tell(done: int, total: int | None) -> None:
        nonlocal last, width
        now = time.monotonic()
        if now - last < _EVERY_SECONDS:
            return
        last = now
        share = f"{100 * done // total} % of {total // _MEGABYTE}" if total else f"{done // _MEGABYTE}"
        line = f"{path.name}: {share} MB, {done / (now - start) / _MEGABYTE:.0f} MB/s"
        sys.stderr.write("\r" + line.ljust(width))
        sys.stderr.flush()
        width = len(line)

    try:
        yield tell
    finally:
        if width:
            sys.stderr.write("\r" + " " * width + "\r")
            sys.stderr.flush()
