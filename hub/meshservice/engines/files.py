"""The file engine: one folder for the service's own list of accounts, one for each account, one file per
store.

    FOLDER/Master.dcon          the accounts, encrypted to the host's key
    FOLDER/journal.dare         what is being appended (see `journal`)
    FOLDER/<udf8>/MMM_*.dcon    the stores of the account whose UDF begins with those 8 characters

Every change is an `Append` that the state machine returned; the answer to a request leaves after its
appends are synced. One engine at a time may have a folder open.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from mathmesh.dare.content_meta import parse_time
from mathmesh.dare.envelope import Envelope
from mathmesh.dare.sequence import MERKLE
from mathmesh.errors import MeshError, StoreError
from mathmesh.service import server
from mathmesh.service.access import Caller
from mathmesh.service.admission import Admission
from mathmesh.service.authentication import Authenticator
from mathmesh.service.effects import MASTER_FOLDER, MASTER_STORE, Append
from mathmesh.service.identity import ServiceIdentity
from mathmesh.service.messages import NOT_AUTHORIZED, SERVER_ERROR, UNAUTHORIZED, Response
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import ServiceState
from mathmesh.stores import folder_name
from mathmesh.stores.sync import StoreStatus
from mathmesh.types import Entropy
from meshclient import side_index
from meshclient.file_lock import sync_directory
from meshclient.store_files import SequenceFile
from meshservice.engines.journal import Entry, Journal

SUFFIX = ".dcon"
JOURNAL = "journal.dare"

_LOG = logging.getLogger(__name__)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The octets of an answer, and whether they are an envelope."""

    octets: bytes
    enveloped: bool


class FileEngine:
    """Serves requests on files. `clock` tells the time in UTC; `entropy` returns random octets."""

    def __init__(
        self,
        folder: Path,
        identity: ServiceIdentity,
        *,
        entropy: Entropy,
        clock: Clock,
        admission: Admission | None = None,
    ) -> None:
        """Open the folder, made if it is absent; finish or undo what a crash interrupted.

        `admission` says who may have an account that comes over the network; by default nobody may.

        Raises StoreError when another process has it open, or when it is another service's.
        """
        self._folder = folder
        self._entropy = entropy
        self._clock = clock
        self._lock = threading.Lock()
        self._gate = threading.Lock()
        self._sequences: dict[tuple[str, str], SequenceFile] = {}
        self._broken = False
        self.identity = identity
        self.state = ServiceState(identity)
        self.state.admission = admission or Admission()
        self._authenticator = Authenticator(self.state, clock())
        self.recovered: list[str] = []
        """What start had to repair, one line each."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(folder.parent)
        self._journal = Journal(folder / JOURNAL, identity.access_encrypt, entropy)
        try:
            self._recover()
            self._load()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all files. The engine cannot be used afterwards."""
        with self._lock:
            for sequence in self._sequences.values():
                sequence.close()
            self._sequences.clear()
            self._journal.close()

    def dispatch(
        self, data: bytes, caller: Caller | None, *, public_only: bool = False, discreet: bool = False
    ) -> bytes:
        """Serve one request: the answer, after everything that it promises is on the disk.

        Never raises for what the caller sent. A disk that refuses (full, defective) is answered with
        status 500, with nothing of the request kept; why is told unless the caller is from elsewhere
        (`public_only` or `discreet`).
        """
        with self._lock:
            if self._broken:
                return server.failure(SERVER_ERROR, None, "the service's disk failed; see to it and restart")
            outcome = server.handle(
                data,
                state=self.state,
                reader=self,
                caller=caller,
                now=self._clock(),
                entropy=self._entropy,
                public_only=public_only,
            )
            try:
                self._apply(outcome.effects)
            except (OSError, MeshError) as error:
                _LOG.warning("a request could not be stored: %s", error)
                detail = "" if public_only or discreet else f": {error}"
                return server.failure(SERVER_ERROR, None, f"the service could not store this{detail}")
            return outcome.response

    def dispatch_enveloped(self, data: bytes) -> Answer:
        """Serve one request in an envelope, by whoever it proves to be from.

        The answer is in an envelope too, unless it says that the request's own did not hold.
        """
        try:
            with self._gate:
                asked = self._authenticator.open(data, self._clock())
        except Refusal as refusal:
            return Answer(octets=refusal.response(Response).encode(), enveloped=False)
        except MeshError as error:
            octets = server.failure(UNAUTHORIZED, NOT_AUTHORIZED, f"the request's envelope: {error}")
            return Answer(octets=octets, enveloped=False)
        response = self.dispatch(asked.request, asked.caller, discreet=True)
        octets = self._authenticator.seal(response, asked, entropy=self._entropy, now=self._clock())
        return Answer(octets=octets, enveloped=True)

    # -- reading (StoreReader) --------------------------------------------------------------------
    def stores(self, folder: str) -> Sequence[str]:
        """The names of the sequences in a folder."""
        return sorted(store for owner, store in self._sequences if owner == folder)

    def status(self, folder: str, store: str) -> StoreStatus | None:
        """Number of frames and tree digest; None when there is no such sequence."""
        sequence = self._sequences.get((folder, store))
        return None if sequence is None else StoreStatus(count=sequence.count, apex=sequence.apex)

    def envelopes(self, folder: str, store: str, start: int, stop: int) -> Iterable[Envelope]:
        """Frames `start` up to but not including `stop` as envelopes."""
        sequence = self._sequences[folder, store]
        for index in range(start, min(stop, sequence.count)):
            yield sequence.envelope(index)

    # -- writing ----------------------------------------------------------------------------------
    def _apply(self, effects: Sequence[Append]) -> None:
        if not effects:
            return
        entries = [Entry(append=effect, octets=self._octets(effect)) for effect in effects]
        self._journal.write(entries)
        try:
            for entry in entries:
                self._append(entry.append)
        except BaseException:
            self._broken = True
            self._undo(entries)
            self._broken = False
            raise
        self._journal.clear()
        for effect in effects:
            for number, envelope in enumerate(effect.envelopes):
                self.state.replay(
                    effect.folder, effect.store, effect.index + number, envelope, effect.received
                )
        self._discard_unbound()

    def _octets(self, effect: Append) -> int:
        path = self._path(effect.folder, effect.store)
        present = path.stat().st_size if path.exists() else 0
        if effect.create and present:
            raise StoreError(f"{path.parent.name}/{path.name} exists, but is not known to the service")
        return present

    def _append(self, effect: Append) -> None:
        key = effect.folder, effect.store
        if effect.create:
            self._sequences[key] = self._create(effect.folder, effect.store)
        sequence = self._sequences[key]
        if sequence.count != effect.index:
            raise StoreError(f"{effect.store} has {sequence.count} frames where {effect.index} were expected")
        for envelope in effect.envelopes:
            sequence.append_envelope(envelope, received=effect.received, sync=False)
        sequence.sync()

    def _create(self, folder: str, store: str) -> SequenceFile:
        path = self._path(folder, store)
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700)
            sync_directory(self._folder)
        return SequenceFile.create(path, container_type=MERKLE, entropy=self._entropy)

    def _undo(self, entries: Sequence[Entry]) -> None:
        """Cut every sequence back to what it was, and forget the journal."""
        for entry in reversed(entries):
            self._cut(entry)
        self._journal.clear()

    def _cut(self, entry: Entry) -> None:
        key = entry.append.folder, entry.append.store
        sequence = self._sequences.pop(key, None)
        if sequence is not None:
            sequence.close()
        path = self._path(*key)
        side_index.discard(path)
        if entry.octets:
            os.truncate(path, entry.octets)
            self._sequences[key] = SequenceFile.open(path, entropy=self._entropy)
        else:
            path.unlink(missing_ok=True)

    def _discard_unbound(self) -> None:
        """Remove the files of accounts that have left."""
        for udf in sorted(self.state.unbound):
            for key in [key for key in self._sequences if key[0] == udf]:
                self._sequences.pop(key).close()
            path = self._folder / folder_name(udf)
            if path.exists():
                shutil.rmtree(path)
                sync_directory(self._folder)
        self.state.unbound.clear()

    def _path(self, folder: str, store: str) -> Path:
        base = self._folder if folder == MASTER_FOLDER else self._folder / folder_name(folder)
        return base / (store + SUFFIX)

    # -- start ------------------------------------------------------------------------------------
    def _recover(self) -> None:
        pending = self._journal.pending()
        for entry in pending:
            self._cut(entry)
        for entry in pending:
            self._append(entry.append)
        if pending:
            self.recovered.append(f"an interrupted transaction on {len(pending)} stores was carried out")
        self._journal.clear()

    def _load(self) -> None:
        master = self._path(MASTER_FOLDER, MASTER_STORE)
        if not master.exists():
            return
        self._open(MASTER_FOLDER, MASTER_STORE)
        self._replay(MASTER_FOLDER, MASTER_STORE)
        self._discard_unbound()
        for account in list(self.state.accounts()):
            for path in sorted((self._folder / folder_name(account.udf)).glob("*" + SUFFIX)):
                self._open(account.udf, path.stem)
                self._replay(account.udf, path.stem)

    def _open(self, folder: str, store: str) -> None:
        if (folder, store) in self._sequences:
            return
        sequence = SequenceFile.open(self._path(folder, store), entropy=self._entropy)
        self._sequences[folder, store] = sequence
        if sequence.recovered_octets:
            self.recovered.append(f"{store}: a torn tail of {sequence.recovered_octets} octets was cut off")

    def _replay(self, folder: str, store: str) -> None:
        count = self._sequences[folder, store].count
        for index, envelope in enumerate(self.envelopes(folder, store, 1, count), start=1):
            stated = envelope.header.get("Received")
            self.state.replay(folder, store, index, envelope, parse_time(stated) if stated else None)
