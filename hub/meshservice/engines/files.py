"""The file engine: one folder for the service's own list of accounts, one for each account, one file per
store.

    FOLDER/Master.dcon          the accounts, encrypted to the host's key
    FOLDER/journal              what was appended lately (see `journal`)
    FOLDER/<udf8>/MMM_*.dcon    the stores of the account whose UDF begins with those 8 characters

Every change is an `Append` that the state machine returned; the answer to a request leaves after its
appends are in the journal and synced. One engine at a time may have a folder open.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from mathmesh.dare.content_meta import parse_time
from mathmesh.dare.envelope import Envelope
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
from mathmesh.stores.sync import StoreStatus
from mathmesh.types import Entropy
from meshclient.file_lock import sync_directory
from meshservice.engines.journal import Journal
from meshservice.engines.open_stores import OpenStores

JOURNAL = "journal"

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
        self._broken = False
        self.identity = identity
        self.state = ServiceState(identity, self)
        self.state.admission = admission or Admission()
        self._authenticator = Authenticator(self.state, clock())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(folder.parent)
        self._stores = OpenStores(folder, entropy)
        self._journal = Journal(folder / JOURNAL, entropy)
        try:
            self._recover()
            self._load()
        except BaseException:
            self._broken = True
            self.close()
            raise

    @property
    def recovered(self) -> Sequence[str]:
        """What had to be repaired, one line each."""
        return self._stores.recovered

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all files, with everything in its place. The engine cannot be used afterwards."""
        with self._lock:
            try:
                if not self._broken and not self._journal.empty:
                    self._stores.sync()
                    self._journal.restart()
            finally:
                self._broken = True
                self._stores.close()
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
        return self._stores.names(folder)

    def status(self, folder: str, store: str) -> StoreStatus | None:
        """Number of frames and tree digest; None when there is no such sequence."""
        return self._stores.status(folder, store)

    def envelopes(self, folder: str, store: str, start: int, stop: int) -> Iterable[Envelope]:
        """Frames `start` up to but not including `stop` as envelopes."""
        sequence = self._stores.sequence(folder, store)
        for index in range(start, min(stop, sequence.count)):
            yield sequence.envelope(index)

    # -- writing ----------------------------------------------------------------------------------
    def _apply(self, effects: Sequence[Append]) -> None:
        if not effects:
            return
        prepared = [self._stores.prepare(effect) for effect in _joined(effects)]
        self._broken = True  # until all is well again: an exception of any kind may come from here on
        try:
            self._journal.write([one.write for one in prepared])
        except OSError:
            self._broken = False
            raise
        try:
            for one in prepared:
                self._stores.make(one)
        except (OSError, MeshError):
            for one in prepared:
                self._stores.undo(one)
            self._journal.cancel()
            self._broken = False
            raise
        self._broken = False
        for effect in effects:
            for number, envelope in enumerate(effect.envelopes):
                self.state.replay(
                    effect.folder, effect.store, effect.index + number, envelope, effect.received
                )
        self._discard_unbound()
        if self._journal.full:
            self._begin_journal()

    def _begin_journal(self, *, wipe: bool = False) -> None:
        """Put everything in its place. A disk that refuses here has what was promised in the journal."""
        try:
            self._stores.sync()
            self._journal.restart(wipe=wipe)
        except OSError:
            _LOG.exception("the stores could not be synced; nothing is taken in until a restart")
            self._broken = True

    def _discard_unbound(self) -> None:
        """Remove the files of accounts that have left, and what the journal has of them."""
        if not self.state.unbound:
            return
        for udf in sorted(self.state.unbound):
            path = self._stores.discard(udf)
            if path.exists():
                shutil.rmtree(path)
        sync_directory(self._folder)
        self.state.unbound.clear()
        self._begin_journal(wipe=True)

    # -- start ------------------------------------------------------------------------------------
    def _recover(self) -> None:
        count = 0
        for writes in self._journal.pending():
            count += 1
            for write in writes:
                self._stores.write_again(write)
        if count:
            self._stores.recovered.append(f"{count} transactions were taken from the journal")
            self._stores.sync()
            self._journal.restart()

    def _load(self) -> None:
        status = self.status(MASTER_FOLDER, MASTER_STORE)
        if status is None:
            return
        frames = self.envelopes(MASTER_FOLDER, MASTER_STORE, 1, status.count)
        for index, envelope in enumerate(frames, start=1):
            stated = envelope.header.get("Received")
            received = parse_time(stated) if stated else None
            self.state.replay(MASTER_FOLDER, MASTER_STORE, index, envelope, received)
        self._discard_unbound()
        self.state.find_claims()


def _joined(effects: Sequence[Append]) -> list[Append]:
    """The appends, those to one sequence in one."""
    joined: dict[tuple[str, str], Append] = {}
    for effect in effects:
        key = effect.folder, effect.store
        before = joined.get(key)
        if before is not None:
            if effect.create or effect.index != before.index + len(before.envelopes):
                raise StoreError(f"the appends to {effect.store} do not follow one upon the other")
            effect = replace(before, envelopes=(*before.envelopes, *effect.envelopes))
        joined[key] = effect
    return list(joined.values())
