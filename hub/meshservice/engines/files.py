"""The file engine: one folder for the service's own list of accounts, one for each account, one file per
store.

    FOLDER/Master.dcon          the accounts, encrypted to the host's key
    FOLDER/Outgoing.dcon        messages that wait for other services, encrypted to the host's key
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
from mathmesh.service.authentication import Authenticated, Authenticator
from mathmesh.service.effects import MASTER_FOLDER, MASTER_STORE, Append
from mathmesh.service.identity import ServiceIdentity
from mathmesh.service.messages import NOT_AUTHORIZED, SERVER_ERROR, UNAUTHORIZED, PostRequest, Response
from mathmesh.service.outgoing import OUTGOING_STORE, Outgoing
from mathmesh.service.posting import post_request, settle
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import ServiceState
from mathmesh.stores.sync import StoreStatus
from mathmesh.types import Entropy
from meshclient.file_lock import sync_directory
from meshservice.engines.journal import Journal
from meshservice.engines.open_stores import OpenStores

JOURNAL = "journal"

QUEUE_ENTRIES = 1024
"""The queue is written anew when it has more entries than that, most of them settled."""

_LOG = logging.getLogger(__name__)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The octets of an answer, and whether they are an envelope."""

    octets: bytes
    enveloped: bool


def _nothing() -> None:
    pass


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
        delivers: bool = False,
    ) -> None:
        """Open the folder, made if it is absent; finish or undo what a crash interrupted.

        `admission` says who may have an account that comes over the network; by default nobody may. With
        `delivers` messages for other services are taken, for a `Delivery` to take there.

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
        self.state.delivers = delivers
        self.on_outgoing: Callable[[], None] = _nothing
        """Called, in any thread, when messages for other services were stored."""
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
        asked = self.authenticate(data)
        return asked if isinstance(asked, Answer) else self.serve(asked)

    def authenticate(self, data: bytes) -> Authenticated | Answer:
        """Find out who sent a request in an envelope; the answer when that does not hold."""
        try:
            with self._gate:
                return self._authenticator.open(data, self._clock())
        except Refusal as refusal:
            return Answer(octets=refusal.response(Response).encode(), enveloped=False)
        except MeshError as error:
            octets = server.failure(UNAUTHORIZED, NOT_AUTHORIZED, f"the request's envelope: {error}")
            return Answer(octets=octets, enveloped=False)

    def serve(self, asked: Authenticated) -> Answer:
        """Serve a request of a known caller. The answer is in an envelope."""
        response = self.dispatch(asked.request, asked.caller, discreet=True)
        octets = self._authenticator.seal(response, asked, entropy=self._entropy, now=self._clock())
        return Answer(octets=octets, enveloped=True)

    # -- messages for other services --------------------------------------------------------------
    def outgoing(self) -> list[Outgoing]:
        """What waits for other services."""
        with self._lock:
            return list(self.state.outgoing.waiting.values())

    def post_request(self, waiting: Outgoing) -> PostRequest | None:
        """The request that delivers what waits; None when the account that sent it has left."""
        with self._lock:
            return post_request(waiting, self.state, self)

    def settle(
        self, waiting: Outgoing, *, later: Sequence[str] = (), failed: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Store what became of a delivery; see `mathmesh.service.posting.settle`."""
        with self._lock:
            now = self._clock()
            effects = settle(
                waiting, self.state, self, later=later, failed=failed, now=now, entropy=self._entropy
            )
            self._apply(effects)
            self._shorten_queue()

    def _shorten_queue(self) -> None:
        """Write the queue anew when most of it is settled: its file is replaced whole."""
        status = self.status(MASTER_FOLDER, OUTGOING_STORE)
        waiting = self.state.outgoing.waiting.values()
        if status is None or status.count < max(QUEUE_ENTRIES, 4 * len(waiting)):
            return
        self._begin_journal()  # what it has of the file that goes would be written into the new one
        if not self._broken:
            host = self.identity.access_encrypt.public
            entries = [entry.sealed(host, self._entropy) for entry in waiting]
            self._stores.replace(MASTER_FOLDER, OUTGOING_STORE, entries, self._clock())

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
            if effect.store == OUTGOING_STORE:
                self.on_outgoing()
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
        status = self.status(MASTER_FOLDER, OUTGOING_STORE)
        if status is not None:
            frames = self.envelopes(MASTER_FOLDER, OUTGOING_STORE, 1, status.count)
            for index, envelope in enumerate(frames, start=1):
                self.state.replay(MASTER_FOLDER, OUTGOING_STORE, index, envelope, None)
            self._shorten_queue()


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
