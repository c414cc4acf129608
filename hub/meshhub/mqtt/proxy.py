"""Between broker and the hub: one run-phase link per device, fed by topic (protocol book, "Running").

Effects of a link are carried out in their order and one device at a time; what must be durable is durable
before the next effect. The topic only finds the device; that a record is the device's own is decided by
the link.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshlink.run_hub import HubRun

if TYPE_CHECKING:
    from meshlink.suite import Suite

from mathmesh.errors import MeshError, StoreError
from meshhub import logging
from meshhub.broker.base import Login
from meshhub.errors import OFFLINE, DeviceError
from meshhub.links import Link, LinkStore
from meshhub.mqtt import topics
from meshhub.mqtt.client import MqttClient
from meshhub.mqtt.peer import Peer
from meshhub.quota import Bucket, Limits
from meshlink import record

ONLINE, GONE = b"online", b"offline"
SILENT_AFTER_RECONNECT = 90_000
CONCURRENT = 256
MOST_WAITING = 128
"""Messages of one device that may wait to be handled; it has at most 64 readings under way."""
SIGNS_OF_LIFE = frozenset({"session", "ready", "tel", "gap", "result", "ask", "err"})
LONGEST_SLEEP = 3600.0

Handler = Callable[[str, str, Any], Awaitable[None]]
"""Called with the device's UDF, the name and the value of an event of its link."""

log = logging.get(__name__)


class Proxy:
    """All peers of the hub. `handle` gets their events, `changed` is told when one comes or goes."""

    def __init__(
        self,
        *,
        login: Login,
        suite: Suite,
        links: LinkStore,
        handle: Handler,
        changed: Callable[[str, bool], None],
        clock: Callable[[], int],
        limits: Limits | None = None,
    ):
        self._suite = suite
        self._limits = limits or Limits()
        self._links = links
        self._handle = handle
        self._changed = changed
        self._clock = clock
        self._peers: dict[str, Peer] = {}
        self._topics: dict[str, Peer] = {}
        self._started = False
        self._sooner = asyncio.Event()
        self._room = asyncio.Semaphore(CONCURRENT)
        self._tasks: asyncio.TaskGroup | None = None
        self.client = MqttClient(login, (topics.ALL_UP, topics.ALL_PRESENCE), self._deliver, self._connected)

    def peer(self, device: str) -> Peer | None:
        """What is known of a device at this moment."""
        return self._peers.get(device)

    async def add(self, link: Link, description: Mapping[str, object]) -> None:
        """Serve a device from now on; a link that was there for it is replaced."""
        run = HubRun(
            self._suite,
            device_udf=link.device_udf,
            account_udf=link.account_udf,
            topic_id=link.topic_octets,
            psk=link.psk_run,
            description=dict(description),
            pair=link.pair,
        )
        self.remove(link.device)
        self._peers[link.device] = self._topics[link.topic_id] = Peer(link, run, self._bucket())
        if self._started and self.client.connected.is_set():
            await self._wake(self._peers[link.device])

    def remove(self, device: str) -> None:
        """Serve a device no longer; its session keys are erased."""
        peer = self._peers.pop(device, None)
        if peer:
            self._topics.pop(peer.topic_id, None)
            peer.run.erase()
            self._tell(peer)

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self.client.run(), name="mqtt")
            await self._tick_all()

    async def command(
        self, device: str, node: str, prop: str, value: object, *, expires: int, allow: bool
    ) -> bytes:
        """Send a command; its id. `expires` in ms from now. Raises DeviceError when the device is offline."""
        peer = self._online_peer(device)
        async with peer.lock:
            identifier, effects = peer.run.command(
                node, prop, value, self._clock(), expires=expires, allow=allow
            )
            await self._carry_out(peer, effects)
        return bytes(identifier)

    async def receipt(self, device: str, boot: int, s: int) -> None:
        """Tell the device that its entries of `boot` up to `s` are on disk; nothing when it is offline."""
        peer = self._peers.get(device)
        if peer and peer.run.online:
            peer.receipt = (boot, s)
            async with peer.lock:
                await self._carry_out(peer, peer.run.receipt(boot, s, self._clock()))

    async def send(self, device: str, t: str, fields: Mapping[str, object]) -> bool:
        """Send a message of another kind; False when there is no session to send it in."""
        peer = self._peers.get(device)
        if peer is None or not peer.run.online:
            return False
        async with peer.lock:
            await self._carry_out(peer, peer.run.send(t, dict(fields), self._clock()))
        return True

    def _bucket(self) -> Bucket:
        return Bucket(1 / self._limits.session_seconds, self._limits.sessions, time.monotonic)

    def _online_peer(self, device: str) -> Peer:
        peer = self._peers.get(device)
        if peer is None or not peer.online:
            raise DeviceError(
                "the device is offline: check that it has power and is in reach of the network", kind=OFFLINE
            )
        if not self.client.connected.is_set():
            raise DeviceError("the broker is being restarted: try again in a moment", kind=OFFLINE)
        return peer

    async def _connected(self) -> None:
        first, self._started = not self._started, True
        for peer in list(self._peers.values()):
            peer.silent_at = self._clock() + SILENT_AFTER_RECONNECT
            if first or not peer.run.online:
                await self._wake(peer)
            elif peer.receipt:  # it may have been lost with the connection
                await self.receipt(peer.device, *peer.receipt)
        self._sooner.set()

    async def _wake(self, peer: Peer) -> None:
        async with peer.lock:
            await self._carry_out(peer, peer.run.wake(self._clock()))

    async def _deliver(self, topic: str, payload: bytes) -> None:
        address = topics.parse(topic)
        peer = self._topics.get(address.topic_id) if address else None
        if address is None or peer is None or self._tasks is None:
            return
        if peer.waiting >= MOST_WAITING:
            return  # one device shall not take the room of all; what matters it sends again
        peer.waiting += 1
        await self._room.acquire()
        work = self._receive(peer, payload) if address.leaf == "up" else self._presence(peer, payload)
        try:
            self._tasks.create_task(work)
        except RuntimeError:  # the group is ending: the device sends again what matters
            work.close()
            peer.waiting -= 1
            self._room.release()

    async def _receive(self, peer: Peer, payload: bytes) -> None:
        try:
            octets = record.unframe(payload)
            if octets is not None and peer.crowds(octets):
                log.warning("a device begins too many sessions; it has to wait", device=peer.device)
            elif octets is not None:
                async with peer.lock:
                    await self._carry_out(peer, peer.run.receive(octets, self._clock()))
                self._sooner.set()
        except Exception as error:  # whatever one device sends, the others are served
            log.error("a device's message could not be handled", device=peer.device, exc_info=error)
        finally:
            peer.waiting -= 1
            self._room.release()

    async def _presence(self, peer: Peer, payload: bytes) -> None:
        try:
            if payload not in (ONLINE, GONE):
                return
            async with peer.lock:  # after whatever the device said before it went
                peer.gone, peer.silent_at = payload == GONE, None
                self._tell(peer)
                if not peer.gone and not peer.run.online:
                    await self._carry_out(peer, peer.run.wake(self._clock()))
        finally:
            peer.waiting -= 1
            self._room.release()

    async def _carry_out(self, peer: Peer, effects: Iterable[tuple[Any, ...]]) -> None:
        for effect in effects:
            if effect[0] == "send":
                self.client.send(topics.down(peer.topic_id), record.frame(effect[1]))
            elif effect[0] == "store":
                peer.sessions.spend(1)
                try:
                    await self._links.confirm(peer.device, effect[2])
                except (StoreError, OSError) as error:
                    # What is not remembered could be played again after a restart, so it is not used.
                    peer.run.end_session()
                    log.error("a session cannot be noted and is ended", device=peer.device, error=error)
                    break
            elif effect[0] == "event":
                await self._event(peer, effect[1], effect[2])
        self._tell(peer)

    async def _event(self, peer: Peer, name: str, value: Any) -> None:
        if name in SIGNS_OF_LIFE:
            peer.last_seen, peer.gone, peer.silent_at = self._clock(), False, None
            self._tell(peer)
        if name == "alarm":
            peer.sessions.spend(1)
        try:
            await self._handle(peer.device, name, value)
        except MeshError as error:
            log.warning("what a device sent was not taken", device=peer.device, event_name=name, error=error)

    def _tell(self, peer: Peer) -> None:
        online = peer.online and self._peers.get(peer.device) is peer
        if online != peer.told_online:
            peer.told_online = online
            self._changed(peer.device, online)

    async def _tick_all(self) -> None:
        while True:
            now = self._clock()
            for peer in list(self._peers.values()):
                due = peer.run.deadline
                if due is not None and due <= now:
                    async with peer.lock:
                        await self._carry_out(peer, peer.run.tick(now))
                if peer.silent_at is not None and peer.silent_at <= now:
                    peer.gone, peer.silent_at = True, None
                    self._tell(peer)
            await self._sleep()

    async def _sleep(self) -> None:
        due = [
            time
            for peer in self._peers.values()
            for time in (peer.run.deadline, peer.silent_at)
            if time is not None
        ]
        seconds = min(max((min(due) - self._clock()) / 1000, 0.01), LONGEST_SLEEP) if due else LONGEST_SLEEP
        self._sooner.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._sooner.wait()
        except TimeoutError:
            return
