"""The task that takes messages to other services, for as long as it takes.

What waits lies in the engine's queue and is tried again after a restart. A service that does not answer is
tried again after pauses that double, up to an hour; after four days the sender is told. A recipient that
refuses is told to the sender at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mathmesh.errors import MeshError
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal
from mathmesh.service.outgoing import Outgoing
from meshservice.engines.files import FileEngine
from meshservice.peers import Peers

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
EXPIRES = timedelta(days=4)
AT_ONCE = 8
"""Domains that are delivered to at once."""
POST_SECONDS = 90.0
CHECK_SECONDS = 1.0
"""How often it is looked whether a pause is over."""

_LOG = logging.getLogger(__name__)
_LATER_STATUS = frozenset({wire.SERVER_ERROR, wire.UNAVAILABLE, wire.UNAUTHORIZED})
"""Answers to a whole delivery that may be others later: the last is given to a service that the other one
has not found by discovery yet.
"""


@dataclass(slots=True)
class _Pause:
    """When a domain is tried again."""

    until: datetime
    length: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    later: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    why: str = ""


class Delivery:
    """Delivers what waits in the queue of `engine`; run `run` as a task."""

    def __init__(self, engine: FileEngine, peers: Peers, *, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._peers = peers
        self._clock = clock
        self._pauses: dict[str, _Pause] = {}
        self._busy: set[str] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Deliver until cancelled."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._wake.set)

        self._engine.on_outgoing = wake
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._wake.clear()
                    for domain, waiting in await self._due():
                        self._busy.add(domain)
                        group.create_task(self._deliver(domain, waiting))
                    await self._sleep()
        finally:
            self._engine.on_outgoing = lambda: None

    async def _sleep(self) -> None:
        """Until something was queued, or a pause may be over."""
        try:
            async with asyncio.timeout(CHECK_SECONDS if self._pauses or self._busy else None):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _due(self) -> list[tuple[str, list[Outgoing]]]:
        now = self._clock()
        found: dict[str, list[Outgoing]] = {}
        for one in await asyncio.to_thread(self._engine.outgoing):
            found.setdefault(one.domain, []).append(one)
        self._pauses = {domain: pause for domain, pause in self._pauses.items() if domain in found}
        due = [
            (domain, waiting)
            for domain, waiting in found.items()
            if domain not in self._busy and (domain not in self._pauses or self._pauses[domain].until <= now)
        ]
        return due[: max(0, AT_ONCE - len(self._busy))]

    async def _deliver(self, domain: str, waiting: Iterable[Outgoing]) -> None:
        try:
            for one in waiting:
                outcome = await self._post(domain, one)
                await self._settle(one, outcome)
                if outcome.later:
                    self._pause(domain, outcome.why)
                    return
            self._pauses.pop(domain, None)
        except (MeshError, OSError) as error:
            self._pause(domain, f"the queue cannot be written: {error}")
        finally:
            self._busy.discard(domain)
            self._wake.set()

    async def _post(self, domain: str, one: Outgoing) -> _Outcome:
        request = await asyncio.to_thread(self._engine.post_request, one)
        if request is None:
            return _Outcome()
        try:
            async with asyncio.timeout(POST_SECONDS):
                answer = await self._peers.post(domain, request)
        except ServiceRefusal as refusal:
            if refusal.status in _LATER_STATUS or refusal.status_extended == wire.TIMEOUT:
                return _Outcome(later=one.to, why=str(refusal))
            return _Outcome(failed=tuple((address, str(refusal)) for address in one.to))
        except (MeshError, OSError) as error:
            return _Outcome(later=one.to, why=str(error) or type(error).__name__)
        return _outcome(one, answer)

    async def _settle(self, one: Outgoing, outcome: _Outcome) -> None:
        if outcome.later and self._clock() - one.queued >= EXPIRES:
            failed = (*outcome.failed, *((address, outcome.why) for address in outcome.later))
            outcome = _Outcome(failed=failed)
        if outcome.later != one.to:
            await asyncio.to_thread(self._engine.settle, one, later=outcome.later, failed=outcome.failed)

    def _pause(self, domain: str, why: str) -> None:
        before = self._pauses.get(domain)
        length = min(before.length * 2, LONGEST_PAUSE) if before else FIRST_PAUSE
        self._pauses[domain] = _Pause(until=self._clock() + length, length=length)
        _LOG.info("messages for %s wait %s: %s", domain, length, why)


def _outcome(one: Outgoing, answer: wire.PostResponse) -> _Outcome:
    """What the answer says of each recipient; one that it does not mention is tried again."""
    said = {entry.index_request: entry for entry in answer.entries}
    later, failed, why = [], [], ""
    for number, address in enumerate(one.to):
        entry = said.get(number)
        if entry is not None and entry.result == wire.ACCEPT:
            continue
        if entry is not None and entry.result == wire.REJECT:
            failed.append((address, entry.reason or "the service of the recipient refuses it"))
        else:
            later.append(address)
            why = (entry.reason if entry else None) or "the service does not say what became of it"
    return _Outcome(later=tuple(later), failed=tuple(failed), why=why)
