"""The sequences of an engine: as many open at a time as the system allows, the others opened when needed.

What is appended is in the journal before it comes here, so that nothing here waits for the disk until
`sync`.
"""

from __future__ import annotations

import ctypes
import os
import resource
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mathmesh.dare.envelope import Envelope
from mathmesh.dare.policy import Policy
from mathmesh.dare.sequence import MERKLE
from mathmesh.dare.sequence_state import Staged
from mathmesh.dare.sequence_writer import new_sequence
from mathmesh.errors import StoreError
from mathmesh.service.effects import MASTER_FOLDER, Append
from mathmesh.stores import folder_name
from mathmesh.stores.sync import StoreStatus
from mathmesh.types import Entropy
from meshclient import side_index
from meshclient.file_lock import sync_directory
from meshclient.open_file import write_all
from meshclient.store_files import SequenceFile
from meshservice.engines.journal import Write

SUFFIX = ".dcon"
OPEN_MOST = 512
STATUSES_MOST = 65_536
"""Numbers of frames and tree digests that are remembered, some 200 octets each."""
_SINGLY = 8
"""Up to so many files are synced one by one; more of them with their whole file system, which is quicker."""

Key = tuple[str, str]
"""Folder (UDF of an account) and name of a store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An append that was made out and not made."""

    append: Append
    staged: Staged
    write: Write


class OpenStores:
    """Sequences below `folder`. Not for two threads at once: the engine holds a lock."""

    def __init__(self, folder: Path, entropy: Entropy) -> None:
        self._folder = folder
        self._entropy = entropy
        self._open: OrderedDict[Key, SequenceFile] = OrderedDict()
        self._statuses: OrderedDict[Key, StoreStatus] = OrderedDict()
        self._unsynced: set[Path] = set()
        self._limit = _open_most()
        self.recovered: list[str] = []
        """What had to be repaired as files were opened, one line each."""

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._open.popitem()[1].close()

    def path(self, folder: str, store: str) -> Path:
        """Where a sequence lies."""
        base = self._folder if folder == MASTER_FOLDER else self._folder / folder_name(folder)
        return base / (store + SUFFIX)

    def names(self, folder: str) -> Sequence[str]:
        """The names of the sequences in a folder."""
        try:
            files = os.listdir(self.path(folder, "").parent)
        except FileNotFoundError:
            return []
        return sorted(name.removesuffix(SUFFIX) for name in files if name.endswith(SUFFIX))

    def status(self, folder: str, store: str) -> StoreStatus | None:
        """Number of frames and tree digest; None when there is no such sequence."""
        key = folder, store
        known = self._statuses.get(key)
        if known is not None:
            self._statuses.move_to_end(key)
            return known
        if key not in self._open and not self.path(folder, store).exists():
            return None
        return self._note(key, self.sequence(folder, store))

    def sequence(self, folder: str, store: str) -> SequenceFile:
        """A sequence, opened if it is not open. It stays open until some others were used."""
        key = folder, store
        found = self._open.get(key)
        if found is None:
            path = self.path(folder, store)
            found = SequenceFile.open(path, entropy=self._entropy)
            if found.recovered_octets:
                self.recovered.append(f"{store}: a torn tail of {found.recovered_octets} octets was cut off")
            self._keep(key, found)
        self._open.move_to_end(key)
        return found

    def prepare(self, append: Append) -> Prepared:
        """Make out what an append writes, and change nothing.

        Raises StoreError when the sequence is not where the append thinks.
        """
        path = self.path(append.folder, append.store)
        offset, head = 0, b""
        if append.create:
            if path.exists():
                raise StoreError(f"{path.parent.name}/{path.name} exists, but is not known to the service")
            writer, first = new_sequence(MERKLE, Policy(), entropy=self._entropy)
            writer.commit(first)
            head, count = first.octets, 1
            staged = writer.stage_envelopes(append.envelopes, append.received)
        else:
            sequence = self.sequence(append.folder, append.store)
            offset, count = sequence.size, sequence.count
            staged = sequence.stage_envelopes(append.envelopes, append.received)
        if count != append.index:
            raise StoreError(f"{append.store} has {count} frames where {append.index} were expected")
        relative = path.relative_to(self._folder).as_posix()
        write = Write(path=relative, offset=offset, octets=head + staged.octets)
        return Prepared(append=append, staged=staged, write=write)

    def make(self, prepared: Prepared) -> None:
        """Make an append that is in the journal."""
        append = prepared.append
        path = self.path(append.folder, append.store)
        self._unsynced.add(path)
        if append.create:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            made = SequenceFile.create(path, container_type=MERKLE, entropy=self._entropy, sync=False)
            self._keep((append.folder, append.store), made)
        sequence = self.sequence(append.folder, append.store)
        sequence.put(prepared.staged, sync=False)
        self._note((append.folder, append.store), sequence)

    def undo(self, prepared: Prepared) -> None:
        """Cut a sequence back to what it was before an append."""
        append = prepared.append
        self._forget((append.folder, append.store))
        path = self.path(append.folder, append.store)
        side_index.discard(path)
        if append.create:
            path.unlink(missing_ok=True)
        else:
            os.truncate(path, prepared.write.offset)

    def write_again(self, write: Write) -> None:
        """Make a write that the journal recorded before a crash, whether or not it was made then."""
        path = self._folder / write.path
        path.parent.mkdir(mode=0o700, exist_ok=True)
        side_index.discard(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            write_all(descriptor, write.octets, write.offset)
            os.ftruncate(descriptor, write.offset + len(write.octets))
        finally:
            os.close(descriptor)
        self._unsynced.add(path)

    def sync(self) -> None:
        """Return when everything that was written is on the disk."""
        files = [path for path in self._unsynced if path.exists()]
        if len(files) > _SINGLY and _sync_file_system(self._folder):
            self._unsynced.clear()
            return
        for path in files:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        for folder in {path.parent for path in files}:
            sync_directory(folder)
        if files:
            sync_directory(self._folder)
        self._unsynced.clear()

    def replace(self, folder: str, store: str, envelopes: Sequence[Envelope], received: datetime) -> None:
        """Put a sequence of these envelopes alone in the place of one: all of it or, after a crash, nothing.

        The journal must be empty.
        """
        path = self.path(folder, store)
        partial = path.with_suffix(".new")
        partial.unlink(missing_ok=True)
        with SequenceFile.create(partial, container_type=MERKLE, entropy=self._entropy) as fresh:
            for envelope in envelopes:
                fresh.append_envelope(envelope, received=received, sync=False)
            fresh.sync()
        self._forget((folder, store))
        side_index.discard(path)
        side_index.discard(partial)
        partial.replace(path)
        sync_directory(path.parent)

    def discard(self, folder: str) -> Path:
        """Close everything in the folder of an account, which is returned, to be removed."""
        for key in [key for key in (*self._open, *self._statuses) if key[0] == folder]:
            self._forget(key)
        parent = self.path(folder, "").parent
        self._unsynced = {path for path in self._unsynced if path.parent != parent}
        return parent

    def _keep(self, key: Key, sequence: SequenceFile) -> None:
        self._open[key] = sequence
        while len(self._open) > self._limit:
            self._open.popitem(last=False)[1].close()

    def _note(self, key: Key, sequence: SequenceFile) -> StoreStatus:
        status = StoreStatus(count=sequence.count, apex=sequence.apex)
        self._statuses[key] = status
        self._statuses.move_to_end(key)
        while len(self._statuses) > STATUSES_MOST:
            self._statuses.popitem(last=False)
        return status

    def _forget(self, key: Key) -> None:
        self._statuses.pop(key, None)
        sequence = self._open.pop(key, None)
        if sequence is not None:
            sequence.close()


def _open_most() -> int:
    """How many files to hold open: a quarter of what the process may, the rest is for connections."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return OPEN_MOST
    return max(8, min(OPEN_MOST, allowed // 4))


def _sync_file_system(folder: Path) -> bool:
    """Sync all of the file system; false where the system has no call for that. Raises OSError."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(descriptor)
    return True
