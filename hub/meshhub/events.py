"""What happens in the hub, told to whoever wants to know: dashboard, command line, automations.

Publishing never waits; a subscriber that does not keep up loses its oldest events and is told how many.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

QUEUE_LENGTH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events. Times are milliseconds since 1970."""

    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChanged(Event):
    """A property has a new value (as reported by the device)."""

    device: str
    node: str
    property: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOnline(Event):
    """A device has a confirmed session (online) or has been silent too long."""

    device: str
    online: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesChanged(Event):
    """A device was added, renamed, moved or forgotten."""

    device: str
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryGap(Event):
    """Entries of a device are lost for good: s numbers first..last of that boot."""

    device: str
    boot: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(Event):
    """Something that the owner must see. `kind` is a short word, `text` a sentence, `device` a UDF or ""."""

    kind: str
    text: str
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerChanged(Event):
    """The broker came up or went away."""

    running: bool
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity(Event):
    """An entry of the activity log: who did what, and how it ended."""

    who: str
    what: str
    device: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingStep(Event):
    """A step of an adoption; `error` is empty while all is well."""

    adoption: str
    step: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(Event):
    """This subscriber was too slow: so many events were dropped before the next one."""

    count: int


class Subscription:
    """Events of one subscriber, in order: `async for event in subscription`."""

    def __init__(self, length: int):
        self._events: deque[Event] = deque()
        self._length = length
        self._lost = 0
        self._ready = asyncio.Event()
        self._closed = False

    def offer(self, event: Event) -> None:
        """Add an event; when the queue is full the oldest one goes."""
        if len(self._events) >= self._length:
            self._events.popleft()
            self._lost += 1
        self._events.append(event)
        self._ready.set()

    def close(self) -> None:
        """End the iteration once what is queued was read."""
        self._closed = True
        self._ready.set()

    async def next(self) -> Event:
        """The next event, waiting for it. Raises StopAsyncIteration after the bus was closed."""
        while not self._events:
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        if self._lost:
            count, self._lost = self._lost, 0
            return Lost(time=self._events[0].time, count=count)
        return self._events.popleft()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        return await self.next()


class EventBus:
    """One per hub; used on the hub's event loop only."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def publish(self, event: Event) -> None:
        """Tell every subscriber; never waits."""
        for subscription in self._subscriptions:
            subscription.offer(event)

    @contextmanager
    def subscribe(self, length: int = QUEUE_LENGTH) -> Iterator[Subscription]:
        """Events published while the context is open; at most `length` wait unread."""
        subscription = Subscription(length)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)

    def close(self) -> None:
        """End every subscriber's iteration."""
        for subscription in self._subscriptions:
            subscription.close()
