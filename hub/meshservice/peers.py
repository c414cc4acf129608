"""Other services: which of them a domain has, and how messages get there."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mathmesh.errors import MeshError, PolicyError
from mathmesh.schema.key_data import same_udf
from mathmesh.service import messages as wire
from mathmesh.service.client import transact
from mathmesh.service.identity import ServiceIdentity
from mathmesh.service.pace import Pace
from mathmesh.types import Entropy
from meshclient.discovery import Discovery, Place
from meshclient.http_service import HttpService

KNOWN_FOR = timedelta(minutes=10)
"""How long it is believed which service a domain has."""
DOMAINS_MOST = 4096
ASKED_A_MINUTE = 300
"""Services that are looked for because somebody says to speak for their domain."""
ASKED_AT_ONCE = 16
ASK_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    service_udf: str
    since: datetime


class Peers:
    """Speaks to other services as the service with `identity`."""

    def __init__(
        self,
        discovery: Discovery,
        identity: ServiceIdentity,
        *,
        entropy: Entropy,
        clock: Callable[[], datetime],
    ) -> None:
        self._discovery = discovery
        self._identity = identity
        self._entropy = entropy
        self._clock = clock
        self._services: OrderedDict[Place, HttpService] = OrderedDict()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._pace = Pace(ASKED_A_MINUTE, timedelta(minutes=1))
        self._gate = asyncio.Semaphore(ASKED_AT_ONCE)

    async def post(self, domain: str, request: wire.PostRequest) -> wire.PostResponse:
        """Deliver messages to the service of a domain.

        Raises PolicyError when nobody knows it or it refuses, TransportError or OSError when it does not
        answer, and other errors of the Mesh when what answers is not it.
        """
        service = await self._service(domain)
        try:
            return await transact(service.service(self._identity), request, wire.PostResponse)
        except MeshError:
            service.forget()
            raise

    async def speaks_for(self, domain: str, service_udf: str) -> bool | None:
        """Whether the service with this UDF is that of the domain; None when that cannot be found out at
        this moment.
        """
        now = self._clock()
        known = self._known.get(domain)
        if known is not None and now - known.since < KNOWN_FOR and same_udf(known.service_udf, service_udf):
            return True
        if not self._pace.allows("", now):
            return None
        try:
            async with self._gate, asyncio.timeout(ASK_SECONDS):
                service = await self._service(domain)
                service.forget()
                found = (await service.keys()).profile.udf
        except PolicyError:
            return False
        except (MeshError, OSError, TimeoutError):
            return None
        self._known[domain] = _Known(service_udf=found, since=now)
        self._known.move_to_end(domain)
        while len(self._known) > DOMAINS_MOST:
            self._known.popitem(last=False)
        return same_udf(found, service_udf)

    async def close(self) -> None:
        """Close all connections."""
        services = list(self._services.values())
        self._services.clear()
        for service in services:
            await service.close()

    async def _service(self, domain: str) -> HttpService:
        place = await self._discovery.find(domain)
        if place.socket is not None:
            raise PolicyError(f"the service of {domain} is reached by other services over the network only")
        service = self._services.pop(place, None)
        if service is None:
            service = HttpService.at(place, entropy=self._entropy, clock=self._clock)
        self._services[place] = service
        while len(self._services) > ASKED_AT_ONCE * 4:
            await self._services.popitem(last=False)[1].close()
        return service
