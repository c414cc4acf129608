"""The socket DATA/hub.sock, by which the commands of this machine reach the running hub.

File permission is the guard: the socket is made with mode 0600 from its first moment. A path may be at most
107 octets long for the kernel, so both sides name the socket through an open descriptor of its folder.
"""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mathmesh.errors import PolicyError

NAME = "hub.sock"


@contextmanager
def short_path(data: Path) -> Iterator[str]:
    """A short path of the socket in the folder `data`, valid inside the context."""
    folder = os.open(data, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)


def is_answered(data: Path) -> bool:
    """Whether a hub listens on the socket in `data`."""
    try:
        with short_path(data) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            probe.connect(path)
    except OSError:
        return False
    return True


def listen(data: Path) -> socket.socket:
    """A listening socket in `data`; one that a killed hub left is replaced.

    Raises `PolicyError` when another hub answers on it.
    """
    if is_answered(data):
        raise PolicyError(f"another hub already runs with the data folder {data}; stop it first")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with short_path(data) as path:
            _remove(path)
            before = os.umask(0o177)
            try:
                listener.bind(path)
            finally:
                os.umask(before)
        listener.listen(64)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def remove(data: Path) -> None:
    """Take the socket's name away when the hub stops."""
    with short_path(data) as path:
        _remove(path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError as failed:
        if failed.errno != errno.ENOENT:
            raise
