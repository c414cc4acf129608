"""Trying many addresses at once until one of them proves to be the one that is looked for.

Whoever answers on the network may be a liar that never says anything, so no address waits for another. Those
of one host have few places, so that one host cannot take all.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Generic, TypeVar

from mathmesh.errors import MeshError
from meshhub import logging
from meshhub.onboarding.discovery import Address

MOST = 16
MOST_OF_A_HOST = 4

T = TypeVar("T")
Attempt = Callable[[Address, Callable[[T], bool]], Awaitable[None]]
"""Tries an address. It calls the function given with what it found, which is True when that is taken and
False when another was faster; what is not taken it closes itself.
"""

log = logging.get(__name__)


class Search(Generic[T]):
    """One search over `addresses`, which may come for ever and again."""

    def __init__(self, addresses: AsyncGenerator[Address, None], attempt: Attempt[T]) -> None:
        self._addresses = addresses
        self._attempt = attempt
        self._found: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._running: dict[Address, asyncio.Task[None]] = {}

    async def run(self, seconds: float) -> T | None:
        """What the first attempt found, or None when none did in that time."""
        feeding = asyncio.create_task(self._feed())
        try:
            ends: set[asyncio.Future[Any]] = {feeding, self._found}
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if feeding.done():
                await feeding
            return self._found.result() if self._found.done() else None
        finally:
            self._found.cancel()
            tasks = [feeding, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, found: T) -> bool:
        if self._found.done():
            return False
        self._found.set_result(found)
        return True

    async def _feed(self) -> None:
        async with contextlib.aclosing(self._addresses) as addresses:
            async for address in addresses:
                of_host = sum(other.host == address.host for other in self._running)
                if address not in self._running and of_host < MOST_OF_A_HOST and len(self._running) < MOST:
                    self._running[address] = asyncio.create_task(self._try(address))

    async def _try(self, address: Address) -> None:
        try:
            await self._attempt(address, self._take)
        except (MeshError, OSError) as error:
            log.info("an address is not the device", error=error)
        finally:
            del self._running[address]
