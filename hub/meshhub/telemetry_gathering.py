"""What came in from one device and is not on disk yet."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from meshhub.quota import Quota
from meshhub.spans import Spans
from meshhub.telemetry_batch import Batch, Gap, Reading
from meshhub.telemetry_store import DeviceStore


class Gathering:
    """What of one device is not on disk yet."""

    def __init__(self, store: DeviceStore, quota: Quota):
        self.store = store
        self.quota = quota
        self.readings: list[Reading] = []
        self.gaps: list[Gap] = []
        self.repeats: list[Gap] = []
        self.spans: dict[int, Spans] = {}
        self.due: float | None = None
        self.writing = asyncio.Lock()
        self.in_flight = Batch()
        self.failed = False
        self.owed: set[int] = set()
        self._session = (-1, -1)
        self._told: set[tuple[str, str]] = set()

    def lacks(self, boot: int, first: int, last: int) -> list[tuple[int, int]]:
        """The parts of first..last of a boot that neither are on disk nor wait to be written."""
        stored = self.store.spans.get(boot) or Spans()
        waiting = self.spans.get(boot) or Spans()
        return [part for gap in stored.missing(first, last) for part in waiting.missing(*gap)]

    def take(self) -> Batch:
        """All that waits, as one batch."""
        batch = Batch(readings=tuple(self.readings), gaps=tuple(self.gaps), repeats=tuple(self.repeats))
        self.readings, self.gaps, self.repeats, self.due = [], [], [], None
        return batch

    def put_back(self, batch: Batch) -> None:
        """Undo `take`."""
        self.readings[:0] = batch.readings
        self.gaps[:0] = batch.gaps
        self.repeats[:0] = batch.repeats

    def tells_again(self, reading: Reading, session: int) -> bool:
        """Whether a reading tells what is known already, as a device does once for each property when a
        session begins; `session` is the age of the boot (ms) at which it began.
        """
        if self._session != (reading.boot, session):
            self._session, self._told = (reading.boot, session), set()
        key = (reading.node, reading.property)
        known = self.store.latest.get(key)
        first = key not in self._told
        self._told.add(key)
        return first and known is not None and _same(known.value, reading.value)

    def add_repeat(self, reading: Reading) -> None:
        """Account for a reading without its value."""
        last = self.repeats[-1] if self.repeats else None
        if last is not None and (last.boot, last.last + 1) == (reading.boot, reading.s):
            self.repeats[-1] = replace(last, last=reading.s)
        else:
            self.repeats.append(Gap(time=reading.time, boot=reading.boot, first=reading.s, last=reading.s))


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other
