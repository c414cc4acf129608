"""The firmware as a process, under MicroPython and CPython: adopted over TCP, running over a real broker.

The other side is meshlink's own adopter and hub; keys, activation and agreement are those of device.json.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from meshfactory import bundle
from meshfactory.simulate import SimulatedDevice, SimulationError, micropython
from meshhub.link_suite import HubSuite
from meshlink import messages
from meshlink.onboard import AdopterLink
from meshlink.record import FrameReader, frame, unframe
from meshlink.run import HubRun

Octets = Callable[[str], bytes]
Effects = list[tuple[Any, ...]]

on_micropython = pytest.mark.skipif(micropython() is None, reason="no MicroPython wheel for this machine")
FORMS = [
    pytest.param({"compiled": True, "heap": "176K"}, id="mpy", marks=on_micropython),
    pytest.param({"compiled": False}, id="py", marks=on_micropython),
    pytest.param({"cpython": True}, id="cpython"),
]
WAIT = 10
PASSWORD = "canary-wifi-password"


def now() -> int:
    return time.time_ns() // 1000000


class Events:
    """What a state machine told, in order."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.seen: list[str] = []

    def tell(self, name: str, value: Any) -> None:
        self.seen.append(name)
        self.queue.put_nowait((name, value))

    async def expect(self, *names: str) -> Any:
        """Value of the next event, which must be one of names."""
        async with asyncio.timeout(WAIT):
            got, value = await self.queue.get()
        assert got in names, (got, value)
        return value

    async def until(self, name: str, wanted: Callable[[Any], bool] = lambda value: True) -> Any:
        """Value of the next event `name` that is wanted; others are passed over."""
        async with asyncio.timeout(WAIT):
            while True:
                got, value = await self.queue.get()
                if got == name and wanted(value):
                    return value


class Adopter:
    """meshlink's adopter on one TCP connection."""

    def __init__(self, octets: Octets, *, psk_on: bytes | None = None) -> None:
        self._octets = octets
        self.events = Events()
        self.link = AdopterLink(
            HubSuite(),
            psk_on=psk_on or octets("psk_on"),
            lid=octets("lid"),
            device_udf=octets("udf"),
            authentication=octets("auth_pub"),
            account_udf=octets("account_udf"),
            account_address="alice@example.com",
        )

    async def run(self, port: int) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        frames = FrameReader()
        try:
            self.do(self.link.start(now()))
            while data := await reader.read(4096):
                for record in frames.feed(data):
                    self.do(self.link.receive(record, now()))
            self.do(self.link.closed(now()))
        finally:
            self._writer.close()
            await self._writer.wait_closed()

    def close(self) -> None:
        self._writer.close()

    def do(self, effects: Effects) -> None:
        for name, *rest in effects:
            if name == "send":
                self._writer.write(frame(rest[0]))
            elif name == "event":
                self.events.tell(rest[0], rest[1])
            elif name == "close":
                self._writer.close()

    async def prove(self) -> dict[str, Any]:
        """As far as the device's proof; its hello."""
        hello: dict[str, Any] = await self.events.expect("hello")
        self.do(self.link.adopt(self._octets("act"), self._octets("key"), self._octets("z"), now()))
        await self.events.expect("proved")
        return hello

    async def secrets(self, broker: Any, *, answer: str = "stored", port: int | None = None) -> Any:
        """Give the secrets, with a broker at another port when given; the value of the device's answer."""
        self.link.seen()
        values = {
            "id": b"0123456789",
            "wifi": [["home", PASSWORD]],
            "hub": [f"mqtt://127.0.0.1:{port or broker.port}"],
            "ca": "",
            "mq": [broker.user, broker.password],
            "name": "kitchen lamp",
            "now": now(),
        }
        self.do(self.link.secrets(values, now()))
        return await self.events.expect(answer)


class Hub:
    """meshlink's hub on an MQTT connection, with the receipts of a hub that stores."""

    def __init__(self, octets: Octets, psk: bytes, description: dict[str, Any]) -> None:
        self.events = Events()
        self.receipts = True
        self.readings: dict[tuple[int, int], tuple[str, str, Any]] = {}
        self.run = HubRun(
            HubSuite(),
            device_udf=octets("udf"),
            account_udf=octets("account_udf"),
            topic_id=b"0123456789",
            psk=psk,
            description=description,
            pair=(0, 0),
        )
        self._client: aiomqtt.Client | None = None

    async def serve(self, broker: Any) -> None:
        """Until cancelled."""
        async with aiomqtt.Client(
            "127.0.0.1", broker.port, username=broker.user, password=broker.password
        ) as self._client:
            await self._client.subscribe(messages.topic(b"0123456789", "up"), qos=1)
            await self._client.subscribe(messages.topic(b"0123456789", "p"), qos=0)
            await self.do(self.run.wake(now()))
            async for message in self._client.messages:
                if message.topic.value.endswith("/p"):
                    self.events.tell("presence", message.payload)
                elif (record := unframe(message.payload)) is not None:
                    await self.do(self.run.receive(record, now()))

    async def do(self, effects: Effects) -> None:
        for name, *rest in effects:
            if name == "send":
                assert self._client is not None
                await self._client.publish(messages.topic(b"0123456789", "dn"), frame(rest[0]), qos=1)
            elif name == "event":
                await self._event(rest[0], rest[1])

    async def command(self, node: str, prop: str, value: Any) -> dict[str, Any]:
        """The device's result."""
        command_id, effects = self.run.command(node, prop, value, now())
        await self.do(effects)
        result: dict[str, Any] = await self.events.until("result", lambda r: r["id"] == command_id)
        return result

    async def _event(self, name: str, value: Any) -> None:
        if name == "tel":
            for offset, (_, node, prop, reading) in enumerate(value["r"]):
                self.readings[value["b"], value["s"] + offset] = (node, prop, reading)
            if self.receipts:
                await self.do(self.run.receipt(value["b"], value["s"] + len(value["r"]) - 1, now()))
        self.events.tell(name, value)


@asynccontextmanager
async def going(work: Any) -> AsyncIterator[None]:
    """Something that runs beside the test."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def unit(tmp_path: Path, identity: dict[str, Any]) -> AsyncIterator[Callable[..., SimulatedDevice]]:
    """Makes the device of device.json; it is off, and ends with the test."""
    made: list[SimulatedDevice] = []
    bundle.write_identity(tmp_path / "unit", identity)

    def make(**options: Any) -> SimulatedDevice:
        device = SimulatedDevice(tmp_path / "unit", **{"interval": 0.3, "heartbeat": 0.5, **options})
        made.append(device)
        return device

    yield make  # type: ignore[misc]
    for device in made:
        device.stop()


async def waited(device: SimulatedDevice, name: str, **fields: Any) -> dict[str, Any]:
    return await asyncio.to_thread(device.wait_event, name, WAIT, **fields)


async def adopted(
    device: SimulatedDevice, octets: Octets, broker: Any
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Adopt as a hub does; the link's keys and the device's hello."""
    adopter = Adopter(octets)
    async with going(adopter.run((await waited(device, "window", open=True))["port"])):
        hello = await adopter.prove()
        adopter.do(adopter.link.blink(10, now()))
        await waited(device, "blink", s=10)
        await adopter.secrets(broker)
        adopter.do(adopter.link.commit(now()))
        await waited(device, "state", state="CLAIMED")
    return adopter.link.keys, hello


@pytest.mark.parametrize("form", FORMS)
async def test_from_the_box_to_a_command_and_back_after_a_power_cut(
    unit: Callable[..., SimulatedDevice], octets: Octets, broker: Any, form: dict[str, Any]
) -> None:
    device = unit(**form)
    device.start()
    keys, hello = await adopted(device, octets, broker)
    assert (hello["board"], hello["st"], hello["err"], hello["boot"]) == ("simulator", "FREE", 0, 1)
    assert (
        hello["fwh"]
        == bundle.build(
            "simulator", compiled=device.runtime != "cpython" and form.get("compiled", False)
        ).hash
    )

    hub = Hub(octets, keys["psk_run"], hello["desc"])
    async with going(hub.serve(broker)):
        await hub.events.until("session")
        await hub.events.until(
            "tel", lambda t: [e[1:] for e in t["r"]] == [["light", "on", False], ["light", "level", 100]]
        )
        assert (await hub.command("light", "on", True))["v"] is True
        assert (await hub.command("light", "level", 40)) | {"id": 0} == {"id": 0, "c": 0, "v": 40}
        assert device.status()["outputs"] == {"light": 40}
        device.press()
        await hub.events.until("tel", lambda t: ["light", "on", False] in [e[1:] for e in t["r"]])

        device.stop(hard=True)
        await hub.events.until("presence", lambda p: p == b"offline")
        device.start()
        assert (await hub.events.until("session"))["boot"] == 3
        assert device.status()["state"] == "CLAIMED"
        assert (await hub.command("light", "on", True))["c"] == 0


@pytest.fixture
def device(unit: Callable[..., SimulatedDevice]) -> SimulatedDevice:
    """The device, powered on, on the runtime that is there."""
    device = unit()
    device.start()
    return device


@pytest.mark.parametrize("last", ["init", "hello", "proof"])
async def test_an_adopter_that_goes_away_before_the_secrets_leaves_a_free_device(
    device: SimulatedDevice, octets: Octets, broker: Any, last: str
) -> None:
    port = (await waited(device, "window", open=True))["port"]
    adopter = Adopter(octets)
    async with going(adopter.run(port)):
        if last == "hello":
            await adopter.events.expect("hello")
        elif last == "proof":
            await adopter.prove()
    assert device.status()["state"] == "FREE"
    await adopted(device, octets, broker)


async def test_an_adopter_that_goes_away_after_stored_finds_its_device_by_the_run_handshake(
    device: SimulatedDevice, octets: Octets, broker: Any
) -> None:
    adopter = Adopter(octets)
    async with going(adopter.run((await waited(device, "window", open=True))["port"])):
        hello = await adopter.prove()
        await adopter.secrets(broker)
    await waited(device, "boot", state="PENDING")
    hub = Hub(octets, adopter.link.keys["psk_run"], hello["desc"])
    async with going(hub.serve(broker)):
        await hub.events.until("session")
        await waited(device, "state", state="CLAIMED")


async def test_a_second_adopter_is_told_that_the_device_is_busy(
    device: SimulatedDevice, octets: Octets, broker: Any
) -> None:
    port = (await waited(device, "window", open=True))["port"]
    first, second = Adopter(octets), Adopter(octets)
    async with going(first.run(port)):
        await first.prove()
        async with going(second.run(port)):
            await second.events.expect("busy")
        await first.secrets(broker)


async def test_whoever_has_not_read_the_label_gets_no_answer(device: SimulatedDevice, octets: Octets) -> None:
    port = (await waited(device, "window", open=True))["port"]
    stranger = Adopter(octets, psk_on=bytes(range(100, 132)))
    async with going(stranger.run(port)):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stranger.events.queue.get(), 1)


async def test_a_hub_that_cannot_be_reached_is_told_before_anything_is_stored(
    device: SimulatedDevice, octets: Octets, broker: Any
) -> None:
    adopter = Adopter(octets)
    async with going(adopter.run((await waited(device, "window", open=True))["port"])):
        await adopter.prove()
        trouble = await adopter.secrets(broker, answer="trouble", port=9)
        assert trouble["c"] == 35
        assert device.status()["state"] == "FREE"
        await adopter.secrets(broker)


def _flash(device: SimulatedDevice) -> bytes:
    names = ("identity", "secrets", "pool", "boot", "acts")
    return b"".join(path.read_bytes() for name in names for path in device.state.glob(f"{name}.*"))


@pytest.mark.parametrize("by", ["button", "owner"])
async def test_a_wiped_device_keeps_nothing_and_can_be_adopted_again(
    device: SimulatedDevice, octets: Octets, broker: Any, by: str
) -> None:
    keys, hello = await adopted(device, octets, broker)
    assert PASSWORD.encode() in _flash(device)
    hub = Hub(octets, keys["psk_run"], hello["desc"])
    async with going(hub.serve(broker)):
        await hub.events.until("session")
        if by == "button":
            device.hold10()
        else:
            await hub.do(hub.run.send("forget", {}, now()))
        await waited(device, "boot", state="FREE", boot=3)
    assert PASSWORD.encode() not in _flash(device)
    if by == "owner":
        assert "port" not in device.status()
        device.press()
    port = (await waited(device, "window", open=True, count=2))["port"]
    adopter = Adopter(octets)
    async with going(adopter.run(port)):
        assert (await adopter.prove())["boot"] == 3


async def test_readings_are_kept_until_their_receipt_through_a_dead_broker(
    unit: Callable[..., SimulatedDevice], octets: Octets, broker: Any
) -> None:
    device = unit(kind="climate", interval=0.2, seed=7)
    device.start()
    keys, hello = await adopted(device, octets, broker)
    assert list(hello["desc"]["n"]) == ["air"]
    hub = Hub(octets, keys["psk_run"], hello["desc"])
    hub.receipts = False
    async with going(hub.serve(broker)):
        await hub.events.until("tel", lambda t: t["s"] + len(t["r"]) > 8)
        broker.kill()
    await waited(device, "offline")
    hub.receipts = True
    hub.readings.clear()
    broker.start()
    async with going(hub.serve(broker)):
        await hub.events.until("tel", lambda t: t["s"] + len(t["r"]) > 30)
    numbers = sorted(s for boot, s in hub.readings if boot == 2)
    assert numbers == list(range(1, len(numbers) + 1))
    temperatures = [v for _, prop, v in hub.readings.values() if prop == "temperature"]
    assert all(15 < value < 26 for value in temperatures)
    assert len(set(temperatures)) > 3


async def test_a_button_reports_its_presses_and_has_no_present_value(
    unit: Callable[..., SimulatedDevice], octets: Octets, broker: Any
) -> None:
    device = unit(kind="button")
    device.start()
    keys, hello = await adopted(device, octets, broker)
    hub = Hub(octets, keys["psk_run"], hello["desc"])
    async with going(hub.serve(broker)):
        await hub.events.until("session")
        for gesture in ("single", "double", "long"):
            device.press(gesture)
            await hub.events.until("tel", lambda t, g=gesture: t["r"][0][1:] == ["button", "press", g])
    assert [entry for entry in hub.readings.values()] == [
        ("button", "press", gesture) for gesture in ("single", "double", "long")
    ]


async def test_a_hail_is_answered_only_with_the_label_and_only_while_free(
    device: SimulatedDevice, octets: Octets, broker: Any
) -> None:
    port = (await waited(device, "window", open=True))["port"]

    def hail(lid: bytes) -> bytes | None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            asker.settimeout(0.5)
            asker.sendto(b"mh1?" + lid, ("127.255.255.255", 47447))
            try:
                return asker.recv(64)
            except TimeoutError:
                return None

    lid = octets("lid")
    assert await asyncio.to_thread(hail, lid) == b"mh1!" + lid + port.to_bytes(2, "big")
    assert await asyncio.to_thread(hail, bytes(10)) is None
    assert await asyncio.to_thread(hail, lid[:9]) is None
    await adopted(device, octets, broker)
    assert await asyncio.to_thread(hail, lid) is None


async def test_garbage_on_the_port_neither_crashes_nor_holds_the_device(
    device: SimulatedDevice, octets: Octets, broker: Any
) -> None:
    port = (await waited(device, "window", open=True))["port"]
    held = []
    for _ in range(6):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(os.urandom(200))
        held.append((reader, writer))
    assert not device.crashes
    for _, writer in held:
        writer.close()
        await writer.wait_closed()
    await adopted(device, octets, broker)


def test_a_unit_without_identity_is_not_started(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="mint"):
        SimulatedDevice(tmp_path).start()


def test_a_firmware_that_fails_is_started_again_and_told(
    unit: Callable[..., SimulatedDevice], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "boot.py").write_text("")
    (broken / "main.py").write_text("raise ValueError('broken')\n")
    device = unit(firmware=broken)
    device.start()
    with pytest.raises(SimulationError, match=r"device\.log"):
        device.wait_event("never", 5)
    assert device.alive
    device.stop()
    assert not device.alive


def test_no_device_outlives_whoever_started_it(unit: Callable[..., SimulatedDevice], tmp_path: Path) -> None:
    unit()
    starter = subprocess.Popen(
        [sys.executable, "-m", "meshfactory.simulate", "--state", str(tmp_path / "unit")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    with starter.stdout:
        first = starter.stdout.readline()
        pid = int(first.rsplit(" ", 1)[1])
        assert Path(f"/proc/{pid}").exists()
        starter.send_signal(signal.SIGKILL)
        starter.wait()
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still there")
