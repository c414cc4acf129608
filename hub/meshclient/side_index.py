"""The side index of a sequence file: where its frames begin, eight octets each.

It holds nothing that the sequence does not hold, is trusted for nothing (every frame read through it must
bear the number asked for), and is rebuilt when it is absent, older than the file or wrong.
"""

import contextlib
import mmap
import os
import sys
from array import array
from pathlib import Path

from mathmesh.dare.positions import OCTETS, Positions

MINIMUM_FRAMES = 512
"""Shorter sequences have no index: reading through them is as quick."""

_MAGIC = b"MeshIdx1"


def index_path(path: Path) -> Path:
    """Name of the side index of the sequence file `path`."""
    return path.with_name(path.name + ".index")


def load(path: Path, size: int) -> Positions:
    """File offsets of the first frames of the sequence file `path`, none when none are known.

    `size` is the length of the sequence in octets; offsets behind it are left out. The index is not read but
    mapped, so that opening a large sequence costs no more than a small one.
    """
    try:
        with index_path(path).open("rb") as file:
            if os.fstat(file.fileno()).st_size <= len(_MAGIC):
                return Positions()
            octets = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError:
        return Positions()
    if octets[: len(_MAGIC)] != _MAGIC or len(octets) % OCTETS:
        return Positions()
    positions = Positions(_numbers(octets[len(_MAGIC) :]))
    positions.cut(size)
    return positions if len(positions) and positions[0] == 0 else Positions()


def _numbers(octets: memoryview) -> "memoryview | array[int]":
    if sys.byteorder == "little":
        return octets.cast("Q")
    swapped = array("Q", octets.tobytes())
    swapped.byteswap()
    return swapped


def save(path: Path, positions: Positions) -> None:
    """Writes the index anew; a failure is no harm, the next one to open the sequence reads through it."""
    if len(positions) < MINIMUM_FRAMES:
        return
    stored = array("Q", positions.encode())
    if sys.byteorder == "big":
        stored.byteswap()
    target = index_path(path)
    fresh = target.with_name(target.name + ".new")
    with contextlib.suppress(OSError):
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_MAGIC + stored.tobytes())
        os.replace(fresh, target)


def discard(path: Path) -> None:
    """Removes the index of the sequence file `path`."""
    index_path(path).unlink(missing_ok=True)
