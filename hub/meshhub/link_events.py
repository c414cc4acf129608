"""What the devices' links tell, carried to where it goes (protocol book, "Running")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshhub import logging
from meshhub.activity import ActivityLog
from meshhub.commands import Commander
from meshhub.events import Alarm, EventBus
from meshhub.reported import Reported
from meshhub.telemetry import Telemetry

log = logging.get(__name__)


class LinkEvents:
    """Takes the events of all links; of a device that it does not know, no readings."""

    def __init__(
        self,
        telemetry: Telemetry,
        commands: Commander,
        activity: ActivityLog,
        events: EventBus,
        clock: Callable[[], int],
    ) -> None:
        self._telemetry = telemetry
        self._commands = commands
        self._activity = activity
        self._events = events
        self._clock = clock
        self._reported: dict[str, Reported] = {}

    def know(self, device: str, description: Mapping[str, object]) -> None:
        """Take readings of a device from now on, those of its description."""
        self._reported[device] = Reported(description)

    def forget(self, device: str) -> None:
        """Take no more readings of a device."""
        self._reported.pop(device, None)

    def is_event(self, device: str, node: str, prop: str) -> bool:
        """Whether a property of a device is an event, such as the press of a button."""
        reported = self._reported.get(device)
        return reported is not None and reported.is_event(node, prop)

    async def handle(self, device: str, name: str, value: Any) -> None:
        """One event of a device's link."""
        if name == "tel":
            if device in self._reported:
                self._reported[device].check(value["r"])
                await self._telemetry.receive(device, value)
        elif name == "result":
            self._commands.result(device, value)
        elif name == "ready":
            await self._telemetry.ring(device, value["ring"])
        elif name == "gap":
            await self._telemetry.lost(device, value["b"], value["from"], value["to"])
        elif name == "alarm":
            await self._alarm(device, value["boot"])
        elif name == "err":
            log.warning("device reports an error", device=device, number=value["c"])

    async def _alarm(self, device: str, boot: int) -> None:
        text = (
            "A device signed in with an older counter: it was set back, or there is a copy of it. "
            "Forget it and add it again if that was not you."
        )
        self._events.publish(Alarm(time=self._clock(), kind="clone", text=text, device=device))
        await self._activity.record("device", "clone alarm", device, {"boot": boot})
