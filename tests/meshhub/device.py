"""A device of the home without firmware: the device side of the link over a real MQTT connection."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import aiomqtt

from mathmesh.keys import derive
from mathmesh.schema.build import make_cataloged_device, make_profile_device
from mathmesh.schema.validation import verify_profile_device
from meshhub.app import Hub
from meshhub.link_suite import HubSuite
from meshhub.links import BrokerLogin
from meshhub.mqtt import topics
from meshhub.mqtt.client import heeded
from meshhub.onboarding.home import Admission, BrokerAccount
from meshlink import record
from meshlink.ring import Ring
from meshlink.run_device import DeviceRun

LAMP: dict[str, Any] = {
    "d": 1,
    "v": 1,
    "m": "mesh/lamp1",
    "n": {"light": {"k": "light", "p": {"on": ["b", "w"], "level": ["i", "w"]}}},
}
CLIMATE: dict[str, Any] = {
    "d": 1,
    "v": 1,
    "m": "mesh/climate1",
    "n": {"air": {"k": "sensor", "p": {"temperature": ["f", "r"], "humidity": ["f", "r"]}}},
}
LOCK: dict[str, Any] = {
    "d": 1,
    "v": 1,
    "m": "mesh/lock1",
    "n": {"door": {"k": "lock", "p": {"locked": ["b", "w"]}}},
}
RECONNECT_SECONDS = 0.5
START = {
    "light.on": False,
    "light.level": 50,
    "air.temperature": 20.5,
    "air.humidity": 40.0,
    "door.locked": True,
}


class Device:
    """One device. `sent` and `got` are its MQTT payloads, `commands` what it acted on."""

    def __init__(self, admission: Admission, account_udf: bytes, description: dict[str, Any], port: int):
        self.udf = admission.udf
        self.topic_id = topics.topic_id(admission.topic_id)
        self.login = (admission.broker.user, admission.broker.password)
        self.port = port
        self.boot = 0
        self.ring = Ring(0)
        self.commands: list[tuple[str, str, object]] = []
        self.events: list[tuple[str, Any]] = []
        self.sent: list[bytes] = []
        self.got: list[bytes] = []
        self.answering = True
        self.connections = 0
        self._admission = admission
        self._account_udf = account_udf
        self._description = description
        self.values = {
            (node, prop): START[f"{node}.{prop}"]
            for node, entry in description["n"].items()
            for prop in entry["p"]
        }
        self._client: aiomqtt.Client | None = None
        self._task: asyncio.Task[None] | None = None
        self.session = asyncio.Event()

    def now(self) -> int:
        """Milliseconds since this boot."""
        return time.monotonic_ns() // 1_000_000 - self._started

    def power_on(self) -> None:
        """Cold boot."""
        self.boot += 1
        self._switched_off = False
        self._started = time.monotonic_ns() // 1_000_000
        self.ring = Ring(self.boot)
        self.run = DeviceRun(
            HubSuite(os.urandom),
            udf=self._admission.device_udf,
            account_udf=self._account_udf,
            topic_id=self._admission.topic_id,
            psk=self._admission.psk_run,
            boot=self.boot,
            description=self._description,
            ring=self.ring,
            state="CLAIMED",
            now=self.now(),
        )
        self._task = asyncio.create_task(self._live())

    async def power_off(self) -> None:
        """As a power cut: the connection breaks, nothing is said."""
        self._switched_off = True
        if self._task:
            if self._client is not None and (line := self._client._client.socket()) is not None:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.session.clear()

    async def report(self, node: str, prop: str, value: object) -> None:
        """A new reading."""
        self.values[node, prop] = value
        await self._carry_out(self.run.report([(node, prop, value)], self.now()))

    async def shake_hands(self) -> None:
        """Begin a new session, as a device does when its old one is worn out."""
        await self._carry_out(self.run._begin_try(self.now()))

    async def publish(self, payload: bytes) -> None:
        """Send anything at all as this device."""
        assert self._client is not None
        await self._client.publish(topics.up(self.topic_id), payload, qos=1, timeout=0.5)

    async def _live(self) -> None:
        while True:
            with suppress(aiomqtt.MqttError, ExceptionGroup):
                await self._connection()
            if self._switched_off:
                return
            self.run.stop(self.now())
            self.session.clear()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _connection(self) -> None:
        will = aiomqtt.Will(topics.presence(self.topic_id), b"offline", 1)
        user, password = self.login
        made = aiomqtt.Client(
            "127.0.0.1",
            self.port,
            username=user,
            password=password,
            identifier=user,
            will=will,
            timeout=3,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        async with heeded(made) as client:
            self._client = client
            self.connections += 1
            await client.subscribe(topics.down(self.topic_id), qos=1)
            await client.publish(topics.presence(self.topic_id), b"online", qos=1)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tick())
                await self._carry_out(self.run.start(self.now()))
                async for message in client.messages:
                    assert isinstance(message.payload, bytes)
                    self.got.append(message.payload)
                    octets = record.unframe(message.payload)
                    if octets is not None:
                        await self._carry_out(self.run.receive(octets, self.now()))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            if self.run.deadline is not None and self.run.deadline <= self.now():
                await self._carry_out(self.run.tick(self.now()))

    async def _carry_out(self, effects: list[tuple[Any, ...]]) -> None:
        for effect in effects:
            if effect[0] == "send":
                self.sent.append(record.frame(effect[1]))
                with suppress(aiomqtt.MqttError):
                    await self.publish(self.sent[-1])
            elif effect[0] == "event":
                await self._event(effect[1], effect[2])

    async def _event(self, name: str, value: Any) -> None:
        self.events.append((name, value))
        if name == "session":
            present = [(node, prop, held) for (node, prop), held in self.values.items()]
            await self._carry_out(self.run.report(present, self.now()))
            self.session.set()
        elif name == "command":
            self.commands.append((value["node"], value["prop"], value["v"]))
            self.values[value["node"], value["prop"]] = value["v"]
            if self.answering:
                await self._carry_out(self.run.result(value["id"], 0, value["v"], self.now()))
                await self.report(value["node"], value["prop"], value["v"])


def prepare(
    hub: Hub, description: dict[str, Any], name: str, room: str | None = None
) -> tuple[Admission, bytes]:
    """A fresh device as a finished onboarding hands it to the home, and the account's UDF octets."""
    account = hub.account
    profile = make_profile_device(derive.new_seed(derive.PROFILE_DEVICE, os.urandom), datetime.now(UTC))
    cataloged = make_cataloged_device(
        account.profile_envelope,
        profile,
        account.administrator,
        ("device",),
        derive.new_seed(derive.ACTIVATION_ACCOUNT, os.urandom),
        os.urandom,
        datetime.now(UTC),
        local_name=name,
        room=room,
        description=description,
    )
    signature = verify_profile_device(profile).profile_signature
    owner = account.profile_user.profile_signature
    assert signature is not None
    assert owner is not None
    login = BrokerLogin.make(os.urandom)
    admission = Admission(
        cataloged=cataloged,
        claim_message_id="",
        publication_id="",
        udf=cataloged.device_udf or "",
        device_udf=signature.public_key().udf_bytes,
        topic_id=os.urandom(10),
        broker=BrokerAccount(user=login.user, password=login.password),
        psk_run=os.urandom(32),
        psk_repair=os.urandom(32),
        own=os.urandom(32),
    )
    return admission, owner.public_key().udf_bytes


async def adopt(hub: Hub, description: dict[str, Any], name: str, room: str | None = None) -> Device:
    """Make a device one of the home and switch it on."""
    admission, account_udf = prepare(hub, description, name, room)
    await hub.home.admit(admission)
    device = Device(admission, account_udf, description, hub.broker.port)
    device.power_on()
    return device
