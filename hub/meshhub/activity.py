"""The activity log: who did what and when, and how it ended, sealed in a sequence of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from mathmesh.codec import jsonbcd
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.errors import MeshError, StoreError
from meshclient.store_files import SequenceFile
from meshhub import logging
from meshhub.events import Activity, EventBus

STORE = "MMM_Activity"
MESSAGE_TYPE = "HubActivity"

log = logging.get(__name__)


class ActivityLog:
    """Appends entries; each is on disk when `record` returns."""

    def __init__(self, sequence: SequenceFile, events: EventBus, clock: Callable[[], int]):
        self._sequence = sequence
        self._events = events
        self._clock = clock
        self._lock = threading.Lock()

    async def record(
        self, who: str, what: str, device: str = "", detail: Mapping[str, object] | None = None
    ) -> None:
        """Note that `who` did `what`, to `device` (UDF or ""), and tell subscribers.

        A log that cannot be written does not undo what was done: that is logged as an error instead.
        """
        entry = Activity(time=self._clock(), who=who, what=what, device=device, detail=dict(detail or {}))
        self._events.publish(entry)
        try:
            await asyncio.to_thread(self._append, _encode(entry))
        except (StoreError, OSError) as error:
            log.error("the activity log cannot be written", error=error)

    async def entries(self, count: int = 100) -> list[Activity]:
        """The last `count` entries, newest first."""
        return await asyncio.to_thread(self._read, count)

    def _append(self, octets: bytes) -> None:
        with self._lock:
            self._sequence.append(octets, ContentMeta(message_type=MESSAGE_TYPE), sync=True)

    def _read(self, count: int) -> list[Activity]:
        found: list[Activity] = []
        with self._lock:
            for index in range(self._sequence.count - 1, 0, -1):
                if len(found) == count:
                    break
                try:
                    found.append(_decode(self._sequence.plaintext(index)))
                except MeshError as error:
                    log.error("an activity entry cannot be read", frame=index, error=error)
        return found


def _encode(entry: Activity) -> bytes:
    members: dict[str, Any] = {
        "Time": entry.time,
        "Who": entry.who,
        "What": entry.what,
        "Device": entry.device,
        "Detail": dict(entry.detail),
    }
    return jsonbcd.dumps({MESSAGE_TYPE: members})


def _decode(octets: bytes) -> Activity:
    value = jsonbcd.loads(octets)
    if not isinstance(value, dict) or not isinstance(value.get(MESSAGE_TYPE), dict):
        raise StoreError("not an activity entry")
    members = value[MESSAGE_TYPE]
    return Activity(
        time=members["Time"],
        who=members["Who"],
        what=members["What"],
        device=members["Device"],
        detail=members["Detail"],
    )
