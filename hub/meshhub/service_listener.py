"""The household's Mesh service for other machines and programs: HTTP on loopback.

Strangers may use the public operations. Another machine reaches it through a TLS proxy or a tunnel.
"""

from __future__ import annotations

from aiohttp import web

from meshhub import ports
from meshservice.engines.files import FileEngine
from meshservice.http import service_app

HOST = "127.0.0.1"


class ServiceListener:
    """Serves `engine` on a port of its own; the wished one or the next that is free."""

    def __init__(self, engine: FileEngine, wish: int) -> None:
        self._engine = engine
        self._wish = wish
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen. Raises HubError when loopback cannot be listened on."""
        self._runner = web.AppRunner(service_app(self._engine), access_log=None, handle_signals=False)
        await self._runner.setup()
        self.port = ports.choose(HOST, self._wish)
        await web.TCPSite(self._runner, HOST, self.port).start()

    async def stop(self) -> None:
        """Close the listener and what is open on it."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
