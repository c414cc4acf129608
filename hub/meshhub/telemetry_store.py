"""The telemetry sequence of one device, with what of it is kept in memory: which numbers are stored,
latest values.

Blocking; the telemetry service calls it in threads, one call at a time for each device.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass

from mathmesh.errors import MeshError, StoreError
from mathmesh.stores import folder_name
from meshclient.store_files import SequenceFile
from meshhub import logging
from meshhub.spans import Spans
from meshhub.telemetry_batch import Batch, Gap, Reading, content_meta, decode, encode
from meshhub.telemetry_index import TelemetryIndex

PREFIX = "MMM_Telemetry_"
TAIL_FRAMES = 64

OpenSequence = Callable[[str], SequenceFile]
"""Opens the hub-local sequence of that name, made when it is not there, sealed to the account's key for
it.
"""

log = logging.get(__name__)


def store_name(device: str) -> str:
    """Name of a device's sequence, made of the first 8 characters of its UDF, dashes left out."""
    return PREFIX + folder_name(device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """A property's latest value; `time` in ms since 1970, `order` = (boot, s)."""

    value: object
    time: int
    order: tuple[int, int]


class DeviceStore:
    """One device's telemetry on disk."""

    def __init__(self, device: str, sequence: SequenceFile, index: TelemetryIndex):
        self.device = device
        self.name = store_name(device)
        self._sequence = sequence
        self._index = index
        self._lock = threading.Lock()
        self.spans: dict[int, Spans] = {}
        self.latest: dict[tuple[str, str], Latest] = {}
        self.seen: int | None = None

    @classmethod
    def open(cls, device: str, open_sequence: OpenSequence, index: TelemetryIndex) -> DeviceStore:
        """Open or make the sequence, bring the index up to it, and read the latest values from its tail."""
        store = cls(device, open_sequence(store_name(device)), index)
        store._catch_up()
        for boot, first, last in index.spans(store.name):
            store.spans.setdefault(boot, Spans()).add(first, last)
        store._read_tail()
        store.seen = index.seen(store.name)
        if store.seen is None and store.latest:
            store.seen = max(latest.time for latest in store.latest.values())
        return store

    def append(self, batch: Batch) -> int:
        """Write a batch; it is on disk when this returns. The octets that it took. Raises StoreError and has
        no effect then.
        """
        with self._lock:
            before = self._sequence.size
            self._sequence.append(encode(batch), content_meta(), sync=True)
            octets = self._sequence.size - before
        try:
            self._catch_up()
        except sqlite3.Error as error:
            # What the index lacks it gets with the next batch, or at the next start.
            log.error("the telemetry index cannot be written", error=error)
        return octets

    def read(self, since: int, until: int) -> tuple[list[Reading], list[Gap]]:
        """Readings and gaps of that time (ms, both ends included), in the order in which they were stored."""
        readings: list[Reading] = []
        gaps: list[Gap] = []
        for frame in self._index.between(self.name, since, until):
            batch = self._batch(frame)
            readings += [reading for reading in batch.readings if since <= reading.time <= until]
            gaps += [gap for gap in batch.gaps if since <= gap.time <= until]
        return readings, sorted(gaps, key=lambda gap: gap.time)

    def note_latest(self, reading: Reading) -> bool:
        """Take a reading as the latest of its property unless a later one is known; True when taken."""
        key, order = (reading.node, reading.property), (reading.boot, reading.s)
        known = self.latest.get(key)
        if known is not None and known.order >= order:
            return False
        self.latest[key] = Latest(value=reading.value, time=reading.time, order=order)
        return True

    def account_for(self, batch: Batch) -> None:
        """Count what a batch holds as stored."""
        for boot, first, last in batch.numbers():
            self.spans.setdefault(boot, Spans()).add(first, last)

    def _batch(self, frame: int) -> Batch:
        with self._lock:
            return decode(self._sequence.plaintext(frame))

    def _catch_up(self) -> None:
        known, there = self._index.frames(self.name), max(self._sequence.count, 1)
        if known > there:
            log.warning(
                "telemetry index is ahead of its sequence; cut", store=self.name, frames=known - there
            )
            self._index.cut(self.name, there)
        if known >= there:
            return
        found = []
        for frame in range(known, there):
            try:
                found.append((frame, self._batch(frame)))
            except StoreError as error:
                log.error("a telemetry frame is passed over", store=self.name, frame=frame, error=error)
        self._index.add_many(self.name, found)

    def _read_tail(self) -> None:
        count = self._sequence.count
        for frame in range(count - 1, max(count - 1 - TAIL_FRAMES, 0), -1):
            try:
                batch = self._batch(frame)
            except MeshError as error:
                log.error("a telemetry frame cannot be read", store=self.name, frame=frame, error=error)
                continue
            for reading in batch.readings:
                self.note_latest(reading)
