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


async def test_ending_while_it_signs_in_leaves_no_error_behind() -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
    connections: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.put_nowait(writer)

    async def nothing(*_: object) -> None: ...

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    login = Login(host="127.0.0.1", port=server.sockets[0].getsockname()[1], user="hub", password="")
    client = MqttClient(login, (), nothing, nothing)
    running = asyncio.create_task(client.run())
    async with asyncio.timeout(5):
        connection = await connections.get()
    await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.wait([running])
    connection.transport.abort()
    server.close()
    await asyncio.sleep(0.1)
    assert failures == []
