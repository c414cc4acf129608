"""The hub's own connection to the broker: aiomqtt wrapped once, and the only owner of reconnecting.

Sending never waits: what cannot be sent is dropped, since the link above repeats what matters.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import aiomqtt

from meshhub import logging
from meshhub.broker.base import Login
from meshhub.tasks import outcome

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
EAGER_ATTEMPTS = 40
KEEPALIVE = 15
CONNECT_SECONDS = 3
PUBLISH_SECONDS = 20
INCOMING = 20_000
OUTGOING = 20_000
IN_FLIGHT = 64


def heeded(client: aiomqtt.Client) -> aiomqtt.Client:
    """`client`, whose loss of the connection counts as seen. aiomqtt keeps it in a future that nobody asks
    when the user of the client ends for another reason, and asyncio would report that as forgotten.
    """
    client._disconnected.add_done_callback(lambda lost: lost.cancelled() or lost.exception())
    return client


Deliver = Callable[[str, bytes], Awaitable[None]]

log = logging.get(__name__)


class MqttClient:
    """Connection of the hub. `deliver` gets each message that is not retained, in order, one at a time."""

    def __init__(
        self,
        login: Login,
        subscriptions: Sequence[str],
        deliver: Deliver,
        connected: Callable[[], Awaitable[None]],
    ):
        self._login = login
        self._subscriptions = subscriptions
        self._deliver = deliver
        self._on_connected = connected
        self._outgoing: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(OUTGOING)
        self.connected = asyncio.Event()
        self.dropped = 0
        self._failures = 0

    def send(self, topic: str, payload: bytes) -> None:
        """Hand a message (QoS 1) over for sending; dropped when there is no connection."""
        if not self.connected.is_set():
            self.dropped += 1
            return
        try:
            self._outgoing.put_nowait((topic, payload))
        except asyncio.QueueFull:
            self.dropped += 1

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            error = await outcome(self._connection())
            self.connected.clear()
            if error is not None and not _is_connection_error(error):
                raise error
            if self._failures == 0:
                log.warning("no connection to the broker", error=error)
            self._failures += 1
            await asyncio.sleep(_pause(self._failures))

    async def drain(self, seconds: float) -> None:
        """Wait until everything handed over has gone out, at most that long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._outgoing.join()

    def _client(self) -> aiomqtt.Client:
        client = aiomqtt.Client(
            self._login.host,
            self._login.port,
            username=self._login.user,
            password=self._login.password,
            identifier=self._login.user,
            keepalive=KEEPALIVE,
            timeout=CONNECT_SECONDS,
            max_queued_incoming_messages=INCOMING,
            max_inflight_messages=IN_FLIGHT,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        client.pending_calls_threshold = 2 * IN_FLIGHT
        return heeded(client)

    async def _connection(self) -> None:
        client = self._client()
        try:
            async with client:
                self._failures = 0
                await self._use(client)
        finally:
            # aiomqtt forgets the connection when it is cancelled while it signs in; what is told of it later
            # would meet a future that was cancelled.
            client._client.on_disconnect = None

    async def _use(self, client: aiomqtt.Client) -> None:
        for subscription in self._subscriptions:
            await client.subscribe(subscription, qos=1)
        if (task := asyncio.current_task()) is not None and task.cancelling():
            # An answer that comes in the moment of the cancellation makes asyncio.wait_for hide it.
            raise asyncio.CancelledError
        self._forget_outgoing()
        self.connected.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_all(client), name="mqtt send")
            await self._on_connected()
            async for message in client.messages:
                if not message.retain and isinstance(message.payload, bytes):
                    await self._deliver(str(message.topic), message.payload)

    async def _send_all(self, client: aiomqtt.Client) -> None:
        free = asyncio.Semaphore(IN_FLIGHT)

        async def publish(topic: str, payload: bytes) -> None:
            try:
                await client.publish(topic, payload, qos=1, timeout=PUBLISH_SECONDS)
            finally:
                free.release()
                self._outgoing.task_done()

        async with asyncio.TaskGroup() as tasks:
            while True:
                # Tasks start in the order in which they are made, so messages keep theirs.
                await free.acquire()
                topic, payload = await self._outgoing.get()
                tasks.create_task(publish(topic, payload))

    def _forget_outgoing(self) -> None:
        while not self._outgoing.empty():
            self._outgoing.get_nowait()
            self._outgoing.task_done()


def _is_connection_error(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_connection_error(inner) for inner in error.exceptions)
    return isinstance(error, aiomqtt.MqttError | asyncio.CancelledError)


def _pause(failures: int) -> float:
    """Seconds before the next attempt. A broker on this machine is back at once, and what devices say
    before the hub has subscribed is lost, so the first attempts follow closely.
    """
    late = max(failures - EAGER_ATTEMPTS, 0)
    return float(min(FIRST_PAUSE * 2 ** min(late, 10), LONGEST_PAUSE))
