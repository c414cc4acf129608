import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshhub.app import Hub
from meshhub.broker import mosquitto
from meshhub.config import Config
from meshhub.telemetry_batch import decode
from meshhub.telemetry_store import store_name

from .device import CLIMATE, Device

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
KILLS = 6


@asynccontextmanager
async def hub_process(data: Path, broker: str) -> AsyncIterator[dict[str, Any]]:
    """A hub that is killed in the end."""
    script = Path(__file__).with_name("hub_process.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        str(data),
        broker,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        yield json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    finally:
        process.kill()
        await process.wait()


def as_device(told: dict[str, Any]) -> Device:
    admission: Any = SimpleNamespace(
        udf=told["udf"],
        device_udf=bytes.fromhex(told["device_udf"]),
        topic_id=bytes.fromhex(told["topic_id"]),
        psk_run=bytes.fromhex(told["psk_run"]),
        broker=SimpleNamespace(user=told["user"], password=told["password"]),
    )
    return Device(admission, bytes.fromhex(told["account_udf"]), CLIMATE, told["port"])


def repeated(hub: Hub, device: Device) -> list[int]:
    """The numbers that the store accounts for without a value: what the device told again."""
    sequence = hub.account.local_sequence(store_name(device.udf))
    batches = [decode(sequence.plaintext(frame)) for frame in range(1, sequence.count)]
    return [s for batch in batches for one in batch.repeats for s in range(one.first, one.last + 1)]


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
async def test_a_killed_hub_loses_nothing_that_was_receipted(tmp_path: Path, broker: str) -> None:
    if broker == "mosquitto" and mosquitto.find() is None:
        pytest.skip("mosquitto is not installed")
    data = tmp_path / "data"
    device: Device | None = None
    reported: list[float] = []
    chance = random.Random(7)
    try:
        for _ in range(KILLS):
            async with hub_process(data, broker) as told:
                if device is None:
                    device = as_device(told)
                    device.power_on()
                await asyncio.wait_for(device.session.wait(), 10)
                for _ in range(chance.randint(3, 30)):
                    reported.append(float(len(reported)))
                    await device.report("air", "temperature", reported[-1])
                    await asyncio.sleep(0.005)
        assert device is not None
        hub = Hub(Config(data=data, broker=broker, mqtt_port=0, batch_seconds=0.05))  # type: ignore[arg-type]
        await hub.start()
        try:
            async with asyncio.timeout(15):
                while len(device.ring):  # noqa: ASYNC110 - the device frees its ring by itself
                    await asyncio.sleep(0.05)
            readings = await hub.telemetry.history(device.udf, EPOCH)
            assert await hub.telemetry.gaps(device.udf, EPOCH) == []
            verified = hub.account.local_sequence(store_name(device.udf)).verify()
            assert verified
            told_again = repeated(hub, device)
        finally:
            await hub.stop()
    finally:
        if device is not None:
            await device.power_off()
    numbers = [reading.s for reading in readings]
    assert numbers == sorted(numbers)
    assert sorted([*numbers, *told_again]) == list(range(1, len(numbers) + len(told_again) + 1))
    stored = [reading.value for reading in readings if reading.property == "temperature"]
    changes = [value for number, value in enumerate(stored) if not number or stored[number - 1] != value]
    assert changes == [20.5, *reported]
