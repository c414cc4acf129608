"""The MQTT client against a real broker, and against peers that misbehave."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from meshdevice.mqtt import MqttClient, MqttError

MICROPYTHON = Path(sys.executable).with_name("micropython")
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Inbox:
    """Messages that came, and waiting for them."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    def __call__(self, topic: str, payload: bytes) -> None:
        self._messages.put_nowait((topic, payload))

    async def wait(self, count: int) -> list[tuple[str, bytes]]:
        async with asyncio.timeout(5):
            return [await self._messages.get() for _ in range(count)]


@asynccontextmanager
async def _connected(
    broker: Any, name: str, inbox: Inbox | None = None, **options: Any
) -> AsyncIterator[MqttClient]:
    client = MqttClient(name, user=broker.user, password=broker.password, on_message=inbox, limit=3)
    await client.connect("127.0.0.1", broker.port, **options)
    running = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        await client.disconnect()
        with pytest.raises(MqttError):
            await running


@pytest.mark.parametrize("qos", [0, 1])
async def test_messages_of_all_sizes_arrive_once_and_in_order(broker: Any, qos: int) -> None:
    inbox = Inbox()
    payloads = [bytes([size % 251]) * size for size in (0, 1, 100, 128, 1000, 4127)]
    async with _connected(broker, "a", inbox) as receiver, _connected(broker, "b") as sender:
        await receiver.subscribe("mh/1/x/dn")
        for payload in payloads:
            await sender.publish("mh/1/x/dn", payload, qos=qos)
        assert await inbox.wait(len(payloads)) == [("mh/1/x/dn", payload) for payload in payloads]


async def test_retained_messages_are_not_delivered(broker: Any) -> None:
    inbox = Inbox()
    async with _connected(broker, "a") as sender:
        await sender.publish("t", b"old", retain=True)
    async with _connected(broker, "b", inbox) as receiver, _connected(broker, "c") as sender:
        await receiver.subscribe("t")
        await sender.publish("t", b"new")
        assert await inbox.wait(1) == [("t", b"new")]


async def test_the_will_tells_of_a_lost_device_but_not_of_one_that_leaves(broker: Any) -> None:
    inbox = Inbox()
    async with _connected(broker, "watcher", inbox) as watcher:
        await watcher.subscribe("p")
        async with _connected(broker, "leaves", will=("p", b"leaves")):
            pass
        async with _connected(broker, "lost", will=("p", b"lost")) as lost:
            await lost.close()
        assert await inbox.wait(1) == [("p", b"lost")]


async def test_a_wrong_password_is_told_apart_from_an_absent_broker(broker: Any) -> None:
    client = MqttClient("x", user=broker.user, password="wrong", limit=3)
    with pytest.raises(MqttError) as refused:
        await client.connect("127.0.0.1", broker.port)
    assert refused.value.code in (4, 5)
    broker.kill()
    with pytest.raises(MqttError) as absent:
        await client.connect("127.0.0.1", broker.port)
    assert absent.value.code == 0


async def test_waiting_publishers_are_woken_when_the_broker_dies(broker: Any) -> None:
    client = MqttClient("x", user=broker.user, password=broker.password, limit=30)
    await client.connect("127.0.0.1", broker.port)
    running = asyncio.create_task(client.run())
    broker.kill()
    with pytest.raises(MqttError):
        await asyncio.wait_for(_publish_for_ever(client), 3)
    with pytest.raises(MqttError):
        await running


async def _publish_for_ever(client: MqttClient) -> None:
    while True:
        await client.publish("t", b"x")


@asynccontextmanager
async def _peer(handler: Handler) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def _says(answer: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(answer)
        await reader.read()
        writer.close()

    return handler


@pytest.mark.parametrize(
    "handler",
    [
        _silent,
        _says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        _says(b"\x20\xff\xff\xff\xff\xff"),
        _says(b"\x20\xff\xff\xff\x7f"),
        _says(b"\x20\x02\x00"),
    ],
)
async def test_no_peer_can_hold_or_crash_a_connection(handler: Handler) -> None:
    async with _peer(handler) as port:
        client = MqttClient("x", limit=0.3)
        async with asyncio.timeout(4):
            with pytest.raises(MqttError):
                await client.connect("127.0.0.1", port)


@pytest.mark.parametrize(
    "after", [b"\x34\x05\0\1a\0\1", b"\x30\xff\xff\x7f", b"\x30\x00", b"\x40\x00\x90\x00\xf0\x00"]
)
async def test_malformed_packets_end_or_pass_but_never_crash(after: bytes) -> None:
    async with _peer(_says(b"\x20\x02\x00\x00" + after)) as port:
        client = MqttClient("x", limit=0.3)
        await client.connect("127.0.0.1", port)
        with pytest.raises(MqttError):
            await client.publish("t", b"x")
        async with asyncio.timeout(3):
            with pytest.raises(MqttError):
                await client.run()


async def test_a_silent_broker_is_left_after_the_keepalive() -> None:
    async with _peer(_says(b"\x20\x02\x00\x00")) as port:
        client = MqttClient("x", keepalive=1, limit=0.3)
        await client.connect("127.0.0.1", port)
        async with asyncio.timeout(5):
            with pytest.raises(MqttError, match="silent"):
                await client.run()


@pytest.mark.skipif(not MICROPYTHON.is_file(), reason="no MicroPython wheel for this machine")
def test_the_same_client_on_micropython(broker: Any) -> None:
    checkout = Path(__file__).parents[2]
    done = subprocess.run(
        [
            str(MICROPYTHON),
            "-X",
            "heapsize=96K",
            str(checkout / "tests" / "micropython" / "scripts" / "mqtt.py"),
            *(str(broker.port), broker.user, broker.password),
        ],
        env={
            "MICROPYPATH": f"{checkout / 'device_firmware'}:{checkout / 'hub'}:.frozen",
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.endswith("passed\n"), done.stdout + done.stderr
