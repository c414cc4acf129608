"""What came in from one device and is not on disk yet."""

from __future__ import annotations

import asyncio

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
        self.spans: dict[int, Spans] = {}
        self.due: float | None = None
        self.writing = asyncio.Lock()
        self.in_flight = Batch()
        self.failed = False
        self.owed: set[int] = set()

    def lacks(self, boot: int, first: int, last: int) -> list[tuple[int, int]]:
        """The parts of first..last of a boot that neither are on disk nor wait to be written."""
        stored = self.store.spans.get(boot) or Spans()
        waiting = self.spans.get(boot) or Spans()
        return [part for gap in stored.missing(first, last) for part in waiting.missing(*gap)]

    def take(self) -> Batch:
        """All that waits, as one batch."""
        batch = Batch(readings=tuple(self.readings), gaps=tuple(self.gaps))
        self.readings, self.gaps, self.due = [], [], None
        return batch

    def put_back(self, batch: Batch) -> None:
        """Undo `take`."""
        self.readings[:0] = batch.readings
        self.gaps[:0] = batch.gaps
