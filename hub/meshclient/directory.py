"""Where services are, and how a program on this machine speaks to them.

A resolver file names services by the domain of their accounts; it is looked for at `MESH_RESOLVER`, then in
the folder of the machine's accounts, then in /etc/mesh. A service on this machine may be named by its unix
socket.

    {"example.com": "https://mmm.example.com/.well-known/mmm/", "hub.local": "unix:/run/mesh/hub.sock"}
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mathmesh.errors import PolicyError, StoreError
from mathmesh.service.client import Transport
from mathmesh.service.credentials import Credentials
from meshclient.context import utc_now

if TYPE_CHECKING:
    from meshclient.http_service import HttpService
    from meshclient.unix_service import UnixService

RESOLVER_VARIABLE = "MESH_RESOLVER"
RESOLVER_FILE = "resolver.json"
SYSTEM_RESOLVER = Path("/etc/mesh") / RESOLVER_FILE
UNIX = "unix:"


class Directory:
    """A `ServiceDirectory` over the network and local sockets.

    A service is looked for when it is spoken to: what a machine does by itself needs none, and no library
    for networks either, which take long to load.
    """

    def __init__(self, home: Path) -> None:
        self._places = _resolver(home)
        self._services: dict[str, HttpService] = {}

    def known_domains(self) -> Iterable[str]:
        """The domains that the resolver file names."""
        return tuple(self._places)

    def stranger(self, address: str) -> Transport:
        """The public operations of the service of the account `address`."""
        return _Found(lambda: self._service(address).stranger())

    def caller(self, address: str, credentials: Credentials) -> Transport:
        """The service of the account `address`, as the holder of `credentials`."""
        return _Found(lambda: self._service(address).caller(credentials))

    async def close(self) -> None:
        """Close all connections."""
        services, self._services = self._services, {}
        for service in services.values():
            await service.close()

    def _service(self, address: str) -> UnixService | HttpService:
        domain = address.rpartition("@")[2].lower()
        place = self._places.get(domain)
        if place is None:
            raise PolicyError(f"the service of {domain} is not known; name it in {RESOLVER_FILE}")
        if place.startswith(UNIX):
            from meshclient.unix_service import UnixService

            return UnixService(Path(place.removeprefix(UNIX)))
        if place not in self._services:
            from meshclient.http_service import HttpService

            self._services[place] = HttpService(place, clock=utc_now)
        return self._services[place]


class _Found:
    """The transport that `find` finds when it is used first."""

    def __init__(self, find: Callable[[], Transport]) -> None:
        self._find = find
        self._transport: Transport | None = None

    async def exchange(self, request: bytes) -> bytes:
        """Send a request and return the answer."""
        if self._transport is None:
            self._transport = self._find()
        return await self._transport.exchange(request)


def _resolver(home: Path) -> dict[str, str]:
    stated = os.environ.get(RESOLVER_VARIABLE)
    for path in (Path(stated),) if stated else (home / RESOLVER_FILE, SYSTEM_RESOLVER):
        if path.exists():
            try:
                found = json.loads(path.read_bytes())
                return {str(domain).lower(): str(place) for domain, place in found.items()}
            except (ValueError, AttributeError):
                raise StoreError(f"the resolver file {path} is damaged") from None
    return {}
