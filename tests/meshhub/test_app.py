import asyncio
import io
import logging as standard_logging
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from mathmesh.errors import StoreError
from meshhub import logging
from meshhub.app import Hub
from meshhub.broker import mosquitto
from meshhub.broker.embedded import Embedded
from meshhub.broker.mosquitto import Mosquitto
from meshhub.config import Config
from meshhub.errors import OFFLINE, TIMEOUT, UNKNOWN, DeviceError, HubError
from meshhub.events import Alarm, DeviceOnline

from .device import CLIMATE, LAMP, LOCK, Device, adopt

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
CANARY = "Canary7731"


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(request: pytest.FixtureRequest) -> str:
    if request.param == "mosquitto" and mosquitto.find() is None:
        pytest.skip("mosquitto is not installed")
    return str(request.param)


@pytest.fixture
def config(tmp_path: Path, broker: str) -> Config:
    return Config(data=tmp_path / "data", broker=broker, mqtt_port=0, batch_seconds=0.2, command_seconds=2)  # type: ignore[arg-type]


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Hub]:
    hub = Hub(config)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


@asynccontextmanager
async def home(
    config: Config, *wanted: tuple[dict[str, Any], str, str]
) -> AsyncIterator[tuple[Hub, list[Device]]]:
    async with running(config) as hub:
        devices = [await adopt(hub, description, name, room) for description, name, room in wanted]
        try:
            for device in devices:
                await asyncio.wait_for(device.session.wait(), 5)
                await online(hub, device)
            yield hub, devices
        finally:
            for device in devices:
                await device.power_off()


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while True:
            met = condition()
            if met if isinstance(met, bool) else await met:
                return
            await asyncio.sleep(0.02)


async def online(hub: Hub, device: Device) -> None:
    await until(lambda: hub.registry.get(device.udf).online)


async def values(hub: Hub, device: Device, node: str, prop: str) -> list[object]:
    return [
        reading.value
        for reading in await hub.telemetry.history(device.udf, EPOCH)
        if (reading.node, reading.property) == (node, prop)
    ]


async def changes(hub: Hub, device: Device, node: str, prop: str) -> list[object]:
    """Values without repetitions: a device reports what is present at the start of each session."""
    stored = await values(hub, device, node, prop)
    return [value for number, value in enumerate(stored) if not number or stored[number - 1] != value]


def kill_broker(hub: Hub) -> None:
    if isinstance(hub.broker, Mosquitto):
        assert hub.broker.pid is not None
        os.kill(hub.broker.pid, signal.SIGKILL)
    else:
        assert isinstance(hub.broker, Embedded)
        assert hub.broker._broker is not None
        for server in hub.broker._broker._servers.values():
            server.instance.close()


async def test_switch_a_lamp_by_name(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):
        device = hub.registry.resolve("kitchen lamp")
        started = time.monotonic()
        assert await hub.commands.set(device, {"on": True}) == {"light.on": True}
        assert time.monotonic() - started < 1
        assert lamp.commands == [("light", "on", True)]
        await until(lambda: hub.registry.get(lamp.udf).values["light", "on"].value is True)
        assert hub.registry.get(lamp.udf).values["light", "level"].value == 50
        [entry] = await hub.activity.entries()
        assert (entry.what, entry.device, entry.detail["outcome"]) == ("set", lamp.udf, "done")
        assert hub.status()["broker"] == config.broker


async def test_a_lock_is_asked_and_told_to_go(config: Config) -> None:
    async with home(config, (LOCK, "front door", "Hall")) as (hub, [lock]):
        assert await hub.commands.set(hub.registry.resolve("front door"), {"locked": False}) == {
            "door.locked": False
        }
        assert lock.commands == [("door", "locked", False)]


async def test_telemetry_is_receipted_from_disk_and_read_back(config: Config) -> None:
    async with home(config, (CLIMATE, "climate", "Attic")) as (hub, [climate]):
        for degrees in range(20):
            await climate.report("air", "temperature", float(degrees))
        await until(lambda: len(climate.ring) == 0)
        assert await values(hub, climate, "air", "temperature") == [20.5, *map(float, range(20))]
        readings = await hub.telemetry.history(climate.udf, EPOCH)
        assert abs(readings[-1].time - time.time() * 1000) < 5000


async def test_a_new_session_shows_no_value_twice(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):
        for _ in range(3):
            lamp.session.clear()
            await lamp.shake_hands()
            await asyncio.wait_for(lamp.session.wait(), 3)
        await hub.commands.set(hub.registry.get(lamp.udf), {"on": True})
        await until(lambda: len(lamp.ring) == 0)
        assert await values(hub, lamp, "light", "on") == [False, True]
        assert await values(hub, lamp, "light", "level") == [50]


async def test_when_a_device_was_seen_is_known_after_a_restart(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):
        lamp.session.clear()
        await lamp.shake_hands()
        await asyncio.wait_for(lamp.session.wait(), 3)
        await until(lambda: len(lamp.ring) == 0)
        await lamp.power_off()
        seen = hub.registry.get(lamp.udf).last_seen
    async with running(config) as hub:
        device = hub.registry.get(lamp.udf)
        assert not device.online
        assert device.last_seen == seen


async def test_a_device_that_is_off_is_offline_at_once(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):
        await lamp.power_off()
        await until(lambda: not hub.registry.get(lamp.udf).online)
        started = time.monotonic()
        with pytest.raises(DeviceError) as caught:
            await hub.commands.set(hub.registry.resolve("lamp"), {"on": True})
        assert caught.value.kind == OFFLINE
        assert time.monotonic() - started < 0.2
        lamp.power_on()
        await online(hub, lamp)
        assert await hub.commands.set(hub.registry.resolve("lamp"), {"on": True}) == {"light.on": True}


async def test_a_device_that_does_not_answer_is_a_timeout(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):
        lamp.answering = False
        with pytest.raises(DeviceError) as caught:
            await hub.commands.set(hub.registry.resolve("lamp"), {"on": True})
        assert caught.value.kind == TIMEOUT


async def test_a_broker_that_is_killed_loses_nothing(config: Config) -> None:
    async with home(config, (CLIMATE, "climate", "Attic"), (LAMP, "lamp", "Kitchen")) as (
        hub,
        [climate, _],
    ):
        expected = [20.5]
        for round_number in range(3):
            killed = time.monotonic()
            restarts = hub.broker.restarts
            kill_broker(hub)
            for n in range(5):
                await climate.report("air", "temperature", float(round_number * 10 + n))
                expected.append(float(round_number * 10 + n))
                await asyncio.sleep(0.02)
            await until(lambda before=restarts: hub.broker.restarts > before)  # type: ignore[misc]
            assert time.monotonic() - killed < 5

            async def switched() -> bool:
                try:
                    return bool(await hub.commands.set(hub.registry.resolve("lamp"), {"on": True}))
                except DeviceError:
                    return False

            await until(switched)
            assert time.monotonic() - killed < 5
        await until(lambda: len(climate.ring) == 0, 10)
        assert await changes(hub, climate, "air", "temperature") == expected


@pytest.mark.parametrize("shape", ["zeros", "half", "garbage"])
async def test_damaged_broker_files_and_a_kill(config: Config, shape: str) -> None:
    if config.broker != "mosquitto":
        pytest.skip("the embedded broker has no files")
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [_]):
        for path in files_in(config.broker_folder):
            size = path.stat().st_size
            path.write_bytes(
                {"zeros": bytes(size), "half": path.read_bytes()[: size // 2], "garbage": os.urandom(size)}[
                    shape
                ]
            )
        (config.broker_folder / "mosquitto.db").write_bytes(bytes(1000))
        kill_broker(hub)

        async def switched() -> bool:
            try:
                return bool(await hub.commands.set(hub.registry.resolve("lamp"), {"on": True}))
            except DeviceError:
                return False

        await until(lambda: hub.broker.restarts == 1)
        await until(switched)


async def test_a_restarted_hub_knows_everything(config: Config) -> None:
    async with running(config) as hub:
        lamp = await adopt(hub, LAMP, "lamp", "Kitchen")
        await online(hub, lamp)
        await lamp.report("light", "level", 77)
        await hub.registry.rename(lamp.udf, "ceiling", "Bath")
        port, address = hub.broker.port, hub.account.udf
    try:
        async with running(config) as hub:
            assert (hub.broker.port, hub.account.udf) == (port, address)
            record = hub.registry.resolve("bath ceiling")
            assert record.values["light", "level"].value == 77
            await online(hub, lamp)
            assert await hub.commands.set(record, {"on": True}) == {"light.on": True}
            assert 77 in await values(hub, lamp, "light", "level")
            assert (await hub.activity.entries())[-1].what == "set"
    finally:
        await lamp.power_off()


async def test_what_a_device_sends_while_the_hub_is_away_arrives_later(config: Config) -> None:
    async with running(config) as hub:
        climate = await adopt(hub, CLIMATE, "climate", "Attic")
        await online(hub, climate)
    try:
        for n in range(5):
            await climate.report("air", "temperature", float(n))
        async with running(config) as hub:
            await online(hub, climate)
            await until(lambda: len(climate.ring) == 0)
            assert await changes(hub, climate, "air", "temperature") == [20.5, 0.0, 1.0, 2.0, 3.0, 4.0]
            assert await hub.telemetry.gaps(climate.udf, EPOCH) == []
    finally:
        await climate.power_off()


async def test_a_forgotten_device_is_out_and_its_data_stays(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen"), (CLIMATE, "climate", "Attic")) as (
        hub,
        [lamp, climate],
    ):
        await until(lambda: len(lamp.ring) == 0)
        await hub.forget(hub.registry.resolve("lamp"))
        await until(lambda: ("forget", None) in [(name, None) for name, _ in lamp.events])
        with pytest.raises(DeviceError) as caught:
            hub.registry.resolve("lamp")
        assert caught.value.kind == UNKNOWN
        assert hub.home.was_removed(lamp.udf)
        assert hub.links.get(lamp.udf) is None
        connections = lamp.connections
        await lamp.power_off()
        lamp.power_on()
        await asyncio.sleep(0.5)
        assert lamp.connections == connections
        await climate.report("air", "temperature", 1.0)
        await until(lambda: len(climate.ring) == 0)
        access = hub.account.catalog("MMM_Access").entries().values()
        inactive = [entry for entry in access if getattr(entry.capability, "active", None) is False]  # type: ignore[attr-defined]
        assert len(inactive) == 1


async def test_forgetting_works_without_the_device(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):
        await lamp.power_off()
        await until(lambda: not hub.registry.get(lamp.udf).online)
        await hub.forget(hub.registry.resolve("lamp"))
        assert hub.registry.devices() == []


async def test_replayed_reordered_and_foreign_records_change_nothing(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen"), (LAMP, "lamp", "Hall")) as (hub, [one, two]):
        await one.report("light", "level", 61)
        await until(lambda: len(one.ring) == 0)
        before = len(await hub.telemetry.history(one.udf, EPOCH))
        for payload in [*one.sent, *reversed(one.sent), *one.got]:
            await one.publish(payload)
            await two.publish(payload)
        for payload in list(one.sent):
            for position in range(0, len(payload), 7):
                changed = bytearray(payload)
                changed[position] ^= 1
                await one.publish(bytes(changed))
        for junk in (b"", b"\0", os.urandom(40), bytes(5000), b'{"t":"tel"}'):
            await one.publish(junk)
        await one.report("light", "level", 62)
        await until(lambda: len(one.ring) == 0)
        levels = await values(hub, one, "light", "level")
        assert levels.count(61) == 1
        assert levels[-1] == 62
        assert len(await hub.telemetry.history(one.udf, EPOCH)) == before + 1
        assert 61 not in await values(hub, two, "light", "level")
        assert await hub.commands.set(hub.registry.resolve("kitchen lamp"), {"on": True}) == {
            "light.on": True
        }
        assert await hub.commands.set(hub.registry.resolve("hall lamp"), {"on": True}) == {"light.on": True}


async def test_a_device_that_was_set_back_raises_an_alarm(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):
        await lamp.power_off()
        lamp.power_on()
        await asyncio.wait_for(lamp.session.wait(), 5)
        await online(hub, lamp)
        await lamp.power_off()
        lamp.boot = 0
        with hub.events.subscribe() as events:
            lamp.power_on()
            async with asyncio.timeout(10):
                async for event in events:
                    if isinstance(event, Alarm):
                        break
        assert (event.kind, event.device) == ("clone", lamp.udf)


async def test_a_part_that_fails_is_started_again(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):
        monkeypatch.setattr("meshhub.telemetry.RETRY_SECONDS", 0.3)

        def broken(*_args: object) -> None:
            raise RuntimeError("not foreseen")

        with hub.events.subscribe() as events:
            with monkeypatch.context() as patch:
                patch.setattr("meshhub.telemetry_store.encode", broken)
                await lamp.report("light", "level", 61)
                async with asyncio.timeout(5):
                    alarms = set()
                    async for event in events:
                        if isinstance(event, Alarm):
                            alarms.add(event.kind)
                        if alarms == {"storage", "hub"}:
                            break
        await until(lambda: len(lamp.ring) == 0, 10)
        assert (await values(hub, lamp, "light", "level"))[-1] == 61
        assert await hub.commands.set(hub.registry.resolve("lamp"), {"on": True}) == {"light.on": True}


async def test_presence_is_told(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):
        with hub.events.subscribe() as events:
            await lamp.power_off()
            async with asyncio.timeout(5):
                async for event in events:
                    if isinstance(event, DeviceOnline) and not event.online:
                        break
        assert event.device == lamp.udf


async def test_two_hubs_on_one_folder(config: Config) -> None:
    async with running(config):
        with pytest.raises(HubError, match="another hub"):
            await Hub(config).start()
    async with running(config):
        pass


async def test_a_hub_that_cannot_start_leaves_nothing_running(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Hub) -> None:
        raise HubError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(Hub, "_make_onboarding", broken)
        hub = Hub(config)
        with pytest.raises(HubError, match="broken"):
            await hub.start()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", hub.broker.port)
    async with running(config):
        pass


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    root = standard_logging.getLogger()
    handlers, level = root.handlers, root.level
    stream, before = io.StringIO(), structlog.get_config()
    logging.configure("debug", stream=stream, json=True)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


async def test_nothing_of_the_home_lies_in_clear(config: Config, log_lines: io.StringIO) -> None:
    secrets: list[bytes] = []
    async with home(config, (LAMP, f"{CANARY} lamp", f"{CANARY} room")) as (hub, [lamp]):
        admission = lamp._admission
        secrets += [
            admission.psk_run,
            admission.psk_repair,
            admission.own,
            admission.broker.password.encode(),
        ]
        secrets += [hub.broker.login.password.encode(), CANARY.encode(), b"73317331"]
        await hub.registry.rename(lamp.udf, f"{CANARY} light")
        await lamp.report("light", "level", 73317331)
        await until(lambda: len(lamp.ring) == 0)
        await hub.commands.set(hub.registry.resolve(f"{CANARY} light"), {"on": True})
        with pytest.raises(DeviceError):
            hub.registry.resolve(f"{CANARY} nothing")
        environment = b""
        if isinstance(hub.broker, Mosquitto):
            process = Path(f"/proc/{hub.broker.pid}")
            environment = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    await asyncio.sleep(0)
    written = {path.name: path.read_bytes() for path in files_in(config.data)}
    assert len(written) > 10
    places = written | {"log": log_lines.getvalue().encode(), "environment": environment}
    for secret in secrets:
        for form in (
            secret,
            secret.hex().encode(),
            __import__("base64").urlsafe_b64encode(secret).rstrip(b"="),
        ):
            assert [name for name, content in places.items() if form in content] == []


async def test_files_are_private(config: Config) -> None:
    async with running(config):
        for path in files_in(config.data):
            assert path.stat().st_mode & 0o077 == 0, path


async def test_a_session_that_cannot_be_noted_is_not_used(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a full disk; else what was said in it could be played again after a restart."""
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):

        async def full(*_: object) -> None:
            raise StoreError("no space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(hub.links, "confirm", full)
            await lamp.shake_hands()
            await until(lambda: not hub.registry.get(lamp.udf).online)
            with pytest.raises(DeviceError):
                await hub.commands.set(hub.registry.get(lamp.udf), {"on": True})
        await lamp.shake_hands()
        await online(hub, lamp)
        assert await hub.commands.set(hub.registry.get(lamp.udf), {"on": True}) == {"light.on": True}


async def test_a_device_that_begins_session_after_session_has_to_wait(config: Config) -> None:
    async with home(config, (LAMP, "lamp", "Kitchen")) as (hub, [lamp]):
        peer = hub._proxy.peer(lamp.udf)
        assert peer is not None
        peer.sessions.spend(peer.sessions.level - 3.5)
        for _ in range(10):
            lamp.session.clear()
            await lamp.shake_hands()
            with suppress(TimeoutError):
                await asyncio.wait_for(lamp.session.wait(), 0.3)
        link = hub.links.get(lamp.udf)
        assert link is not None
        assert link.pair[1] <= 6
        assert hub.registry.get(lamp.udf).online
        assert await hub.commands.set(hub.registry.get(lamp.udf), {"on": True}) == {"light.on": True}
        peer.sessions.spend(-5)
        await lamp.shake_hands()
        await asyncio.wait_for(lamp.session.wait(), 2)
