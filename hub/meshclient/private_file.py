"""Files that only their owner may read, replaced whole and durably."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mathmesh.errors import StoreError
from meshclient.file_lock import sync_directory

MODE = 0o600


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, replacing an old one at once; synced when this returns."""
    partial = partial_of(path)
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_directory(path.parent)


def read_private(path: Path, what: str) -> bytes:
    """Content of a file, called `what` in messages.

    Raises StoreError when it is missing, a link, or may be read by others than its owner.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise StoreError(f"there is no {what} {path}; restore it from the backup") from None
    except OSError as error:
        raise StoreError(f"the {what} {path} cannot be opened: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise StoreError(
                f"the {what} {path} can be read by others than its owner; "
                f"if nobody did, run: chmod 600 {path}"
            )
        return file.read()


def partial_of(path: Path) -> Path:
    """The name under which a new content is written before it replaces the old one."""
    return path.with_name(path.name + ".new")


@contextmanager
def overwrite(path: Path) -> Iterator[None]:
    """Overwrite with zeros what `path` held before, once the body has replaced the file.

    Disks that write in place forget it then; flash memory and copying file systems may keep it for a while.
    """
    if not path.exists():
        yield
        return
    with path.open("r+b") as old:
        yield
        if old.seek(0, os.SEEK_END) and os.fstat(old.fileno()).st_nlink == 0:
            length = old.tell()
            old.seek(0)
            old.write(bytes(length))
            old.flush()
            os.fsync(old.fileno())
