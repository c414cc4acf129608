"""The whole firmware as a process, under MicroPython and CPython: adopted over TCP, running over a real broker.

The other side is meshlink's own adopter and hub; keys, activation and agreement are those of device.json.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from meshfactory import bundle
from meshfactory.simulate import SimulatedDevice, micropython
from meshhub.link_suite import HubSuite
from meshlink import messages
from meshlink.onboard import AdopterLink
from meshlink.record import FrameReader, frame, unframe
from meshlink.run import HubRun

FORMS = [
    pytest.param({"compiled": True}, id="mpy", marks=pytest.mark.skipif(micropython() is None, reason="no MicroPython")),
    pytest.param({"compiled": False}, id="py", marks=pytest.mark.skipif(micropython() is None, reason="no MicroPython")),
    pytest.param({"cpython": True}, id="cpython"),
]


def now() -> int:
    return time.time_ns() // 1000000


class Adopter:
    """meshlink's adopter on one TCP connection."""

    def __init__(self, values: Callable[[str], bytes], account: str, psk_on: bytes | None = None) -> None:
        self._values = values
        self.link = AdopterLink(
            HubSuite(),
            psk_on=psk_on or values("psk_on"),
            lid=values("lid"),
            device_udf=values("udf"),
            authentication=values("auth_pub"),
            account_udf=values("account_udf"),
            account_address=account,
        )
        self.events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.ended = asyncio.Event()

    async def run(self, port: int) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        frames = FrameReader()
        try:
            self.do(self.link.start(now()))
            while data := await reader.read(4096):
                for record in frames.feed(data):
                    self.do(self.link.receive(record, now()))
        finally:
            self._writer.close()
            self.do(self.link.closed(now()))
            self.ended.set()

    def do(self, effects: list[tuple[Any, ...]]) -> None:
        for name, *rest in effects:
            if name == "send":
                self._writer.write(frame(rest[0]))
            elif name == "event":
                self.events.put_nowait((rest[0], rest[1]))
            elif name == "close":
                self._writer.close()

    async def expect(self, name: str) -> Any:
        async with asyncio.timeout(10):
            got, value = await self.events.get()
        assert got == name, (got, value)
        return value

    async def prove(self) -> dict[str, Any]:
        """As far as the device's proof."""
        hello = await self.expect("hello")
        self.do(self.link.adopt(self._values("act"), self._values("key"), self._values("z"), now()))
        await self.expect("proved")
        assert isinstance(hello, dict)
        return hello
