"""Strangers reach the household's service on loopback, and only its public operations."""

from pathlib import Path

import aiohttp
import pytest

from meshhub.app import Hub
from meshhub.config import Config


@pytest.fixture
async def address(tmp_path: Path):
    hub = Hub(Config.load(tmp_path / "data", mqtt_port=0, service_port=0))
    await hub.start()
    yield hub.status()["service"]
    await hub.stop()


@pytest.mark.parametrize(
    ("operation", "members", "status"),
    [
        ("Hello", {}, 201),
        ("PollClaim", {"TargetAccountAddress": "maker@hub.local", "PublicationId": "EBQB"}, 404),
        ("Status", {}, 401),
        ("Download", {"Select": [{"Container": "MMM_Device", "IndexMin": 0}]}, 401),
        ("Transact", {"Updates": []}, 401),
    ],
)
async def test_public_operations_only(
    address: str, operation: str, members: dict[str, object], status: int
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            address, json={operation: members}, headers={"Mesh-Account": "home@hub.local"}
        ) as answer,
    ):
        assert answer.status == 200
        [(name, content)] = (await answer.json()).items()
        assert name.endswith("Response")
        assert content["Status"] == status
