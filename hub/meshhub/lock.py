"""One hub for one data folder."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from meshhub.errors import HubError

NAME = "hub.lock"


class DataLock:
    """Held while the hub runs; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, data: Path):
        self._path = data / NAME
        self._descriptor: int | None = None

    def take(self) -> Self:
        """Make the folder if it is not there and lock it. Raises HubError when another hub has it."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_folder()
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HubError(
                f"data folder {self._path.parent} cannot be used: {error.strerror}; choose one with --data"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 20, 0).decode(errors="replace").strip()
            self.release()
            raise HubError(
                f"another hub (process {holder or 'unknown'}) runs on {self._path.parent}: "
                "stop it, or choose another folder with --data"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        return self

    def _check_folder(self) -> None:
        """Who may write into the folder could put keys and settings there before the hub does."""
        status = self._path.parent.stat()
        if status.st_uid not in (os.geteuid(), 0) or stat.S_IMODE(status.st_mode) & 0o022:
            raise HubError(
                f"data folder {self._path.parent} can be written by other users of this machine: "
                "choose one of your own with --data, or give it mode 700"
            )

    def release(self) -> None:
        """Let go of the folder; nothing happens when it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self.take()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.release()
