"""Going back to earlier versions of entries of a sequence file (see `mathmesh.dare.history`)."""

from __future__ import annotations

from collections.abc import Sequence

from mathmesh.dare import history
from mathmesh.dare.history import Restored
from meshclient.store_files import SequenceFile


def undo(file: SequenceFile, name: str, *, to: int | None = None) -> int:
    """Sets one entry back and returns the number of the frame that does so; errors as `history.undo`."""
    return _append(file, [history.undo(file.reader, name, to=to)])[0]


def undo_since(file: SequenceFile, index: int) -> list[int]:
    """Sets all entries back to what they were at frame `index`; returns the numbers of the new frames.

    All frames are on disk on return. Raises as `history.undo_since`, before anything is appended.
    """
    return _append(file, history.undo_since(file.reader, index))


def _append(file: SequenceFile, restored: Sequence[Restored]) -> list[int]:
    numbers = []
    for one in restored:
        if one.envelope is not None:
            numbers.append(file.append_envelope(one.envelope, sync=False))
        else:
            numbers.append(file.append(one.plaintext or b"", one.meta, sync=False))
    file.sync()
    return numbers
