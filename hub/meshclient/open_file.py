"""An open file that is only ever read at an offset, appended to, and cut back."""

import contextlib
import os
from pathlib import Path

from mathmesh.errors import StoreError
from meshclient.file_lock import lock_exclusively, sync_directory

_MODE = 0o600
_FOLDER_MODE = 0o700
_datasync = getattr(os, "fdatasync", os.fsync)


class OpenFile:
    """Holds one descriptor. Every failure is a StoreError that names the file and what to do."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._failure = ""

    @classmethod
    def create(cls, path: Path, octets: bytes, *, sync: bool = True) -> "OpenFile":
        """A new file with these octets, locked and safely on disk: after a crash it is whole or absent.

        The folder is made when it is not there. Without `sync` nothing waits for the disk.
        """
        fresh = path.with_name(f".{path.name}.new")
        _make_folder(path.parent)
        try:
            fresh.unlink(missing_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            made = cls(path, os.open(fresh, flags, _MODE))
            try:
                try:
                    lock_exclusively(made._descriptor, path)
                    made.append(octets, 0, sync=sync)
                    _place(fresh, path)
                finally:
                    fresh.unlink(missing_ok=True)
                if sync:
                    sync_directory(path.parent)
            except BaseException:
                made.close()
                raise
        except FileExistsError as error:
            raise StoreError(f"{path} exists already; open it instead") from error
        except OSError as error:
            raise StoreError(f"{path} cannot be created: {error.strerror}; see to its disk") from error
        return made

    @classmethod
    def open(cls, path: Path, *, writable: bool) -> "OpenFile":
        """An existing file; `writable` locks it."""
        try:
            opened = cls(path, os.open(path, os.O_CLOEXEC | (os.O_RDWR if writable else os.O_RDONLY)))
        except OSError as error:
            raise StoreError(f"{path} cannot be opened: {error.strerror}") from error
        if writable:
            try:
                lock_exclusively(opened._descriptor, path)
            except BaseException:
                opened.close()
                raise
        return opened

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._descriptor < 0

    @property
    def size(self) -> int:
        """Length in octets."""
        return os.fstat(self._open()).st_size

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to `count` octets from `offset`, fewer at the end of the file."""
        try:
            return os.pread(self._open(), count, offset)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error.strerror}; see to its disk") from error

    def append(self, octets: bytes, length: int, *, sync: bool) -> None:
        """Writes `octets` at `length`, the length so far; on failure the file is as long as before."""
        descriptor = self._open()
        try:
            write_all(descriptor, octets, length)
            if sync:
                _datasync(descriptor)
        except OSError as error:
            try:
                self.cut(length)
            except StoreError:
                self._failure = "an append failed and could not be undone"
            raise StoreError(
                f"{self.path} cannot be appended to: {error.strerror}; "
                "free space on its disk or see to it, then try again"
            ) from error

    def overwrite(self, octets: bytes, offset: int) -> None:
        """Writes over octets that are there, safely on disk; a file is as long as before."""
        try:
            write_all(self._open(), octets, offset)
            _datasync(self._open())
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}; see to its disk") from error

    def cut(self, length: int) -> None:
        """Cuts the file to `length` octets, safely on disk."""
        try:
            os.ftruncate(self._open(), length)
            _datasync(self._open())
        except OSError as error:
            raise StoreError(f"{self.path} cannot be cut: {error.strerror}; see to its disk") from error

    def sync(self) -> None:
        """Returns when all octets are on disk."""
        try:
            _datasync(self._open())
        except OSError as error:
            self._failure = "an earlier append did not reach the disk"
            raise StoreError(f"{self.path} cannot be synced: {error.strerror}; see to its disk") from error

    def close(self) -> None:
        """Closes the file, which gives up the lock; closing twice is no harm."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self) -> int:
        if self._descriptor < 0:
            raise StoreError(f"{self.path} is closed; open it again")
        if self._failure:
            raise StoreError(f"{self.path}: {self._failure}; close it and open it again")
        return self._descriptor


def write_all(descriptor: int, octets: bytes, offset: int) -> None:
    """One write, continued where the system wrote less."""
    written = os.pwrite(descriptor, octets, offset)
    while written < len(octets):
        written += os.pwrite(descriptor, memoryview(octets)[written:], offset + written)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"folder {folder} cannot be made: {error.strerror}; name another one") from error


def _place(fresh: Path, path: Path) -> None:
    """Gives the file its name, never over another file; where links are unknown, by renaming."""
    with contextlib.suppress(PermissionError, NotImplementedError):
        os.link(fresh, path)
        return
    if path.exists():
        raise FileExistsError(path)
    os.rename(fresh, path)
