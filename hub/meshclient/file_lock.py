"""Exclusive use of an open file, so that one process at a time appends to it."""

import fcntl
import os
from pathlib import Path

from mathmesh.errors import StoreError


def lock_exclusively(descriptor: int, path: Path) -> None:
    """Locks the open file until it is closed; raises StoreError when another process or object holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StoreError(f"{path} is in use by another process; stop that one first") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be locked: {error.strerror}; move it to a local disk") from error


def sync_directory(folder: Path) -> None:
    """Makes names that were added to or removed from `folder` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
