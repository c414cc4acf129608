"""A Mesh service reached through the unix socket of a hub on this machine (mode 0600: opening it is the
right).
"""

from __future__ import annotations

import os
from pathlib import Path

import aiohttp

from mathmesh.service.access import Caller
from mathmesh.service.client import Transport
from mathmesh.service.credentials import Credentials
from meshclient.unreachable import ServiceUnreachable

PATH = "/.well-known/mmm/"
ACCOUNT_HEADER = "Mesh-Account"
TIMEOUT_SECONDS = 30.0


class UnixService:
    """Implements `mathmesh.service.client.Service` over the socket file `socket`."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def stranger(self) -> Transport:
        """The public operations."""
        return self.as_caller(None)

    def caller(self, credentials: Credentials) -> Transport:
        """All operations for the account of `credentials`."""
        key_id = credentials.authentication.public.udf
        return self.as_caller(Caller(account=credentials.account, key_id=key_id))

    def as_caller(self, caller: Caller | None) -> Transport:
        """The transport that acts for the account of `caller`; the service knows no device keys on this
        way.
        """
        return _UnixTransport(self._socket, caller)


class _UnixTransport:
    def __init__(self, socket: Path, caller: Caller | None) -> None:
        self._socket = socket
        self._headers = {"Content-Type": "application/json"}
        if caller is not None:
            self._headers[ACCOUNT_HEADER] = caller.account

    async def exchange(self, request: bytes) -> bytes:
        """Send a request and return the answer. Raises ServiceUnreachable when no hub answers."""
        folder = -1
        try:
            # A socket path may have 107 octets only; named through its open folder it is always short enough.
            folder = os.open(self._socket.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            connector = aiohttp.UnixConnector(f"/proc/self/fd/{folder}/{self._socket.name}")
            limit = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=limit) as session,
                session.post(f"http://hub{PATH}", data=request, headers=self._headers) as response,
            ):
                return await response.read()
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            raise ServiceUnreachable(
                f"No hub answers on {self._socket}: start it with `meshhub run`, or give its folder."
            ) from error
        finally:
            if folder >= 0:
                os.close(folder)
