"""The transport inside one process: the same bytes, the same dispatcher, no network."""

from __future__ import annotations

import asyncio

from mathmesh.service.access import Caller
from meshservice.engines.files import FileEngine


class LocalTransport:
    """Carries requests to an engine of this process as `caller`; None is a stranger.

    Whoever holds the engine vouches for the caller, as a network transport does after it has
    authenticated one.
    """

    def __init__(self, engine: FileEngine, caller: Caller | None = None) -> None:
        self.engine = engine
        self.caller = caller

    def as_caller(self, caller: Caller | None) -> LocalTransport:
        """The same service, as another caller."""
        return LocalTransport(self.engine, caller)

    async def exchange(self, request: bytes) -> bytes:
        """Serve a request in a worker thread: it waits for the disk."""
        return await asyncio.to_thread(self.engine.dispatch, request, self.caller)
