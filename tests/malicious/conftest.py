"""A home under attack: real hub, broker and service, units with the real firmware, and hostile company."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from meshfactory import workshop
from meshfactory.product import PRODUCTS
from meshfactory.simulate import SimulatedDevice
from meshhub.app import Hub
from meshhub.broker.accounts import BrokerAccount, hash_password, new_password
from meshhub.config import Config
from meshhub.dashboard.label_image import read_label
from meshhub.dashboard.server import Dashboard
from meshhub.mqtt.client import heeded
from meshservice.http import add_service

CANARY = "canary-wifi-password"


class Unit:
    """A made device: its label's code, and the simulated device that has its flash."""

    def __init__(self, made: workshop.Made) -> None:
        self.udf = made.udf
        self.publication_id = made.publication_id
        self.code = read_label((made.folder / "label.png").read_bytes())
        self.flash = made.folder / workshop.FLASH
        self.device = SimulatedDevice(self.flash, interval=1)

    async def power_on(self) -> str:
        """Start it; the address where it waits for an adopter."""
        self.device.start()
        port = await asyncio.to_thread(self.device.wait_port)
        return f"127.0.0.1:{port}"

    @property
    def state(self) -> str:
        """FREE, PENDING or CLAIMED, as the unit shows it."""
        return str(self.device.status().get("state"))


class World:
    """One home and its factory."""

    def __init__(self, hub: Hub, folder: Path, running: AsyncExitStack) -> None:
        self.hub = hub
        self.folder = folder
        self._running = running
        self._made = 0

    async def unit(self, kind: str = "light") -> Unit:
        """A new device of the hub's own maker; switched off when the test ends."""
        self._made += 1
        made = await workshop.make(PRODUCTS[kind], data=self.hub.data, out=self.folder / f"unit-{self._made}")
        unit = Unit(made)
        self._running.callback(unit.device.stop)
        return unit

    async def adopt(self, unit: Unit, at: str, **options: Any) -> str:
        """Adopt as the owner does, all questions answered with yes; the UDF."""
        return await self.hub.onboarding.start(unit.code, at=at, yes=True, **options).wait()

    async def at_home(self, kind: str = "light", name: str = "lamp") -> Unit:
        """A unit that is adopted and online."""
        unit = await self.unit(kind)
        await self.adopt(unit, await unit.power_on(), name=name)
        await self.until(lambda: self.hub.registry.resolve(name).online)
        return unit

    async def until(self, condition: Callable[[], Any], seconds: float = 15) -> None:
        """Wait for a condition of the hub."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - the conditions are plain functions of the hub
                await asyncio.sleep(0.05)

    def names(self) -> list[str]:
        """Names of all devices of the home."""
        return [device.name for device in self.hub.registry.devices()]

    def assert_nothing_left(self, unit: Unit) -> None:
        """Neither catalog, link, broker account nor claim knows the unit."""
        assert self.hub.home.name_of(unit.udf) is None
        assert self.hub.links.get(unit.udf) is None

    @asynccontextmanager
    async def rogue_broker_client(self) -> AsyncIterator[aiomqtt.Client]:
        """Whoever runs the broker can read and write every topic: an account like the hub's own."""
        password = new_password(os.urandom)
        rogue = BrokerAccount(user="rogue", password_hash=hash_password(password, os.urandom), topic_id=None)
        links, own = self.hub.links, self.hub.links.accounts
        links.accounts = lambda: [*own(), rogue]
        await self.hub.broker.set_accounts(links.accounts())
        login = self.hub.broker.login
        made = aiomqtt.Client(login.host, login.port, username="rogue", password=password)
        async with heeded(made) as client:
            yield client


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    data = tmp_path / "data"
    config = Config.load(data, mqtt_port=0, dashboard_port=0)
    async with AsyncExitStack() as running:
        hub = Hub(config, entropy=os.urandom)
        running.push_async_callback(hub.stop)
        await hub.start()
        dashboard = Dashboard(
            hub, data, port=0, add_local=lambda local: add_service(local, hub.service, public_only=False)
        )
        running.push_async_callback(dashboard.stop)
        await dashboard.start()
        yield World(hub, tmp_path, running)


class Relay:
    """A TCP proxy before a unit: sees every octet, may change each record it passes on."""

    def __init__(self, target: str, change: Callable[[str, bytes], bytes | None]) -> None:
        host, port = target.rsplit(":", 1)
        self._target = host, int(port)
        self._change = change
        self.seen: list[tuple[str, bytes]] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """The address to give to the hub instead of the unit's."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            device_reader, device_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            self._pass_on("hub", reader, device_writer), self._pass_on("device", device_reader, writer)
        )

    async def _pass_on(self, sender: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(2)
                record = await reader.readexactly(int.from_bytes(head, "big"))
                self.seen.append((sender, record))
                changed = self._change(sender, record)
                if changed is not None:
                    writer.write(len(changed).to_bytes(2, "big") + changed)
        except (asyncio.IncompleteReadError, OSError):
            pass
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
def relay() -> type[Relay]:
    return Relay
