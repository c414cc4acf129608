"""A file that comes into being when it is complete, and never before.

It is written without a name (where the system can do that, else under a hidden one) and given its name by
`commit`, in one step and safely on disk. Without `commit`, also after a crash, nothing is there.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from mathmesh.errors import StoreError
from meshclient.file_lock import sync_directory

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o666
"""Less what the user's mask takes away."""

_UNNAMED = getattr(os, "O_TMPFILE", 0)


class OutputFile:
    """A context manager; left without `commit` there is no file. Failures are StoreErrors that name it."""

    def __init__(
        self, path: Path | str, *, overwrite: bool = False, private: bool = False, sync: bool = True
    ) -> None:
        """`private` makes a file for its owner alone; `sync` false leaves it to the system when the octets
        reach the disk. Raises StoreError when the file exists and may not be overwritten.
        """
        self.path = Path(path)
        self._overwrite = overwrite
        self._sync = sync
        self._hidden: Path | None = None
        if self.path.is_dir() or (not overwrite and os.path.lexists(self.path)):
            raise StoreError(f"{self.path} exists already; name another file, or replace it with /force")
        try:
            self._descriptor = self._make(PRIVATE_MODE if private else PUBLIC_MODE)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error

    def write(self, octets: bytes | memoryview) -> None:
        """Appends all of `octets`."""
        rest = memoryview(octets)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            raise StoreError(
                f"{self.path} cannot be written: {error.strerror}; free space or see to its disk"
            ) from error

    def commit(self, times_ns: tuple[int, int] | None = None) -> None:
        """Gives the file its name; `times_ns` are the times of last access and change that it gets."""
        try:
            if times_ns is not None:
                os.utime(self._descriptor, ns=times_ns)
            if self._sync:
                os.fsync(self._descriptor)
            self._name()
            if self._sync:
                sync_directory(self.path.parent)
        except FileExistsError as error:
            raise StoreError(f"{self.path} exists already; name another file") from error
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        if self._hidden is not None:
            self._hidden.unlink(missing_ok=True)

    def _make(self, mode: int) -> int:
        folder = self.path.parent
        if _UNNAMED:
            with contextlib.suppress(OSError):
                return os.open(folder, os.O_WRONLY | os.O_CLOEXEC | _UNNAMED, mode)
        self._hidden = self._fresh_name()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
        return os.open(self._hidden, flags, mode)

    def _name(self) -> None:
        if self._hidden is None:
            if not self._overwrite:
                self._link(self.path)
                return
            self._hidden = self._fresh_name()
            self._link(self._hidden)
        if self._overwrite:
            os.replace(self._hidden, self.path)
        else:
            os.link(self._hidden, self.path)

    def _link(self, name: Path) -> None:
        """Names the unnamed file. Only with a descriptor of a folder does `os.link` follow symbolic links."""
        folder = os.open(name.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            source = f"/proc/self/fd/{self._descriptor}"
            os.link(source, name.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)

    def _fresh_name(self) -> Path:
        return self.path.with_name(f".{self.path.name[:200]}.{secrets.token_hex(4)}.part")
