"""One device at the other end of the broker: its link, and what is known of its presence."""

from __future__ import annotations

import asyncio

from meshhub.links import Link
from meshhub.quota import Bucket
from meshlink import record
from meshlink.run_hub import HubRun


class Peer:
    """A device at the other end: its link and what is known of its presence."""

    def __init__(self, link: Link, run: HubRun, sessions: Bucket):
        self.device = link.device
        self.topic_id = link.topic_id
        self.run = run
        self.lock = asyncio.Lock()
        self.last_seen: int | None = None
        self.gone = False
        self.silent_at: int | None = None
        self.told_online = False
        self.waiting = 0
        self.receipt: tuple[int, int] | None = None
        self.sessions = sessions

    @property
    def online(self) -> bool:
        """A confirmed session, and no hint that the device has left."""
        return bool(self.run.online) and not self.gone

    def crowds(self, octets: bytes) -> bool:
        """Whether this record would begin a session while the device has had more than its share of them."""
        return octets[:1] == bytes((record.INIT_RUN,)) and self.sessions.level < 1
