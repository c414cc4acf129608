"""What of a device's readings may be stored now: its own limit and the room on the disk decide."""

from __future__ import annotations

import time
from collections.abc import Callable

from meshhub import logging
from meshhub.disk import DiskReserve
from meshhub.events import Alarm, EventBus
from meshhub.quota import TELL_EVERY, Limits, Quota
from meshhub.telemetry_gathering import Gathering

MEBIBYTE = 1 << 20

log = logging.get(__name__)


class Intake:
    """Lets readings in. What it refuses is counted, and told to the owner at once and then hourly.

    `clock` is the time in ms since 1970, `seconds` one that never runs back.
    """

    def __init__(
        self,
        events: EventBus,
        reserve: DiskReserve,
        limits: Limits,
        *,
        clock: Callable[[], int],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._events = events
        self._reserve = reserve
        self._limits = limits
        self._clock = clock
        self._seconds = seconds
        self._disk_told: float | None = None

    def quota(self) -> Quota:
        """A new device's share."""
        return Quota(self._limits, self._seconds)

    def takes(self, gathering: Gathering, boot: int, first: int, last: int, count: int) -> bool:
        """Whether `count` readings of a device may be stored, which are among first..last of a boot."""
        if not self._has_room():
            return False
        quota, device = gathering.quota, gathering.store.device
        if quota.takes(count):
            return True
        if quota.refuse(boot, first, last):
            log.warning("a device sends more than its limit", device=device, readings=quota.held)
            text = (
                f"This device sends more than its limit; {quota.held} readings are not stored so far. It "
                "repeats what it keeps. If that goes on, look what is wrong with it, or forget it."
            )
            self._events.publish(Alarm(time=self._clock(), kind="quota", text=text, device=device))
        return False

    def takes_loss(self, gathering: Gathering) -> bool:
        """Whether a loss that a device tells may be noted: it costs as much as a reading."""
        return self._has_room() and gathering.quota.takes(1)

    def _has_room(self) -> bool:
        if not self._reserve.low:
            self._disk_told = None
            return True
        now = self._seconds()
        if self._disk_told is None or now - self._disk_told >= TELL_EVERY:
            self._disk_told = now
            text = (
                f"The disk is nearly full: {self._reserve.free // MEBIBYTE} MB are free. Readings are shown "
                "and not stored until there is room; devices keep what they can."
            )
            self._events.publish(Alarm(time=self._clock(), kind="disk", text=text))
            log.error("the disk is nearly full: readings are not stored", free=self._reserve.free)
        return False
