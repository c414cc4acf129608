"""Page, API and commands over the real hub: broker, sealed stores, a device on a real MQTT connection."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from meshhub import local_socket
from meshhub.app import Hub
from meshhub.config import Config
from meshhub.dashboard.server import Dashboard

from .device import CLIMATE, LAMP, LOCK, Device, adopt


@asynccontextmanager
async def served(data: Path) -> AsyncIterator[tuple[Hub, Dashboard]]:
    """A hub with its dashboard, as `meshhub run` puts them together."""
    config = Config(data=data, mqtt_port=0, batch_seconds=0.1, command_seconds=2)
    hub = Hub(config)
    await hub.start()
    try:
        dashboard = Dashboard(hub, data, port=0)
        await dashboard.start()
        try:
            yield hub, dashboard
        finally:
            await dashboard.stop()
    finally:
        await hub.stop()


@asynccontextmanager
async def at_home(hub: Hub, description: dict, name: str, room: str) -> AsyncIterator[Device]:
    device = await adopt(hub, description, name, room)
    try:
        async with asyncio.timeout(5):
            await device.session.wait()
            with hub.events.subscribe() as events:
                while not hub.registry.get(device.udf).online or not hub.registry.get(device.udf).values:
                    await events.next()
        yield device
    finally:
        await device.power_off()


async def meshhub(data: Path, *words: str) -> tuple[int, str, str]:
    """The real command in a process of its own."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "meshhub.cli", words[0], "--data", str(data), *words[1:],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=os.environ | {"TERM": "dumb"},
    )  # fmt: skip
    out, err = await child.communicate()
    return child.returncode or 0, out.decode().strip(), err.decode().strip()


async def test_a_device_is_used_by_name_from_the_command_line(tmp_path):
    async with served(tmp_path) as (hub, _), at_home(hub, LAMP, "lamp", "Kitchen") as lamp:
        assert await meshhub(tmp_path, "set", "kitchen", "lamp", "on=true") == (
            0,
            "lamp (Kitchen): on",
            "",
        )
        assert lamp.commands == [("light", "on", True)]
        assert (await meshhub(tmp_path, "get", "lamp", "level"))[1] == "50 %"
        assert (await meshhub(tmp_path, "rename", "kitchen", "lamp", "reading", "light"))[0] == 0
        code, out, _ = await meshhub(tmp_path, "history", "reading", "light", "--since", "1m", "--json")
        assert code == 0
        assert {"property": "light.on", "value": True}.items() <= json.loads(out)["readings"][-1].items()
        lamp.answering = False
        code, _, err = await meshhub(tmp_path, "set", "reading light", "on=false", "--json")
        assert (code, json.loads(err)["kind"]) == (1, "timeout")
        code, _, err = await meshhub(tmp_path, "get", "lamp", "--json")
        assert (code, json.loads(err)["candidates"]) == (1, ["Kitchen reading light"])
        assert (await meshhub(tmp_path, "forget", "reading light", "--yes"))[0] == 0
        assert json.loads((await meshhub(tmp_path, "devices", "--json"))[1]) == {"devices": []}


async def test_the_stream_tells_what_devices_report(tmp_path):
    async with served(tmp_path) as (hub, _), at_home(hub, CLIMATE, "climate", "Attic") as climate:
        with local_socket.short_path(tmp_path) as path:
            connector = aiohttp.UnixConnector(path)
            async with aiohttp.ClientSession("http://hub", connector=connector) as session:
                async with session.get("/api/events") as answer, asyncio.timeout(5):
                    await answer.content.readuntil(b"\n\n")
                    await climate.report("air", "temperature", 26.5)
                    while b'"value":26.5' not in await answer.content.readuntil(b"\n\n"):
                        pass
                    await climate.power_off()
                    while b'"online":false' not in await answer.content.readuntil(b"\n\n"):
                        pass


async def test_a_lock_is_marked_to_be_held(tmp_path):
    async with served(tmp_path) as (hub, _), at_home(hub, LOCK, "front door", "Hall"):
        answer = json.loads((await meshhub(tmp_path, "get", "front door", "--json"))[1])
        assert answer["properties"][0]["hold"] is True


async def test_the_disk_holds_no_secret_of_a_browser(tmp_path):
    async with served(tmp_path) as (_, dashboard):
        link = URL(dashboard.new_link())
        async with aiohttp.ClientSession(dashboard.url) as browser:
            async with browser.post("/api/sign-in", json={"token": link.fragment}) as answer:
                secrets = [
                    link.fragment,
                    (await answer.json())["key"],
                    next(iter(answer.cookies.values())).value,
                ]
    written = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert written
    assert not [octets for octets in written for secret in secrets if secret.encode() in octets]


@pytest.mark.parametrize("number", [2, 15])  # Ctrl-C and the service manager
async def test_run_prints_the_address_and_stops_cleanly(tmp_path, number):
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "meshhub.cli", "run", "--data", str(tmp_path / "data"), "--port", "0",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(20):
            line = b""
            while not line.startswith(b"Dashboard: "):
                line = await child.stdout.readline()
                assert line, "the hub ended"
            link = URL(line.decode().split()[1])
            assert link.host == "localhost"
            assert (await meshhub(tmp_path / "data", "status"))[0] == 0
            code, _, err = await meshhub(tmp_path / "data", "run")
            assert code == 1
            assert "another hub" in err.lower()
            child.send_signal(number)
            assert await child.wait() == 0
        assert not (tmp_path / "data" / local_socket.NAME).exists()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
