"""The hub's own connection to the broker: aiomqtt wrapped once, and the only owner of reconnecting.

Sending never waits: what cannot be sent is dropped, since the link above repeats what matters.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import aiomqtt

from meshhub import logging
from meshhub.broker.base import Login

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
KEEPALIVE = 15
TIMEOUT = 10
INCOMING = 20_000
OUTGOING = 20_000
IN_FLIGHT = 64

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
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._client() as client:
                    pause = FIRST_PAUSE
                    await self._use(client)
            except* aiomqtt.MqttError as group:
                log.warning("no connection to the broker", error=group.exceptions[0])
            finally:
                self.connected.clear()
            # Jitter here is for spreading attempts, not for secrecy.
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
            pause = min(pause * 2, LONGEST_PAUSE)

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
            timeout=TIMEOUT,
            max_queued_incoming_messages=INCOMING,
            max_inflight_messages=IN_FLIGHT,
        )
        client.pending_calls_threshold = 2 * IN_FLIGHT
        return client

    async def _use(self, client: aiomqtt.Client) -> None:
        for subscription in self._subscriptions:
            await client.subscribe(subscription, qos=1)
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
                await client.publish(topic, payload, qos=1)
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
