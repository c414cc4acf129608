"""Who is here, and when each device was heard last: also before the hub was started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from meshhub.events import DeviceOnline, EventBus
from meshhub.mqtt.peer import Peer
from meshhub.registry import Presence
from meshhub.telemetry import Telemetry

NOTE_SECONDS = 600.0
"""How often it is noted when the devices that are online were heard: a hub that is killed forgets so much."""


class Presences:
    """Presence of every device. `peer` finds its link, `devices` lists all UDFs."""

    def __init__(
        self,
        peer: Callable[[str], Peer | None],
        devices: Callable[[], Iterable[str]],
        telemetry: Telemetry,
        events: EventBus,
        clock: Callable[[], int],
    ) -> None:
        self._peer = peer
        self._devices = devices
        self._telemetry = telemetry
        self._events = events
        self._clock = clock
        self._noted: dict[str, int] = {}

    def of(self, device: str) -> Presence:
        """A device at this moment."""
        peer = self._peer(device)
        return Presence(
            online=peer is not None and peer.online,
            last_seen=(peer.last_seen if peer else None) or self._telemetry.heard(device),
            over_limit=self._telemetry.over_limit(device),
        )

    def changed(self, device: str, online: bool) -> None:
        """A device came or went."""
        self._events.publish(DeviceOnline(time=self._clock(), device=device, online=online))

    async def note(self) -> None:
        """Note when devices were heard, for the next start of the hub."""
        peers = [(device, self._peer(device)) for device in self._devices()]
        heard = {device: peer.last_seen for device, peer in peers if peer and peer.last_seen}
        fresh = {device: time for device, time in heard.items() if self._noted.get(device) != time}
        if fresh:
            await self._telemetry.note_heard(fresh)
            self._noted.update(fresh)

    async def run(self) -> None:
        """Note it now and then, until cancelled."""
        while True:
            await asyncio.sleep(NOTE_SECONDS)
            await self.note()
