"""What a thief of the disk without the key file, the broker and the logs see: nothing of the household."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mathmesh.schema.cataloged import CatalogedNetwork

pytestmark = pytest.mark.slow
NAME, ROOM, SSID, PHRASE = "canary-window", "canary-hall", "canary-net", "canary-phrase"


async def test_canaries_and_keys_lie_nowhere_in_clear(
    world: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network = CatalogedNetwork(service=SSID, password=PHRASE, protocol="wifi")
    await world.hub.account.update("MMM_Network", [network])
    unit = await world.unit("climate")
    spied = bytearray()
    async with world.rogue_broker_client() as client:
        await client.subscribe("mh/#", qos=1)

        async def listen() -> None:
            async for message in client.messages:
                spied.extend(str(message.topic).encode() + bytes(message.payload))

        listening = asyncio.create_task(listen())
        await world.adopt(unit, await unit.power_on(), name=NAME, room=ROOM)
        await world.until(lambda: len(world.hub.registry.resolve(NAME).values) == 2)
        await asyncio.sleep(1.5)
        listening.cancel()
    await world.hub.telemetry.flush()
    link = world.hub.links.get(unit.udf)
    keys = json.loads((world.hub.data / "keys.json").read_text())
    seeds = [text for text in _texts(keys) if text.startswith("ZAA")]
    assert len(seeds) >= 5
    words = [NAME, ROOM, SSID, PHRASE, "temperature", unit.code.rsplit("/", 1)[1], *seeds]
    needles = [word.encode() for word in words]
    for secret in (link.psk_run, link.psk_repair, link.own):
        needles += [secret, secret.hex().encode(), base64.urlsafe_b64encode(secret).rstrip(b"=")]

    files = [path for path in world.hub.data.rglob("*") if path.is_file() and path.name != "keys.json"]
    assert any("MMM_Telemetry" in path.name for path in files)
    printed = "".join(capfd.readouterr())
    places = {str(path.relative_to(tmp_path)): path.read_bytes() for path in files}
    places |= {"broker traffic": bytes(spied), "standard output and error": printed.encode()}
    found = [
        (place, needle[:12]) for place, content in places.items() for needle in needles if needle in content
    ]
    assert found == []
    assert len(spied) > 500


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for member in value.values() for text in _texts(member)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
