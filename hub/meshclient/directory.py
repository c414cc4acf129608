"""How a program on this machine speaks to services, wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mathmesh.service.client import Transport
from mathmesh.service.credentials import Credentials
from meshclient.context import utc_now
from meshclient.discovery import RESOLVER_FILE, RESOLVER_VARIABLE, SYSTEM_RESOLVER, UNIX, Discovery, Place

if TYPE_CHECKING:
    from meshclient.http_service import HttpService
    from meshclient.unix_service import UnixService

__all__ = ["RESOLVER_FILE", "RESOLVER_VARIABLE", "SYSTEM_RESOLVER", "UNIX", "Directory"]


class Directory:
    """A `ServiceDirectory` over the network and local sockets.

    A service is looked for when it is spoken to: what a machine does by itself needs none, and no library
    for networks either, which take long to load.
    """

    def __init__(self, home: Path, discovery: Discovery | None = None) -> None:
        self._discovery = discovery or Discovery(home)
        self._services: dict[Place, HttpService] = {}
        self._discovery.listed()

    def known_domains(self) -> Iterable[str]:
        """The domains that the resolver file names."""
        return self._discovery.listed()

    def stranger(self, address: str) -> Transport:
        """The public operations of the service of the account `address`."""
        return _Found(self, address, lambda service: service.stranger())

    def caller(self, address: str, credentials: Credentials) -> Transport:
        """The service of the account `address`, as the holder of `credentials`."""
        return _Found(self, address, lambda service: service.caller(credentials))

    async def service(self, address: str) -> UnixService | HttpService:
        """The service of the account `address`.

        Raises PolicyError when nobody knows it, ServiceUnreachable when the DNS does not answer.
        """
        place = await self._discovery.find(address.rpartition("@")[2])
        if place.socket is not None:
            from meshclient.unix_service import UnixService

            return UnixService(place.socket)
        if place not in self._services:
            from meshclient.http_service import HttpService

            self._services[place] = HttpService.at(place, clock=utc_now)
        return self._services[place]

    async def close(self) -> None:
        """Close all connections."""
        services, self._services = self._services, {}
        for service in services.values():
            await service.close()


class _Found:
    """A transport to a service that is looked for at the first request."""

    def __init__(
        self, directory: Directory, address: str, speak: Callable[[UnixService | HttpService], Transport]
    ) -> None:
        self._directory = directory
        self._address = address
        self._speak = speak
        self._transport: Transport | None = None

    async def exchange(self, request: bytes) -> bytes:
        """Send a request and return the answer; what `Directory.service` and the transport raise."""
        if self._transport is None:
            self._transport = self._speak(await self._directory.service(self._address))
        return await self._transport.exchange(request)
