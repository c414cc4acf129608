"""Small records on flash that survive a crash at any octet: two copies, generation and SHA-256.

    copy = "mh1s" || generation(4) || length(4) || payload || SHA-256 of all before

A write replaces the older copy only, so that the newer one is whole whatever happens; the copy with the
highest generation whose hash is right counts. Protocol book, "Storage of a device".
"""

import hashlib
import os

from meshdevice import runtime

_MAGIC = b"mh1s"
_HEAD = 12
_HASH = 32


class StorageError(OSError):
    """A record could not be written so that it reads back; flash is full or worn out."""


def seal(generation: int, payload: bytes) -> bytes:
    """The octets of one copy."""
    body = _MAGIC + generation.to_bytes(4, "big") + len(payload).to_bytes(4, "big") + payload
    return body + hashlib.sha256(body).digest()


def unseal(copy: bytes) -> tuple[int, bytes] | None:
    """(generation, payload) of a copy, or None when any octet of it is missing or wrong."""
    if len(copy) < _HEAD + _HASH or copy[:4] != _MAGIC:
        return None
    length = int.from_bytes(copy[8:_HEAD], "big")
    if len(copy) != _HEAD + length + _HASH:
        return None
    end = _HEAD + length
    if hashlib.sha256(copy[:end]).digest() != copy[end:]:
        return None
    return int.from_bytes(copy[4:8], "big"), copy[_HEAD:end]


class Pair:
    """One named record in a folder, kept as `<name>.0` and `<name>.1`."""

    def __init__(self, folder: str, name: str) -> None:
        base = (folder if folder.endswith("/") else folder + "/") + name
        self._paths = (base + ".0", base + ".1")
        self.damaged = False

    def read(self) -> bytes | None:
        """The newest whole payload; None when there is none or when it was wiped.

        Sets `damaged` when files are there but no copy is whole.
        """
        newest, _, present = self._newest()
        self.damaged = present and newest is None
        if newest is None or not newest[1]:
            return None
        return newest[1]

    def write(self, payload: bytes) -> None:
        """Replace the older copy by `payload` under the next generation.

        Raises StorageError when the copy does not read back; the former payload then still counts.
        """
        newest, place, _ = self._newest()
        generation = newest[0] + 1 if newest else 1
        copy = seal(generation, payload)
        path = self._paths[1 - place if newest else 0]
        try:
            with open(path, "wb") as stream:
                stream.write(copy)
                runtime.flush(stream)
        except OSError:
            raise StorageError("cannot write " + path + ": free some flash") from None
        if _load(path) != copy:
            raise StorageError("flash does not hold " + path)

    def wipe(self) -> None:
        """Overwrite both copies; from the first of the two writes on, the newest copy is the empty one."""
        newest, place, present = self._newest()
        if not present:
            return
        order = (1 - place, place) if newest else (0, 1)
        for index in order:
            _scrub(self._paths[index])
            self._write_empty(self._paths[index], newest[0] + 1 if newest else 1)

    def finish_wipe(self) -> None:
        """Complete a wipe that a crash interrupted: newest copy empty, the other one not yet."""
        newest, _, _ = self._newest()
        if newest is None or newest[1]:
            return
        for path in self._paths:
            found = unseal(_load(path))
            if found is None or found[1]:
                _scrub(path)
                self._write_empty(path, newest[0])

    def _write_empty(self, path: str, generation: int) -> None:
        with open(path, "wb") as stream:
            stream.write(seal(generation, b""))
            runtime.flush(stream)

    def _newest(self) -> tuple[tuple[int, bytes] | None, int, bool]:
        best = None
        place = 0
        present = False
        for index in (0, 1):
            copy = _load(self._paths[index])
            present = present or bool(copy)
            found = unseal(copy)
            if found is not None and (best is None or found[0] > best[0]):
                best = found
                place = index
        return best, place, present


class Counter:
    """A 32-bit number that only rises, such as the number of cold boots."""

    def __init__(self, folder: str, name: str) -> None:
        self._pair = Pair(folder, name)

    def value(self) -> int:
        """The number last stored, 0 before the first."""
        stored = self._pair.read()
        return int.from_bytes(stored, "big") if stored else 0

    def rise(self) -> int:
        """Store and return the next number; raises StorageError when it cannot be kept."""
        number = self.value() + 1
        self._pair.write(number.to_bytes(4, "big"))
        return number


def _load(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def _scrub(path: str) -> None:
    try:
        left = os.stat(path)[6]
        with open(path, "r+b") as stream:
            blank = bytes(64)
            while left > 0:
                left -= stream.write(blank[: min(64, left)])
            runtime.flush(stream)
    except OSError:
        return
