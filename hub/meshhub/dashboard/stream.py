"""Server-Sent Events: what the hub's event bus tells, as JSON for open pages.

Events: `devices` (all of them, first and after events were lost), `device` (one, whole), `removed` ({udf}),
`adoption` (one, whole), `alarms` (all that are open). A reader that is too slow gets fewer, newer events:
what waits for it is the set of changed devices, never a queue.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator

from aiohttp import web

from meshhub.dashboard.adoptions import Adoptions
from meshhub.dashboard.alarms import Alarms, OpenAlarm
from meshhub.dashboard.ports import Device, Hub
from meshhub.dashboard.view import adoption_json, device_json, state
from meshhub.events import DeviceOnline, DevicesChanged, Event, Lost, ValueChanged

PAUSE_SECONDS = 0.05  # changes within it go out together
BEAT_SECONDS = 15.0  # a comment keeps the connection alive and notices a reader that is gone
ADOPTION_SECONDS = 0.3  # how often the steps of a running adoption are looked at
STILL_ALLOWED: web.RequestKey[Callable[[], bool]] = web.RequestKey("still_allowed")
"""On a request: whether the session behind it is still live, asked again while a stream lasts."""

Message = tuple[str, object]


class EventStream:
    """One open page."""

    def __init__(self, hub: Hub, adoptions: Adoptions, alarms: Alarms, allowed: Callable[[], bool]) -> None:
        self._hub = hub
        self._adoptions = adoptions
        self._alarms = alarms
        self._allowed = allowed
        self._everything = True
        self._changed: set[str] = set()
        self._alarms_sent: list[OpenAlarm] | None = None
        self._states: dict[str, str] = {}
        self._adoptions_sent: dict[str, object] = {}
        self._ended = False
        self._wake = asyncio.Event()
        self._response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})

    async def run(self, request: web.Request) -> web.StreamResponse:
        """Serve until the page goes away, the session ends or the hub stops."""
        await self._response.prepare(request)
        listener = asyncio.create_task(self._listen())
        try:
            while self._allowed() and not self._ended and not listener.done():
                await self._flush()
                await self._wait()
        except ConnectionError:
            return self._response  # the page was closed
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
        return self._response

    def wake(self) -> None:
        """Look for changes now."""
        self._wake.set()

    def end(self) -> None:
        """Close the stream now; the page comes back by itself when it may."""
        self._ended = True
        self._wake.set()

    async def _listen(self) -> None:
        try:
            with self._hub.events.subscribe() as subscription:
                async for event in subscription:
                    self._note(event)
                    self._wake.set()
        finally:
            self._wake.set()

    def _note(self, event: Event) -> None:
        if isinstance(event, ValueChanged | DeviceOnline | DevicesChanged):
            self._changed.add(event.device)
        elif isinstance(event, Lost):
            self._everything = True

    async def _wait(self) -> None:
        beat = asyncio.get_running_loop().time() + BEAT_SECONDS
        while not self._wake.is_set():
            limit = ADOPTION_SECONDS if self._adoptions.active else BEAT_SECONDS
            try:
                await asyncio.wait_for(self._wake.wait(), limit)
            except TimeoutError:
                if self._adoptions.active:
                    return
                if asyncio.get_running_loop().time() >= beat:
                    await self._response.write(b": beat\n\n")
                    return
        await asyncio.sleep(PAUSE_SECONDS)
        self._wake.clear()

    async def _flush(self) -> None:
        now = time.time_ns() // 1_000_000
        devices = {device.udf: device for device in self._hub.registry.devices()}
        messages = [*self._device_messages(devices, now), *self._alarm_messages(), *self._adoption_messages()]
        for kind, body in messages:
            text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            await self._response.write(f"event: {kind}\ndata: {text}\n\n".encode())

    def _device_messages(self, devices: dict[str, Device], now: int) -> Iterator[Message]:
        states = {udf: state(device, now) for udf, device in devices.items()}
        changed = self._changed | {udf for udf, word in states.items() if self._states.get(udf) != word}
        changed |= self._states.keys() - states.keys()
        self._changed, self._states = set(), states
        if self._everything:
            self._everything = False
            yield "devices", {"devices": [device_json(device, now) for device in devices.values()]}
            return
        for udf in sorted(changed):
            if udf in devices:
                yield "device", device_json(devices[udf], now)
            else:
                yield "removed", {"udf": udf}

    def _alarm_messages(self) -> Iterator[Message]:
        alarms = self._alarms.all()
        if alarms != self._alarms_sent:
            self._alarms_sent = alarms
            yield "alarms", {"alarms": [one.to_json() for one in alarms]}

    def _adoption_messages(self) -> Iterator[Message]:
        for adoption in self._adoptions.all():
            shown = adoption_json(adoption)
            if self._adoptions_sent.get(adoption.id) != shown:
                self._adoptions_sent[adoption.id] = shown
                yield "adoption", shown
