"""The hub's own connection to the broker, where the library underneath behaves badly."""

import asyncio
from typing import Any

from meshhub.broker.base import Login
from meshhub.mqtt.client import MqttClient


class HidesTheCancellation:
    """A client whose subscription is answered in the moment in which it is cancelled."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def subscribe(self, *_: object, **__: object) -> None:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    @property
    async def messages(self) -> Any:
        await asyncio.Event().wait()
        yield


async def test_a_hub_that_stops_while_it_subscribes_stops() -> None:
    """It went on for ever, and the hub with it."""

    async def deliver(topic: str, payload: bytes) -> None: ...

    async def connected() -> None: ...

    client = MqttClient(
        Login(host="127.0.0.1", port=1, user="u", password="p"), ("mh/1/+/up",), deliver, connected
    )
    broker = HidesTheCancellation()
    using = asyncio.create_task(client._use(broker))  # type: ignore[arg-type]
    await broker.asked.wait()
    using.cancel()
    done, _ = await asyncio.wait({using}, timeout=2)
    if not done:
        using.cancel()
    assert done
    assert using.cancelled()
