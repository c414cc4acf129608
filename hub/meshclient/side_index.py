"""The side index of a sequence file: where its frames begin, eight octets each.

It holds nothing that the sequence does not hold, is trusted for nothing (every frame read through it must
bear the number asked for), and is rebuilt when it is absent, older than the file or wrong.
"""

import contextlib
import os
import sys
from array import array
from pathlib import Path

MINIMUM_FRAMES = 512
"""Shorter sequences have no index: reading through them is as quick."""

_MAGIC = b"MeshIdx1"


def index_path(path: Path) -> Path:
    """Name of the side index of the sequence file `path`."""
    return path.with_name(path.name + ".index")


def load(path: Path, size: int) -> "array[int]":
    """File offsets of the first frames of the sequence file `path`, empty when none are known.

    `size` is the length of the sequence in octets; offsets behind it are left out.
    """
    positions = array("Q")
    try:
        octets = index_path(path).read_bytes()
    except OSError:
        return positions
    if octets[: len(_MAGIC)] != _MAGIC or len(octets) % positions.itemsize:
        return positions
    positions.frombytes(octets[len(_MAGIC) :])
    if sys.byteorder == "big":
        positions.byteswap()
    while positions and positions[-1] >= size:
        positions.pop()
    return positions if positions and positions[0] == 0 else array("Q")


def save(path: Path, positions: "array[int]") -> None:
    """Writes the index anew; a failure is no harm, the next one to open the sequence reads through it."""
    if len(positions) < MINIMUM_FRAMES:
        return
    stored = positions[:]
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
