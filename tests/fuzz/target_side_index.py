"""The side index of a sequence file, which anyone who can write to the folder may have made."""

import os
import random
import tempfile
from collections.abc import Iterable
from pathlib import Path

from mathmesh.errors import MeshError
from meshclient import side_index
from meshclient.store_files import SequenceFile

_FOLDER = tempfile.TemporaryDirectory(prefix="mesh-fuzz-")
_PATH = Path(_FOLDER.name) / "a.dcon"
_COUNT = side_index.MINIMUM_FRAMES + 8
_CHOSEN = (0, 1, 2, 100, _COUNT // 2, _COUNT - 2, _COUNT - 1)


def _content(index: int) -> bytes:
    return b"frame %d" % index if index else b""


def seeds() -> Iterable[bytes]:
    """The index that belongs to the file, its beginning, and nothing."""
    if not _PATH.exists():
        with SequenceFile.create(_PATH, entropy=random.Random(1).randbytes) as file:
            file.append_many([_content(index) for index in range(1, _COUNT)], sync=False)
    with SequenceFile.open(_PATH, entropy=os.urandom) as file:
        list(file.frames())
    octets = side_index.index_path(_PATH)
    whole = octets.read_bytes() if octets.exists() else b"MeshIdx1"
    yield whole[: 8 + 8 * 40]
    yield whole[:16]
    yield b""


def one(data: bytes) -> None:
    """Whatever it says, each frame is the one asked for, and all are there."""
    if not _PATH.exists():
        list(seeds())
    side_index.index_path(_PATH).write_bytes(data)
    with SequenceFile.open(_PATH) as file:
        assert file.count == _COUNT
        for index in _CHOSEN:
            assert file.plaintext(index) == _content(index)
    side_index.index_path(_PATH).write_bytes(data)
    try:
        with SequenceFile.open(_PATH) as file:
            assert [file.plaintext(frame) for frame in file.frames(1)] == [
                _content(index) for index in range(1, _COUNT)
            ]
    except MeshError as error:
        raise AssertionError("the index hinders reading through the file") from error
