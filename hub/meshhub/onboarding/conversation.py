"""One link conversation over a TCP stream: carries out the effects of an AdopterLink and hands on its
events.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from mathmesh.errors import MeshError
from meshlink.onboard_adopter import AdopterLink
from meshlink.record import FrameReader, frame

Effects = list[tuple[Any, ...]]
READ_OCTETS = 4096
CLOSED = "closed"
"""Event added by this class: the device or the network ended the connection."""


class Conversation:
    """Owns the stream from `start` to `close`; leaving it as a context closes it."""

    def __init__(
        self,
        link: AdopterLink,
        stream: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        now: Callable[[], int],
    ) -> None:
        self.link = link
        self._reader, self._writer = stream
        self._now = now
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Send the Init and begin to listen."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep_time())]
        self.carry_out(self.link.start(self._now()))

    async def __aenter__(self) -> Conversation:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection and erase the keys of the link."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
        self.link.erase()

    async def next(self) -> tuple[str, Any]:
        """The next event: (name, value) as meshlink names them, or (CLOSED, None)."""
        return await self._events.get()

    async def drained(self) -> None:
        """What was sent has left for the network."""
        with contextlib.suppress(OSError):
            await self._writer.drain()

    def carry_out(self, effects: Effects) -> None:
        """Send, tell, close: in that order of the list."""
        for effect in effects:
            if effect[0] == "send":
                self._writer.write(frame(effect[1]))
            elif effect[0] == "event":
                self._events.put_nowait((effect[1], effect[2]))
            elif effect[0] == "close":
                self._writer.close()
        self._changed.set()

    async def _listen(self) -> None:
        frames = FrameReader()
        try:
            while data := await self._reader.read(READ_OCTETS):
                for record in frames.feed(data):
                    self.carry_out(self.link.receive(record, self._now()))
        except (OSError, MeshError):  # a record beyond all limits ends a stream, like a lost connection
            pass
        self.carry_out(self.link.closed(self._now()))
        self._events.put_nowait((CLOSED, None))

    async def _keep_time(self) -> None:
        while True:
            self._changed.clear()
            deadline = self.link.deadline
            wait = None if deadline is None else max(0.0, (deadline - self._now()) / 1000)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            self.carry_out(self.link.tick(self._now()))
