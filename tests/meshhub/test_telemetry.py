import asyncio
import os
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mathmesh.errors import StoreError
from meshclient.store_files import SequenceFile
from meshhub.disk import DiskReserve
from meshhub.events import Alarm, EventBus, TelemetryGap, ValueChanged
from meshhub.quota import Limits
from meshhub.telemetry import Telemetry
from meshhub.telemetry_intake import Intake
from meshhub.telemetry_store import store_name

from .stores import SequenceFolder

DEVICE = "MAKA-ZJVW-RQHG-L36U-JVQX-JVCB-IEZY"
T0 = 1_800_000_000_000
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class World:
    """Telemetry on a folder, with the receipts and events that come out of it."""

    def __init__(
        self, folder: Path, *, seconds: float = 60, readings: int = 64, limits: Limits | None = None
    ):
        self.sequences = SequenceFolder(folder / "stores")
        self.receipts: list[tuple[int, int]] = []
        self.synced_at_receipt: list[int] = []
        self.events = EventBus()
        self.now = T0 + 1_000_000
        self.seconds = 0.0
        self.free = 10**12
        reserve = DiskReserve(folder, 10**9, look=lambda _: (self.free, 10**12), clock=lambda: self.seconds)
        self.telemetry = Telemetry(
            index=folder / "index.sqlite",
            open_sequence=self.sequences,
            events=self.events,
            receipt=self.receipt,
            is_event=lambda _device, node, _prop: node == "button",
            clock=lambda: self.now,
            batch_seconds=seconds,
            batch_readings=readings,
            intake=Intake(
                self.events,
                reserve,
                limits or Limits(),
                clock=lambda: self.now,
                seconds=lambda: self.seconds,
            ),
        )

    async def receipt(self, device: str, boot: int, s: int) -> None:
        assert device == DEVICE
        self.receipts.append((boot, s))
        self.synced_at_receipt.append(self.sequences(store_name(DEVICE)).count)

    async def tel(self, s: int, *values: object, boot: int = 1, node: str = "air", **given: Any) -> None:
        rows = [[1000 * (s + n), node, "temperature", value] for n, value in enumerate(values)]
        await self.telemetry.receive(DEVICE, {"b": boot, "s": s, "r": rows, "t0": T0} | given)

    async def values(self) -> list[object]:
        return [reading.value for reading in await self.telemetry.history(DEVICE, EPOCH)]


@asynccontextmanager
async def world(folder: Path, **given: Any) -> AsyncIterator[World]:
    made = World(folder, **given)
    await made.telemetry.open(DEVICE)
    task = asyncio.create_task(made.telemetry.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await made.telemetry.close()
        made.sequences.close()


async def until(condition: Any, seconds: float = 3) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any condition may be waited for
            await asyncio.sleep(0.005)


async def test_a_receipt_comes_only_when_the_batch_is_on_disk(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.tel(1, 20.1, 20.2, 20.3)
        assert w.receipts == []
        assert w.sequences(store_name(DEVICE)).count == 1
        await w.telemetry.flush()
        assert w.receipts == [(1, 3)]
        assert w.synced_at_receipt == [2]


async def test_a_sync_that_fails_gives_no_receipt_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path) as w:
        with w.events.subscribe() as events:
            await w.tel(1, 20.1)

            def full(*_args: object, **_kwargs: object) -> int:
                raise StoreError("no space left on device")

            with monkeypatch.context() as patch:
                patch.setattr(SequenceFile, "append", full)
                await w.telemetry.flush()
                await w.telemetry.flush()
            seen = []
            while not seen or not isinstance(seen[-1], Alarm):
                seen.append(await events.next())
        assert w.receipts == []
        assert await w.values() == [20.1]
        await w.telemetry.flush()
        assert w.receipts == [(1, 1)]
        assert await w.values() == [20.1]


async def test_a_disk_that_is_full_is_survived(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = w.sequences.path(store_name(DEVICE)).stat().st_size
        import signal

        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
            await w.tel(1, 1, 2, 3)
            await w.telemetry.flush()
            assert w.receipts == []
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        await w.telemetry.flush()
        assert w.receipts == [(1, 3)]
        assert await w.values() == [1, 2, 3]


async def test_batches_by_number_by_time_and_at_once_for_events(tmp_path: Path) -> None:
    async with world(tmp_path, seconds=0.2, readings=4) as w:
        await w.tel(1, 1, 2, 3, 4)
        await until(lambda: w.receipts == [(1, 4)], 0.15)
        await w.tel(5, 5)
        await asyncio.sleep(0.05)
        assert w.receipts == [(1, 4)]
        await until(lambda: w.receipts == [(1, 4), (1, 5)])
        await w.tel(6, "single", node="button")
        await until(lambda: w.receipts[-1] == (1, 6), 0.15)
        assert w.sequences(store_name(DEVICE)).count == 4


async def test_what_came_twice_is_stored_once_and_receipted_twice(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.tel(1, 1, 2)
        await w.tel(1, 1, 2, 3)
        await w.telemetry.flush()
        await w.tel(2, 2, 3)
        assert w.receipts == [(1, 3)]  # the message is still being taken: the link cannot send yet
        await until(lambda: w.receipts == [(1, 3), (1, 3)])
        assert await w.values() == [1, 2, 3]
        assert w.sequences(store_name(DEVICE)).count == 2
    async with world(tmp_path) as w:
        await w.tel(1, 1, 2, 3)
        await until(lambda: w.receipts == [(1, 3)])
        assert await w.values() == [1, 2, 3]


async def test_a_receipt_never_covers_what_is_missing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.tel(4, 4, 5)
        await w.telemetry.flush()
        assert w.receipts == []
        await w.tel(1, 1, 2)
        await w.telemetry.flush()
        assert w.receipts == [(1, 2)]
        with w.events.subscribe() as events:
            await w.telemetry.lost(DEVICE, 1, 2, 3)
            event = await events.next()
        assert isinstance(event, TelemetryGap)
        assert (event.boot, event.first, event.last) == (1, 3, 3)
        await w.telemetry.flush()
        assert w.receipts == [(1, 2), (1, 5)]
        assert await w.values() == [1, 2, 4, 5]


async def test_gaps_are_remembered(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.telemetry.ring(DEVICE, [[3, 11, 20, T0], [4, 1, 2, None], "odd", [1], [None, 5, 6, 7]])
        await w.tel(11, 1, boot=3)
    async with world(tmp_path) as w:
        [gap] = await w.telemetry.gaps(DEVICE, EPOCH)
        assert (gap.boot, gap.first, gap.last) == (3, 1, 10)
        await w.telemetry.ring(DEVICE, [[3, 11, 20, T0]])
        assert len(await w.telemetry.gaps(DEVICE, EPOCH)) == 1


async def test_boots_are_numbered_apart(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.tel(1, 1, 2, boot=1)
        await w.tel(1, 3, boot=2)
        await w.telemetry.flush()
        assert sorted(w.receipts) == [(1, 2), (2, 1)]
        assert sorted(await w.values()) == [1, 2, 3]


async def test_history_has_hub_time_and_both_ends(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.tel(1, *range(1, 11))
        await w.telemetry.flush()
        await w.tel(11, *range(11, 21))
        start = datetime.fromtimestamp((T0 + 5000) / 1000, UTC)
        readings = await w.telemetry.history(DEVICE, start, start + timedelta(seconds=10))
        assert [reading.value for reading in readings] == list(range(5, 16))
        assert [reading.time for reading in readings] == [T0 + 1000 * n for n in range(5, 16)]


async def test_a_device_without_time_gets_the_time_of_arrival(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.tel(1, 1, 2, 3, t0=None)
        readings = await w.telemetry.history(DEVICE, EPOCH)
        assert [reading.time for reading in readings] == [w.now - 2000, w.now - 1000, w.now]


async def test_latest_values_come_back_after_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        with w.events.subscribe() as events:
            await w.tel(5, 25, boot=2)
            await w.tel(1, 1, 2, boot=1)
            event = await events.next()
            assert isinstance(event, ValueChanged)
            assert (event.value, event.time) == (25, T0 + 5000)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(events.next(), 0.05)
        assert w.telemetry.latest(DEVICE)["air", "temperature"].value == 25
    async with world(tmp_path) as w:
        latest = w.telemetry.latest(DEVICE)["air", "temperature"]
        assert (latest.value, latest.time, latest.order) == (25, T0 + 5000, (2, 5))


@pytest.mark.parametrize("damage", ["gone", "garbage", "behind", "ahead"])
async def test_the_index_is_made_anew_from_the_sequences(tmp_path: Path, damage: str) -> None:
    async with world(tmp_path) as w:
        for s in range(1, 6):
            await w.tel(s, s)
            await w.telemetry.flush()
            if s == 3:
                (tmp_path / "copy.sqlite").write_bytes(index_at(tmp_path))
    path = tmp_path / "index.sqlite"
    if damage == "gone":
        path.unlink()
    elif damage == "garbage":
        path.write_bytes(os.urandom(9000))
    elif damage == "behind":
        path.write_bytes((tmp_path / "copy.sqlite").read_bytes())
    else:
        shorten(tmp_path, frames=4)
    kept = 3 if damage == "ahead" else 5
    async with world(tmp_path) as w:
        assert await w.values() == list(range(1, kept + 1))
        await w.tel(1, *range(1, 7))
        await w.telemetry.flush()
        assert w.receipts == [(1, 6)]
        assert await w.values() == list(range(1, 7))


def index_at(folder: Path) -> bytes:
    import sqlite3

    with sqlite3.connect(folder / "index.sqlite") as database:
        content = database.serialize()
    database.close()
    return content


def shorten(folder: Path, frames: int) -> None:
    """A crash that tore off the newest frames."""
    sequences = SequenceFolder(folder / "stores")
    position = sequences(store_name(DEVICE)).frame(frames).position
    sequences.close()
    os.truncate(sequences.path(store_name(DEVICE)), position)


async def test_nothing_readable_lies_on_disk(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        rows = [
            [1, "canarynode", "canaryproperty", "canaryvalue"],
            [2, "canarynode", "canaryproperty", 7731.7731],
        ]
        await w.telemetry.receive(DEVICE, {"b": 1, "s": 1, "r": rows, "t0": T0})
    content = everything_in(tmp_path)
    assert len(content) > 1000
    for canary in (b"canary", b"7731.7731", DEVICE.encode()):
        assert canary not in content


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_a_flood_waits_at_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshhub.telemetry.MOST_PENDING", 10)
    async with world(tmp_path) as w:
        await w.tel(1, *range(8))
        await w.tel(9, *range(8))
        await w.telemetry.flush()
        assert w.receipts == [(1, 8)]
        await w.tel(9, *range(8))
        await w.telemetry.flush()
        assert w.receipts == [(1, 8), (1, 16)]


async def test_a_device_that_is_not_open_gets_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.telemetry.receive("other", {"b": 1, "s": 1, "r": [[1, "a", "b", 1]], "t0": T0})
        await w.telemetry.lost("other", 1, 1, 2)
        assert w.telemetry.latest("other") == {}
        assert list(await w.telemetry.history("other", EPOCH)) == []


async def alarms(w: World, events: Any) -> list[Alarm]:
    """Alarms published so far."""
    seen = []
    while events._events:
        event = await events.next()
        seen += [event] if isinstance(event, Alarm) else []
    return seen


async def test_what_is_over_a_devices_rate_is_counted_told_hourly_and_kept_by_the_device(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, limits=Limits(readings=0.1, burst=10)) as w:
        with w.events.subscribe() as events:
            await w.tel(1, *range(8))
            await w.tel(9, *range(8))
            await w.tel(9, *range(8))
            await w.telemetry.flush()
            assert w.receipts == [(1, 8)]
            assert w.telemetry.over_limit(DEVICE) == 8
            [told] = await alarms(w, events)
            assert (told.kind, told.device) == ("quota", DEVICE)
            assert " 8 readings" in told.text
            assert w.telemetry.latest(DEVICE)["air", "temperature"].order == (1, 16)
            w.seconds += 70
            await w.tel(9, *range(8))
            await w.tel(17, *range(8))
            await w.telemetry.flush()
            assert w.receipts == [(1, 8), (1, 16)]
            assert w.telemetry.over_limit(DEVICE) == 16
            assert await alarms(w, events) == []
            w.seconds += 3600
            await w.tel(25, *range(200))
            [told] = await alarms(w, events)
            assert " 216 readings" in told.text
        w.seconds += 3601
        assert w.telemetry.over_limit(DEVICE) == 0


async def test_what_is_over_a_devices_volume_waits(tmp_path: Path) -> None:
    async with world(tmp_path, limits=Limits(octets=8_000)) as w:
        for s in range(1, 40):
            await w.tel(s, os.urandom(400).hex())
            await w.telemetry.flush()
        written = w.sequences.path(store_name(DEVICE)).stat().st_size
        assert written < 6_000
        stored = len(w.receipts)
        assert 0 < stored < 10
        assert w.telemetry.over_limit(DEVICE) == 39 - stored
        w.seconds += 86_400
        await w.tel(stored + 1, 1)
        await w.telemetry.flush()
        assert w.receipts[-1] == (1, stored + 1)


async def test_losses_that_a_device_invents_do_not_fill_the_disk(tmp_path: Path) -> None:
    async with world(tmp_path, limits=Limits(burst=20)) as w:
        for boot in range(500):
            await w.telemetry.lost(DEVICE, boot, 1, 1)
            await w.telemetry.flush()
        assert w.sequences(store_name(DEVICE)).count <= 21


async def test_telemetry_stops_before_the_disk_is_full_and_says_so(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        with w.events.subscribe() as events:
            w.free = 10**8
            await w.tel(1, 1, 2)
            await w.telemetry.lost(DEVICE, 2, 1, 1)
            await w.telemetry.flush()
            assert w.receipts == []
            assert w.sequences(store_name(DEVICE)).count == 1
            assert w.telemetry.latest(DEVICE)["air", "temperature"].value == 2
            [told] = await alarms(w, events)
            assert (told.kind, told.device) == ("disk", "")
            assert "nearly full: 95 MB" in told.text
            w.free, w.seconds = int(1.05 * 10**9), 10
            await w.tel(1, 1, 2)
            await w.telemetry.flush()
            assert w.receipts == []  # a little above the reserve is not enough to begin again
            w.free, w.seconds = 2 * 10**9, 20
            await w.tel(1, 1, 2)
            await w.telemetry.flush()
            assert w.receipts == [(1, 2)]
            assert await alarms(w, events) == []


async def test_what_a_device_tells_again_when_a_session_begins_is_receipted_and_not_kept(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w:
        await w.tel(1, 20.5, up=0)
        await w.tel(2, 20.5, 20.5, up=0)  # sampled again in the same session: it is kept
        await w.telemetry.flush()
        await w.tel(4, 20.5, 20.5, up=4000)
        await w.tel(6, 21.0, up=6000)
        await w.tel(7, 21.0, up=None)
        await w.telemetry.flush()
        assert w.receipts[-1] == (1, 7)
        assert await w.values() == [20.5, 20.5, 20.5, 20.5, 21.0, 21.0]
        await w.tel(8, "single", node="button", up=0)
        await w.tel(9, "single", node="button", up=9000)
        assert (await w.values())[-2:] == ["single", "single"]  # two presses are two
        await w.tel(10, 21.0, up=10_000)
        assert w.telemetry.latest(DEVICE)["air", "temperature"].time == T0 + 10_000
    async with world(tmp_path) as w:
        assert len(await w.values()) == 8
        await w.tel(4, 99, boot=1)
        await w.tel(11, 21.0, up=11_000)
        await w.telemetry.flush()
        assert w.receipts[-1] == (1, 11)
        assert len(await w.values()) == 8


async def test_what_is_older_than_the_session_is_kept(tmp_path: Path) -> None:
    """The ring of a device that was away comes first in its new session."""
    async with world(tmp_path) as w:
        await w.tel(1, 20.5, up=0)
        await w.tel(2, 20.5, 20.5, 20.5, up=4000)
        assert await w.values() == [20.5, 20.5, 20.5]


async def test_when_a_device_was_heard_is_known_after_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        assert w.telemetry.heard(DEVICE) is None
        await w.tel(1, 1)
    async with world(tmp_path) as w:
        assert w.telemetry.heard(DEVICE) == T0 + 1000
        await w.telemetry.note_heard({DEVICE: T0 + 7000, "other": 1})
    async with world(tmp_path) as w:
        assert w.telemetry.heard(DEVICE) == T0 + 7000
        w.now = T0
        assert w.telemetry.heard(DEVICE) == T0
