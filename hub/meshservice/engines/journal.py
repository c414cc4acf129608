"""The journal that makes several writes one, at the price of one sync: after a crash all are there, or none.

Protocol with the disk: what is to be written into the sequences is recorded here and synced, and only then
written there. The sequences themselves are synced when the journal is full, and the journal begins anew.
At start the records are written into the sequences once more, which changes nothing where they are there
already. A record that is not whole was never promised to anybody and is dropped.

    record: "MeshJrnl" epoch[8] number[8] length[8] SHA-256 of all this and the content[32] content

The epoch is random and tells the records of this run from what lies behind them; a record begins at a
multiple of 512 octets, so that no later write touches a sector with an earlier one. The file has its size
from the beginning: a sync then writes data alone. It holds no more than the sequences do.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mathmesh.codec import jsonbcd
from mathmesh.errors import EncodingError, StoreError
from mathmesh.types import Entropy
from meshclient.file_lock import lock_exclusively, sync_directory
from meshclient.open_file import write_all

OCTETS = 4 * 1024 * 1024
"""Size of the file; the sequences are synced when the records reach it."""

_MAGIC = b"MeshJrnl"
_HEAD = struct.Struct(">8s8sQQ")
_DIGEST = 32
_SECTOR = 512


class StoresInUse(StoreError):
    """Another engine serves the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Octets at an offset of a file, whose path is relative to the engine's folder; the file ends there."""

    path: str
    offset: int
    octets: bytes


class Journal:
    """The journal file of one engine, which nobody else can open meanwhile."""

    def __init__(self, path: Path, entropy: Entropy) -> None:
        """Open the file, made if it is absent; StoreError when another engine has it open."""
        self._entropy = entropy
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._end = 0
        self._number = 0
        self._last = 0
        self._epoch = b""
        try:
            _lock(self._descriptor, path)
            size = os.fstat(self._descriptor).st_size
            if size < OCTETS:
                write_all(self._descriptor, bytes(OCTETS - size), size)
                os.fsync(self._descriptor)
                sync_directory(path.parent)
        except BaseException:
            os.close(self._descriptor)
            raise

    def close(self) -> None:
        """Close the file and give up the lock."""
        os.close(self._descriptor)

    @property
    def full(self) -> bool:
        """Whether it is time to sync the sequences and to begin anew."""
        return self._end >= OCTETS

    @property
    def empty(self) -> bool:
        """Whether nothing was recorded since it began."""
        return not self._number

    def write(self, writes: Sequence[Write]) -> None:
        """Make the intention durable. After this the writes will be made, now or at the next start."""
        if not self._epoch:
            self._epoch = self._entropy(8)
        content = jsonbcd.dumps_b([{"Path": w.path, "Offset": w.offset, "Octets": w.octets} for w in writes])
        head = _HEAD.pack(_MAGIC, self._epoch, self._number, len(content))
        record = head + hashlib.sha256(head + content).digest() + content
        try:
            write_all(self._descriptor, record, self._end)
            _datasync(self._descriptor)
        except OSError:
            self._erase(self._end)
            raise
        self._last = self._end
        self._number += 1
        self._end += -(-len(record) // _SECTOR) * _SECTOR

    def cancel(self) -> None:
        """Forget the last record: its writes could not be made and were undone."""
        self._erase(self._last)
        self._end, self._number = self._last, self._number - 1

    def restart(self, *, wipe: bool = False) -> None:
        """Forget all records, once the sequences are synced; with `wipe` leave nothing of their content."""
        if wipe:
            write_all(self._descriptor, bytes(self._end), 0)
            _datasync(self._descriptor)
        else:
            self._erase(0)
        self._epoch, self._end, self._number = b"", 0, 0
        os.ftruncate(self._descriptor, OCTETS)

    def pending(self) -> Iterator[list[Write]]:
        """The records that are whole, in order."""
        epoch, number, offset = b"", 0, 0
        while True:
            head = os.pread(self._descriptor, _HEAD.size + _DIGEST, offset)
            if len(head) < _HEAD.size + _DIGEST:
                return
            magic, stated, count, length = _HEAD.unpack(head[: _HEAD.size])
            if magic != _MAGIC or count != number or stated != (epoch or stated):
                return
            size = os.fstat(self._descriptor).st_size - offset - len(head)
            content = os.pread(self._descriptor, min(length, size), offset + len(head))
            if hashlib.sha256(head[: _HEAD.size] + content).digest() != head[_HEAD.size :]:
                return
            yield _writes(content)
            epoch, number = stated, number + 1
            offset += -(-(len(head) + length) // _SECTOR) * _SECTOR
            self._end = offset

    def _erase(self, offset: int) -> None:
        try:
            write_all(self._descriptor, bytes(_SECTOR), offset)
        except OSError:
            os.ftruncate(self._descriptor, offset)
        _datasync(self._descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        lock_exclusively(descriptor, path)
    except StoreError as error:
        raise StoresInUse(str(error)) from error


def _writes(content: bytes) -> list[Write]:
    value = jsonbcd.loads(content)
    if not isinstance(value, list):
        raise EncodingError("a record of the journal is not a list")
    return [Write(path=one["Path"], offset=one["Offset"], octets=one["Octets"]) for one in value]


def _datasync(descriptor: int) -> None:
    (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(descriptor)
