"""Readings of all devices: gathered in batches, sealed and synced, and only then receipted to the device.

A batch is written 10 s after its first reading, with 64 readings, at once for an event (a button), and
when the hub stops. Entries that are there already are receipted again and not stored again; entries that
are lost are recorded. What is over a device's limit, or comes while the disk is nearly full, is shown and
not taken: it has no receipt, so the device keeps it and sends it again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mathmesh.errors import StoreError
from meshhub import logging
from meshhub.events import Alarm, EventBus, TelemetryGap, ValueChanged
from meshhub.spans import Spans
from meshhub.tasks import unbroken
from meshhub.telemetry_batch import Batch, Gap, Reading, in_order
from meshhub.telemetry_gathering import Gathering
from meshhub.telemetry_index import TelemetryIndex
from meshhub.telemetry_intake import Intake
from meshhub.telemetry_store import DeviceStore, Latest, OpenSequence, store_name

RETRY_SECONDS = 10.0
MOST_PENDING = 20_000
FOREVER = 1 << 62

Receipt = Callable[[str, int, int], Awaitable[None]]
IsEvent = Callable[[str, str, str], bool]

log = logging.get(__name__)


class Telemetry:
    """Store of readings. `receipt` tells a device what is on disk, `is_event` says which properties are
    events.
    """

    def __init__(
        self,
        *,
        index: Path,
        open_sequence: OpenSequence,
        events: EventBus,
        receipt: Receipt,
        is_event: IsEvent,
        clock: Callable[[], int],
        batch_seconds: float,
        batch_readings: int,
        intake: Intake,
    ):
        self._index = TelemetryIndex(index)
        self._open_sequence = open_sequence
        self._events = events
        self._receipt = receipt
        self._is_event = is_event
        self._clock = clock
        self._batch_seconds = batch_seconds
        self._batch_readings = batch_readings
        self._intake = intake
        self._devices: dict[str, Gathering] = {}
        self._sooner = asyncio.Event()

    async def open(self, device: str) -> None:
        """Be ready for a device: its sequence is opened or made, its latest values are read."""
        if device not in self._devices:
            store = await asyncio.to_thread(DeviceStore.open, device, self._open_sequence, self._index)
            self._devices[device] = Gathering(store, self._intake.quota())

    async def release(self, device: str) -> None:
        """Write what waits of a device and serve it no longer; what was stored stays."""
        gathering = self._devices.get(device)
        if gathering:
            await self._flush(gathering)
            del self._devices[device]

    def latest(self, device: str) -> Mapping[tuple[str, str], Latest]:
        """(node, property) → latest value of a device."""
        gathering = self._devices.get(device)
        return dict(gathering.store.latest) if gathering else {}

    def over_limit(self, device: str) -> int:
        """Readings of a device that its limit keeps out at present; 0 an hour after the last one."""
        gathering = self._devices.get(device)
        return gathering.quota.over if gathering else 0

    def heard(self, device: str) -> int | None:
        """When a device was heard last (ms) before the hub was started; None when that is not known."""
        gathering = self._devices.get(device)
        seen = gathering.store.seen if gathering else None
        return None if seen is None else min(seen, self._clock())

    async def note_heard(self, times: Mapping[str, int]) -> None:
        """Note when devices were heard (ms), for the next start; that it may fail harms nothing."""
        known = [(store_name(device), time) for device, time in times.items() if device in self._devices]
        try:
            await asyncio.to_thread(self._index.note_seen, known)
        except sqlite3.Error as error:
            log.error("it cannot be noted when devices were heard", error=error)

    async def history(self, device: Any, since: datetime, until: datetime | None = None) -> Sequence[Reading]:
        """Readings of a device (its UDF or record) from `since` to `until`, oldest first, those not yet
        on disk too.
        """
        readings, _ = await self._read(device, since, until)
        return readings

    async def gaps(self, device: Any, since: datetime, until: datetime | None = None) -> Sequence[Gap]:
        """Entries known to be lost, by the time at which the hub learnt it."""
        _, gaps = await self._read(device, since, until)
        return gaps

    async def receive(self, device: str, message: Mapping[str, Any]) -> None:
        """Take in a `tel` of a device, with `t0` as hub time of that boot's start (ms) or None, and `up`
        as the age of the boot (ms) at which the present session began, None for another boot.
        """
        gathering = self._devices.get(device)
        if gathering is None:
            return
        boot, first = message["b"], message["s"]
        rows = message["r"]
        last = first + len(rows) - 1
        wanted = gathering.lacks(boot, first, last)
        if len(gathering.readings) + len(rows) > MOST_PENDING:
            return
        if not wanted:
            # Not from here: the device's link is busy with this very message.
            gathering.owed.add(boot)
            self._due(gathering, 0)
            return
        origin = self._origin(message, rows)
        new = [
            Reading(time=origin + dt, node=node, property=prop, value=value, boot=boot, s=s)
            for s, (dt, node, prop, value) in enumerate(rows, first)
            if any(low <= s <= high for low, high in wanted)
        ]
        if self._intake.takes(gathering, boot, first, last, len(new)):
            self._gather(gathering, new, self._repeats(gathering, new, message))
        self._tell(gathering, new)

    async def lost(self, device: str, boot: int, first: int, last: int) -> None:
        """Entries first..last of a boot are gone at the device: record those that are not here."""
        gathering = self._devices.get(device)
        if gathering is None:
            return
        for low, high in gathering.lacks(boot, first, last):
            if len(gathering.gaps) >= MOST_PENDING or not self._intake.takes_loss(gathering):
                log.warning("a loss is not noted yet: the device has told too many", device=device)
                return  # the device tells it again in its next session
            now = self._clock()
            gathering.gaps.append(Gap(time=now, boot=boot, first=low, last=high))
            gathering.spans.setdefault(boot, Spans()).add(low, high)
            self._events.publish(TelemetryGap(time=now, device=device, boot=boot, first=low, last=high))
            self._due(gathering, self._batch_seconds)

    async def ring(self, device: str, ring: Iterable[object]) -> None:
        """What a device says it still holds, [boot, low, high, t0] for each boot: what is below `low` is
        lost.
        """
        for item in ring:
            if not isinstance(item, list) or len(item) < 3:
                continue
            boot, low = item[0], item[1]
            if all(isinstance(number, int) and number >= 0 for number in (boot, low)) and low > 1:
                await self.lost(device, boot, 1, low - 1)

    async def run(self) -> None:
        """Write batches when they are due, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._sooner.clear()
            due = [
                item for item in self._devices.values() if item.due is not None and item.due <= loop.time()
            ]
            await asyncio.gather(*(self._flush(item) for item in due))
            waits = [item.due - loop.time() for item in self._devices.values() if item.due is not None]
            try:
                async with asyncio.timeout(max(min(waits), 0.001) if waits else None):
                    await self._sooner.wait()
            except TimeoutError:
                continue

    async def flush(self) -> None:
        """Write everything that waits, now."""
        await asyncio.gather(*(self._flush(item) for item in list(self._devices.values())))

    async def close(self) -> None:
        """Write everything and close the index; the sequences are the account's."""
        await self.flush()
        self._devices.clear()
        self._index.close()

    def _origin(self, message: Mapping[str, Any], rows: Sequence[Sequence[Any]]) -> int:
        if isinstance(message.get("t0"), int):
            return int(message["t0"])
        # The device never learnt the time in that boot: its newest entry is taken as of now.
        return self._clock() - max(int(row[0]) for row in rows)

    def _repeats(self, gathering: Gathering, new: Sequence[Reading], message: Mapping[str, Any]) -> set[int]:
        """Numbers of those readings whose value is not worth keeping: see `Gathering.tells_again`."""
        up = message.get("up")
        if not isinstance(up, int):
            return set()
        ages = {message["s"] + number: row[0] for number, row in enumerate(message["r"])}
        device = gathering.store.device
        return {
            reading.s
            for reading in new
            if ages[reading.s] >= up
            and not self._is_event(device, reading.node, reading.property)
            and gathering.tells_again(reading, up)
        }

    def _gather(self, gathering: Gathering, new: Sequence[Reading], repeats: set[int]) -> None:
        for reading in new:
            gathering.spans.setdefault(reading.boot, Spans()).add(reading.s, reading.s)
            if reading.s in repeats:
                gathering.add_repeat(reading)
            else:
                gathering.readings.append(reading)
        device = gathering.store.device
        urgent = any(self._is_event(device, reading.node, reading.property) for reading in new)
        full = len(gathering.readings) >= self._batch_readings
        if not gathering.failed or urgent:
            self._due(gathering, 0 if urgent or full else self._batch_seconds)

    def _due(self, gathering: Gathering, seconds: float) -> None:
        due = asyncio.get_running_loop().time() + seconds
        if gathering.due is None or due < gathering.due:
            gathering.due = due
            self._sooner.set()

    def _tell(self, gathering: Gathering, new: Sequence[Reading]) -> None:
        for reading in new:
            if gathering.store.note_latest(reading):
                self._events.publish(
                    ValueChanged(
                        time=reading.time,
                        device=gathering.store.device,
                        node=reading.node,
                        property=reading.property,
                        value=reading.value,
                    )
                )

    async def _flush(self, gathering: Gathering) -> None:
        """Write what waits of a device and receipt it; a write under way is finished even when cancelled."""
        for boot in await unbroken(self._write(gathering)):
            await self._receipt_upto(gathering, boot)

    async def _write(self, gathering: Gathering) -> set[int]:
        """Write what waits; the boots to send receipts for."""
        async with gathering.writing:
            batch = gathering.in_flight = gathering.take()
            boots, gathering.owed = gathering.owed, set()
            boots |= {boot for boot, _, _ in batch.numbers()}
            try:
                if batch:
                    gathering.quota.stored(await asyncio.to_thread(gathering.store.append, batch))
            except Exception as error:
                gathering.owed |= boots
                self._write_failed(gathering, batch, error)
                if isinstance(error, StoreError | OSError):
                    return set()
                raise
            finally:
                gathering.in_flight = Batch()
            gathering.failed = False
            gathering.store.account_for(batch)
            return boots

    def _write_failed(self, gathering: Gathering, batch: Batch, error: Exception) -> None:
        gathering.put_back(batch)
        self._due(gathering, RETRY_SECONDS)
        log.error("telemetry cannot be written", device=gathering.store.device, error=error)
        if not gathering.failed:
            gathering.failed = True
            text = "Readings cannot be written to disk; devices keep them until there is space again."
            self._events.publish(
                Alarm(time=self._clock(), kind="storage", text=text, device=gathering.store.device)
            )

    async def _receipt_upto(self, gathering: Gathering, boot: int) -> None:
        stored = gathering.store.spans.get(boot)
        if stored is not None and stored.contiguous:
            await self._receipt(gathering.store.device, boot, stored.contiguous)

    async def _read(
        self, device: Any, since: datetime, until: datetime | None
    ) -> tuple[list[Reading], list[Gap]]:
        gathering = self._devices.get(device if isinstance(device, str) else device.udf)
        if gathering is None:
            return [], []
        first = int(since.timestamp() * 1000)
        last = int(until.timestamp() * 1000) if until else FOREVER
        waiting = (*gathering.in_flight.readings, *gathering.readings)
        lost = (*gathering.in_flight.gaps, *gathering.gaps)
        stored, gaps = await asyncio.to_thread(gathering.store.read, first, last)
        # A batch that is just being written may be seen in both places.
        found = {(reading.boot, reading.s): reading for reading in (*waiting, *stored)}
        readings = [reading for reading in found.values() if first <= reading.time <= last]
        gaps += [gap for gap in lost if first <= gap.time <= last and gap not in gaps]
        return in_order(readings), gaps
