"""Attacks on a device that runs: whoever has the broker can delay and drop, and nothing else."""

import asyncio
from typing import Any

import aiomqtt
import pytest

from meshlink import messages, record
from meshlink.record import unframe

pytestmark = pytest.mark.slow


class Tap:
    """Everything that crosses the broker, as (topic, payload)."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.seen: list[tuple[str, bytes]] = []

    async def run(self) -> None:
        await self._client.subscribe("mh/#", qos=1)
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            self.seen.append((str(message.topic), message.payload))

    def records(self, end: str) -> list[tuple[str, bytes]]:
        """Data records of one direction."""
        return [(t, p) for t, p in self.seen if t.endswith(end) and len(p) > 2 and p[2] == record.DATA]


def _topic(world: Any, unit: Any, end: str) -> str:
    return messages.topic(world.hub.links.get(unit.udf).topic_octets, end)


async def _readings(world: Any, name: str) -> list[Any]:
    from datetime import UTC, datetime, timedelta

    await world.hub.telemetry.flush()
    device = world.hub.registry.resolve(name)
    return list(await world.hub.telemetry.history(device, datetime.now(UTC) - timedelta(hours=1)))


async def test_replayed_reordered_and_flipped_telemetry_adds_nothing(world: Any) -> None:
    unit = await world.at_home("climate", "window")
    async with world.rogue_broker_client() as client:
        tap = Tap(client)
        tapping = asyncio.create_task(tap.run())
        await world.until(lambda: len(tap.records("/up")) >= 3)
        tapping.cancel()
        unit.device.stop()
        await asyncio.sleep(0.3)
        before = await _readings(world, "window")
        assert before
        captured = tap.records("/up")
        for topic, payload in [*captured, *reversed(captured)]:
            await client.publish(topic, payload, qos=1)
        for topic, payload in captured:
            for octet in range(0, len(payload), 7):
                for bit in (0, 7):
                    changed = bytearray(payload)
                    changed[octet] ^= 1 << bit
                    await client.publish(topic, bytes(changed), qos=1)
        for junk in (b"", b"\0", b"\xff" * 8_000, b"\0\x0d" + bytes(13)):
            await client.publish(_topic(world, unit, "up"), junk, qos=1)
        await asyncio.sleep(0.5)
    assert await _readings(world, "window") == before
    assert world.hub.broker.running


async def test_records_of_one_device_are_not_taken_for_another(world: Any) -> None:
    one = await world.at_home("climate", "window")
    two = await world.at_home("light", "lamp")
    async with world.rogue_broker_client() as client:
        tap = Tap(client)
        tapping = asyncio.create_task(tap.run())
        await world.until(lambda: len(tap.records("/up")) >= 3)
        tapping.cancel()
        before = dict(world.hub.registry.resolve("lamp").values)
        for topic, payload in tap.records("/up"):
            if topic == _topic(world, one, "up"):
                await client.publish(_topic(world, two, "up"), payload, qos=1)
        await asyncio.sleep(0.3)
    after = {key: value.value for key, value in world.hub.registry.resolve("lamp").values.items()}
    assert after == {key: value.value for key, value in before.items()}
    assert world.hub.registry.resolve("lamp").online


async def test_a_replayed_or_changed_command_does_not_act(world: Any) -> None:
    unit = await world.at_home("light", "lamp")
    lamp = world.hub.registry.resolve("lamp")
    async with world.rogue_broker_client() as client:
        tap = Tap(client)
        tapping = asyncio.create_task(tap.run())
        await asyncio.sleep(0.2)
        await world.hub.commands.set(lamp, {"light.on": True})
        captured = tap.records("/dn")
        await world.hub.commands.set(lamp, {"light.on": False})
        tapping.cancel()
        assert captured
        for topic, payload in captured:
            await client.publish(topic, payload, qos=1)
            for octet in range(2, len(payload)):
                changed = bytearray(payload)
                changed[octet] ^= 0x10
                await client.publish(topic, bytes(changed), qos=1)
        await asyncio.sleep(0.5)
    assert unit.device.status()["outputs"] == {"light": 0}
    assert await world.hub.commands.set(lamp, {"light.on": True}) == {"light.on": True}


async def test_a_replayed_init_neither_replaces_the_session_nor_raises_an_alarm(world: Any) -> None:
    from meshhub.events import Alarm

    unit = await world.unit()
    async with world.rogue_broker_client() as client:
        tap = Tap(client)
        tapping = asyncio.create_task(tap.run())
        await world.adopt(unit, await unit.power_on(), name="lamp")
        await world.until(lambda: world.hub.registry.resolve("lamp").online)
        tapping.cancel()
        inits = [(t, p) for t, p in tap.seen if (one := unframe(p)) and one[0] == record.INIT_RUN]
        assert inits
        with world.hub.events.subscribe() as events:
            for topic, payload in inits * 3:
                await client.publish(topic, payload, qos=1)
            await asyncio.sleep(0.5)
            world.hub.events.close()
            alarms = [event async for event in events if isinstance(event, Alarm)]
    assert alarms == []
    lamp = world.hub.registry.resolve("lamp")
    assert await world.hub.commands.set(lamp, {"light.on": True}) == {"light.on": True}
