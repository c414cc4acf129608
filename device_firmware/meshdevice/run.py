"""Running: joins the link's running state machine to MQTT, the nodes and the clock.

The network and broker connection is owned here, with the only backoff for it; handshakes and their pauses are
the link's own affair.
"""

import asyncio

from mathmesh.codec import base32
from meshdevice import hub_address
from meshdevice.backoff import Backoff
from meshdevice.capability import CapabilityError
from meshdevice.mqtt import MqttClient, MqttError
from meshlink import messages
from meshlink.record import frame, unframe
from meshlink.run_device import DeviceRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from meshdevice.adoption import Adoption
    from meshdevice.capability import Capability, Property
    from meshdevice.parts import Board, Entry, Network
    from meshdevice.runtime import Clock
    from meshlink.ring import Ring

BROKER_REFUSES = 36
HUB_UNREACHABLE = 35

_FIRST_PAUSE_MS = 1000
_LONGEST_PAUSE_MS = 300000
_ONLINE = b"online"
_OFFLINE = b"offline"


class Runner:
    """One adoption's running link.

    nodes: capability objects by name; sample_ms, heartbeat_ms: how often sensors are read and the values of
    actuators repeated; on_session: the hub has proved itself; on_forget: the owner gives the device up.
    """

    def __init__(
        self,
        suite: "Any",
        adoption: "Adoption",
        *,
        udf: bytes,
        description: dict[str, object],
        nodes: "dict[str, Capability]",
        network: "Network",
        board: "Board",
        clock: "Clock",
        ring: "Ring",
        sample_ms: int,
        heartbeat_ms: int,
        on_session: "Callable[[], None]",
        on_forget: "Callable[[], None]",
    ) -> None:
        self._suite = suite
        self._adoption = adoption
        self._nodes = nodes
        self._network = network
        self._board = board
        self._clock = clock
        self._sample_ms = sample_ms
        self._heartbeat_ms = heartbeat_ms
        self._on_session = on_session
        self._on_forget = on_forget
        self._topic_id = adoption.topic_id
        self._backoff = Backoff(_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS, suite.random)
        self._queue: list[bytes] = []
        self._wake = asyncio.Event()
        self._client: MqttClient | None = None
        self._next_sample = self._next_heartbeat = clock.now()
        self.error = 0
        self.link = DeviceRun(
            suite,
            udf=udf,
            account_udf=adoption.audf,
            topic_id=adoption.topic_id,
            psk=adoption.psk_run,
            boot=ring.boot,
            description=description,
            ring=ring,
            state=adoption.state,
            now=clock.now(),
        )
        self.link.gate.restore(adoption.acts())

    async def run(self) -> None:
        """Keep a connection to the hub's broker until cancelled."""
        while True:
            await self._connect_once()
            pause = self._backoff.pause()
            self._board.event("offline", error=self.error, pause=pause)
            await asyncio.sleep(pause / 1000)

    def step(self) -> None:
        """Let time pass and read the sensors; the main loop calls this."""
        now = self._clock.now()
        if self.link.deadline is not None and now >= self.link.deadline:
            self._carry_out(self.link.tick(now))
        if now >= self._next_sample:
            self._next_sample = now + self._sample_ms
            self.report(self._measured())
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + self._heartbeat_ms
            self.report(self._held())

    def report(self, entries: "list[Entry]") -> None:
        """Queue [(node, property, value)] for the hub; without a session they wait in the ring."""
        if entries:
            self._carry_out(self.link.report(entries, self._clock.now()))

    def close(self) -> None:
        """Forget the keys of the session; `run` has been cancelled before."""
        self.link.erase()

    async def _connect_once(self) -> None:
        secrets = self._adoption.secrets
        self.error = await self._network.join(secrets["wifi"])
        if self.error:
            return
        for hub in secrets["hub"]:
            try:
                await self._serve(hub, secrets)
            except MqttError as error:
                self.error = BROKER_REFUSES if error.code else HUB_UNREACHABLE
            except ValueError:
                self.error = HUB_UNREACHABLE

    async def _serve(self, hub: str, secrets: "dict[str, Any]") -> None:
        host, port, tls = hub_address.parse(hub)
        user, password = secrets["mq"]
        client = MqttClient(
            base32.encode(self._topic_id).lower(), user=user, password=password, on_message=self._message
        )
        presence = messages.topic(self._topic_id, "p")
        security = _security(secrets["ca"]) if tls else None
        await client.connect(host, port, will=(presence, _OFFLINE), ssl=security)
        self._client = client
        tasks = [asyncio.create_task(client.run()), asyncio.create_task(self._publish(client))]
        try:
            await client.subscribe(messages.topic(self._topic_id, "dn"))
            await client.publish(presence, _ONLINE, qos=0, retain=True)
            self._board.event("broker", hub=hub)
            self._carry_out(self.link.start(self._clock.now()))
            await tasks[0]
        finally:
            self._client = None
            self._queue.clear()
            self._carry_out(self.link.stop(self._clock.now()))
            await client.disconnect()
            for task in tasks:
                await _ended(task)

    async def _publish(self, client: MqttClient) -> None:
        up = messages.topic(self._topic_id, "up")
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    await client.publish(up, frame(self._queue.pop(0)))
        except MqttError:
            await client.close()

    def _message(self, topic: str, payload: bytes) -> None:
        record = unframe(payload)
        if record is not None:
            self._carry_out(self.link.receive(record, self._clock.now()))

    def _carry_out(self, effects: "list[tuple[Any, ...]]") -> None:
        for name, *rest in effects:
            if name == "send" and self._client is not None:
                self._queue.append(rest[0])
                self._wake.set()
            elif name == "store" and rest[0] == "act":
                self._adoption.acted(rest[1])
            elif name == "event":
                self._event(rest[0], rest[1])

    def _event(self, name: str, value: "Any") -> None:
        if name == "session":
            self._backoff.reset()
            self.error = 0
            self._on_session()
            self.report(self._present())
        elif name == "command":
            self._command(value)
        elif name == "ent":
            self._suite.mix(value)
        elif name == "forget":
            self._on_forget()

    def _command(self, command: "dict[str, Any]") -> None:
        node, prop = command["node"], command["prop"]
        code = 0
        try:
            value = self._nodes[node].write(prop, command["v"])
        except CapabilityError as error:
            code = error.code
            value = self._nodes[node].read(prop)
        self._board.event("command", node=node, prop=prop, code=code)
        self._carry_out(self.link.result(command["id"], code, value, self._clock.now()))
        if not code:
            self.report([(node, prop, value)])

    def _present(self) -> "list[Entry]":
        self._measured()
        return self._select(lambda item: item.access != "e")

    def _held(self) -> "list[Entry]":
        return self._select(lambda item: item.access == "w")

    def _measured(self) -> "list[Entry]":
        return [(name, prop, value) for name, node in self._nodes.items() for prop, value in node.sample()]

    def _select(self, wanted: "Callable[[Property], bool]") -> "list[Entry]":
        return [
            (name, prop, node.read(prop))
            for name, node in self._nodes.items()
            for prop, item in node.properties.items()
            if wanted(item) and node.read(prop) is not None
        ]


async def _ended(task: "Any") -> None:
    """Cancel a task and take what it ended with."""
    task.cancel()
    try:
        await task
    except (MqttError, asyncio.CancelledError):
        return


def _security(ca: str) -> "Any":
    from meshdevice.tls_context import context  # only boards that use TLS pay for its code

    return context(ca)
