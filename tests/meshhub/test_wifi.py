"""The household's networks: from `meshhub wifi` to the memory of a device that is added."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mathmesh.schema.cataloged import CatalogedNetwork
from meshfactory import workshop
from meshfactory.product import PRODUCTS
from meshfactory.simulate import SimulatedDevice
from meshhub.app import Hub
from meshhub.cli import commands
from meshhub.config import Config
from meshhub.dashboard.label_image import read_label
from meshhub.dashboard.server import Dashboard
from meshservice.http import add_service

PHRASE = "canary-phrase-7Q"
Wifi = Callable[..., Awaitable[Result]]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub with its local socket."""
    data = tmp_path / "data"
    async with AsyncExitStack() as running:
        made = Hub(Config.load(data, mqtt_port=0, dashboard_port=0), entropy=os.urandom)
        running.push_async_callback(made.stop)
        await made.start()
        dashboard = Dashboard(
            made, data, port=0, add_local=lambda local: add_service(local, made.service, public_only=False)
        )
        running.push_async_callback(dashboard.stop)
        await dashboard.start()
        yield made


@pytest.fixture
def wifi(hub: Hub) -> Wifi:
    """Runs `meshhub wifi`; the hub goes on in this loop meanwhile."""

    async def run(*words: str, typed: str = "") -> Result:
        arguments = ["wifi", words[0], "--data", str(hub.data), *words[1:]]
        return await asyncio.to_thread(CliRunner().invoke, commands, arguments, input=typed)

    return run


async def listed(wifi: Wifi) -> list[dict[str, Any]]:
    return json.loads((await wifi("list", "--json")).output)["networks"]


async def test_commands(hub: Hub, wifi: Wifi, tmp_path: Path) -> None:
    assert "No networks yet" in (await wifi("list")).output
    added = await wifi("add", "home", typed=PHRASE + "\n")
    assert (added.exit_code, added.stderr) == (0, "")
    assert "join home" in added.output
    await wifi("add", "guests", "--open")
    assert await listed(wifi) == [
        {"ssid": "home", "protected": True, "given": True},
        {"ssid": "guests", "protected": False, "given": True},
    ]
    shown = await wifi("list")
    assert "home" in shown.output
    assert PHRASE not in shown.output + added.output
    assert hub.home.networks() == [["home", PHRASE], ["guests", ""]]
    seen = await wifi("add", "home", "password2")
    assert "list of processes" in seen.stderr
    assert hub.home.networks()[0] == ["home", "password2"]
    conf = tmp_path / "wpa.conf"
    conf.write_text(
        'network={\n ssid="more"\n psk="password3"\n}\n'
        'network={\n ssid="work"\n key_mgmt=WPA-EAP\n identity="a"\n password="b"\n}\n'
    )
    imported = await wifi("import", str(conf))
    assert (imported.exit_code, "Passed over work" in imported.stderr) == (0, True)
    assert (await wifi("forget", "home")).output == "Forgot home.\n"
    assert [one["ssid"] for one in await listed(wifi)] == ["guests", "more"]


async def test_what_is_refused(hub: Hub, wifi: Wifi) -> None:
    for words, typed, code, reason in (
        (("add", "home"), "short\n", 1, "8 to 63"),
        (("add", "x" * 33), PHRASE, 1, "1 to 32"),
        (("add", "home"), "", 2, "empty"),
        (("add", "home", "password", "--open"), "", 2, "no password"),
        (("forget", "nowhere"), "", 1, "no network nowhere"),
    ):
        refused = await wifi(*words, typed=typed)
        assert refused.exit_code == code, refused.stderr
        assert reason in refused.stderr
        assert typed.strip() == "" or typed.strip() not in refused.stderr
    assert await listed(wifi) == []


async def test_only_networks_for_devices_where_there_are_any(hub: Hub, wifi: Wifi) -> None:
    hotel = CatalogedNetwork(protocol="wifi", service="hotel", password="password1")
    await hub.account.update("MMM_Network", [hotel])
    assert hub.home.networks() == [["hotel", "password1"]]
    await wifi("add", "home", typed=PHRASE)
    assert hub.home.networks() == [["home", PHRASE]]
    assert [one["given"] for one in await listed(wifi)] == [False, True]


@pytest.mark.slow
async def test_a_device_that_is_added_learns_the_network(hub: Hub, wifi: Wifi, tmp_path: Path) -> None:
    await wifi("add", "home of the canary", typed=PHRASE)
    made = await workshop.make(PRODUCTS["light"], data=hub.data, out=tmp_path / "unit")
    flash = made.folder / workshop.FLASH
    device = SimulatedDevice(flash, interval=1)
    device.start()
    try:
        port = await asyncio.to_thread(device.wait_port)
        code = read_label((made.folder / "label.png").read_bytes())
        await hub.onboarding.start(code, at=f"127.0.0.1:{port}", yes=True, name="lamp").wait()
    finally:
        device.stop()
    kept = b"".join(path.read_bytes() for path in sorted(flash.rglob("*")) if path.is_file())
    assert b"home of the canary" in kept
    assert PHRASE.encode() in kept
