"""Making files below a folder under names from others, without ever following a link out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mathmesh.errors import PolicyError, StoreError

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DESCRIPTORS = Path("/proc/self/fd")


@contextmanager
def parent_of(folder: Path, name: str) -> Iterator[Path]:
    """The path of the file `name`, a safe one, below `folder`, the folders between made.

    While in use, the path leads to the place that was checked whatever others rename. Raises PolicyError when
    a part of the name is a link, StoreError when a folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        *parts, last = name.split("/")
        for part in parts:
            inner = _enter(descriptor, part, folder / name)
            os.close(descriptor)
            descriptor = inner
        held = _DESCRIPTORS / str(descriptor)
        yield (held if held.exists() else folder.joinpath(*parts)) / last
    finally:
        os.close(descriptor)


def _enter(descriptor: int, part: str, path: Path) -> int:
    try:
        os.mkdir(part, dir_fd=descriptor)
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    try:
        return os.open(part, _FLAGS, dir_fd=descriptor)
    except OSError as error:
        raise PolicyError(f"{path} cannot be written: {part!r} is a link or a file there") from error
