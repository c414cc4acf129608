"""What the owner must see, kept until it was seen: also when no page was open at the time."""

import asyncio
import secrets
from dataclasses import dataclass

from meshhub.dashboard.problems import Problem
from meshhub.events import Alarm, EventBus

KEPT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlarm:
    """An alarm that nobody has put away yet."""

    id: str
    alarm: Alarm

    def to_json(self) -> dict[str, object]:
        """For the page and the command line."""
        alarm = self.alarm
        return {
            "id": self.id,
            "time": alarm.time,
            "kind": alarm.kind,
            "text": alarm.text,
            "device": alarm.device,
        }


class Alarms:
    """The newest alarm of each kind and device, in memory."""

    def __init__(self, events: EventBus) -> None:
        self._events = events
        self._open: dict[tuple[str, str], OpenAlarm] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen to the bus from now on."""
        self._task = asyncio.create_task(self._listen(), name="alarms")

    async def stop(self) -> None:
        """Stop listening; safe when it was never started."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def all(self) -> list[OpenAlarm]:
        """Oldest first."""
        return list(self._open.values())

    def dismiss(self, identifier: str) -> None:
        """Put one away; raises `Problem` 404."""
        for key, one in self._open.items():
            if one.id == identifier:
                del self._open[key]
                return
        raise Problem(404, "unknown-alarm", "That was put away already.")

    async def _listen(self) -> None:
        with self._events.subscribe() as subscription:
            async for event in subscription:
                if isinstance(event, Alarm):
                    self._note(event)

    def _note(self, alarm: Alarm) -> None:
        key = (alarm.kind, alarm.device)
        self._open.pop(key, None)
        self._open[key] = OpenAlarm(id=secrets.token_hex(8), alarm=alarm)
        while len(self._open) > KEPT:
            del self._open[next(iter(self._open))]
