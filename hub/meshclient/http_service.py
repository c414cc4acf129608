"""A Mesh service reached over HTTP: requests in envelopes, inside TLS unless it is on this machine.

The service says hello in clear first; after that every request is encrypted to it and signed, and every
answer must be signed by it. An answer in clear can only be a refusal: whoever changes what passes between
caller and service can make requests fail, and nothing else.
"""

from __future__ import annotations

import asyncio
import io
import ipaddress
import os
import ssl
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import aiohttp

from mathmesh.errors import EncodingError, PolicyError, ProtocolError, VerificationError
from mathmesh.keys.pair import generate
from mathmesh.schema.key_data import AGREEMENT, SIGNING, same_udf
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.client import Transport
from mathmesh.service.credentials import Credentials
from mathmesh.service.enveloping import (
    MEDIA_TYPE,
    Sealed,
    ServiceKeys,
    open_response,
    seal_as_service,
    seal_as_stranger,
    seal_request,
    service_keys,
)
from mathmesh.service.identity import ServiceIdentity
from mathmesh.types import Entropy
from meshclient.discovery import Place
from meshclient.unreachable import ServiceUnreachable

JSON_TYPE = "application/json"
TIMEOUT_SECONDS = 60.0
CONNECT_SECONDS = 10.0
ANSWER_OCTETS = 64 * 1024 * 1024
"""Largest answer that is read."""
ANEW_SECONDS = 1.1
"""How long a request waits that the service wants anew: times on the wire have whole seconds."""

Seal = Callable[[bytes, ServiceKeys], Sealed]


class HttpService:
    """The service at a URL. Close it after use; all transports made from it share its connections."""

    def __init__(
        self,
        url: str,
        *,
        service_udf: str | None = None,
        entropy: Entropy = os.urandom,
        clock: Callable[[], datetime],
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
    ) -> None:
        """`service_udf` pins the service; credentials may do so too. `tls` states whom to trust, by default
        whom the system trusts; `server_name` the name in the certificate, by default that in the URL.

        Raises PolicyError for a URL without TLS that is not on this machine.
        """
        self.url = checked_url(url)
        self._pin = service_udf
        self._entropy = entropy
        self._clock = clock
        self._tls = tls
        self._server_name = server_name
        self._keys: ServiceKeys | None = None
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._credentials: dict[tuple[str, str], Credentials] = {}

    @classmethod
    def at(cls, place: Place, *, entropy: Entropy = os.urandom, clock: Callable[[], datetime]) -> HttpService:
        """The service at a place. Raises PolicyError for one in clear, StoreError for a defective
        certificate.
        """
        return cls(
            place.url,
            service_udf=place.service_udf,
            entropy=entropy,
            clock=clock,
            tls=place.tls(),
            server_name=place.server_name,
        )

    def stranger(self) -> Transport:
        """The public operations, for a caller that says nothing of itself."""
        signature, encryption = generate(SIGNING, self._entropy), generate(AGREEMENT, self._entropy)

        def seal(request: bytes, service: ServiceKeys) -> Sealed:
            return seal_as_stranger(
                request, service, signature, encryption, entropy=self._entropy, now=self._clock()
            )

        return _HttpTransport(self, seal, None)

    def caller(self, credentials: Credentials) -> Transport:
        """All operations, as the holder of `credentials`."""

        def seal(request: bytes, service: ServiceKeys) -> Sealed:
            return seal_request(request, service, credentials, entropy=self._entropy, now=self._clock())

        return _HttpTransport(self, seal, credentials.service_udf)

    def service(self, identity: ServiceIdentity) -> Transport:
        """The operations for other services, as the service with this identity."""

        def seal(request: bytes, service: ServiceKeys) -> Sealed:
            return seal_as_service(
                request,
                service,
                identity.profile_envelope,
                identity.signature,
                identity.encryption,
                entropy=self._entropy,
                now=self._clock(),
            )

        return _HttpTransport(self, seal, None)

    def add(self, credentials: Credentials) -> None:
        """Make credentials known to `as_caller`."""
        self._credentials[credentials.account, credentials.authentication.public.udf] = credentials

    def as_caller(self, caller: Caller | None) -> Transport:
        """The transport of a caller whose credentials were added; None is a stranger."""
        if caller is None:
            return self.stranger()
        credentials = self._credentials.get((caller.account, caller.key_id or ""))
        if credentials is None:
            raise PolicyError(f"there are no keys here to call as {caller.account}")
        return self.caller(credentials)

    async def keys(self, service_udf: str | None = None) -> ServiceKeys:
        """What the service says of itself, verified.

        Raises VerificationError when it is another service than the one pinned.
        """
        if self._keys is None:
            answer, _ = await self._post(wire.HelloRequest().encode(), JSON_TYPE)
            hello = wire.decode_response(answer, wire.MeshHelloResponse)
            self._keys = service_keys(hello, self._clock(), self._pin)
        if service_udf is not None and not same_udf(service_udf, self._keys.profile.udf):
            raise VerificationError(
                f"{self.url} is service {self._keys.profile.udf}, the account belongs to {service_udf}"
            )
        return self._keys

    def forget(self) -> None:
        """Ask the service anew who it is at the next request."""
        self._keys = None

    async def exchange(self, request: bytes, seal: Seal, service_udf: str | None) -> bytes:
        """Send a request as `seal` seals it and return the encoded answer."""
        service = await self.keys(service_udf)
        for last in (False, True):
            sent = seal(request, service)
            octets, media_type = await self._post(sent.octets, MEDIA_TYPE)
            if media_type == MEDIA_TYPE:
                return await self._opened(octets, sent, service, service_udf)
            refusal = _refusal(octets)
            if last or refusal.status_extended != wire.TIMEOUT:
                return octets
            await asyncio.sleep(ANEW_SECONDS)
        raise ProtocolError("the service wants every request anew")

    async def _opened(
        self, octets: bytes, sent: Sealed, service: ServiceKeys, service_udf: str | None
    ) -> bytes:
        """The answer; where this host's signature is not known, the service may have another host by now."""
        try:
            return open_response(octets, sent, service)
        except VerificationError:
            self._keys = None
            anew = await self.keys(service_udf or service.profile.udf)
            if anew.signers == service.signers:
                raise
            return open_response(octets, sent, anew)

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post(self, body: bytes, media_type: str) -> tuple[bytes, str]:
        try:
            return await self._post_once(body, media_type)
        except aiohttp.ServerDisconnectedError:
            # a connection that was kept open had ended; the service serves the same octets once at most
            return await self._post_once(body, media_type, last=True)

    async def _post_once(self, body: bytes, media_type: str, *, last: bool = False) -> tuple[bytes, str]:
        session = await self._open()
        headers = {"Content-Type": media_type, "Accept": f"{MEDIA_TYPE}, {JSON_TYPE}"}
        try:
            content = io.BytesIO(body)
            async with session.post(
                self.url,
                data=content,
                headers=headers,
                allow_redirects=False,
                server_hostname=self._server_name,
            ) as response:
                if response.status != 200:
                    raise ServiceUnreachable(f"{self.url} answers with HTTP status {response.status}")
                return await _read(response), response.content_type
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            if isinstance(error, aiohttp.ServerDisconnectedError) and not last:
                raise
            raise ServiceUnreachable(f"no service answers at {self.url}: {error}") from error

    async def _open(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            connector = aiohttp.TCPConnector(ssl=self._tls if self._tls is not None else True)
            limit = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, sock_connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, timeout=limit)
            self._loop = loop
        return self._session


class _HttpTransport:
    def __init__(self, service: HttpService, seal: Seal, service_udf: str | None) -> None:
        self._service = service
        self._seal = seal
        self._service_udf = service_udf

    async def exchange(self, request: bytes) -> bytes:
        """Send a request and return the answer.

        Raises ServiceUnreachable when there is none, VerificationError when it is not the service's.
        """
        return await self._service.exchange(request, self._seal, self._service_udf)


def checked_url(url: str) -> str:
    """`url`, which must be of https, or of http at a loopback address.

    Raises PolicyError otherwise.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return url
    raise PolicyError(f"{url[:200]} is neither https nor http on this machine; services are reached by TLS")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refusal(octets: bytes) -> wire.Response:
    """An answer in clear to a request in an envelope: only a refusal is believed."""
    try:
        response = wire.decode_response(octets, wire.Response)
    except (ProtocolError, EncodingError) as error:
        raise VerificationError(f"the service's answer is in no envelope: {error}") from error
    if response.succeeded:
        raise VerificationError("the service's answer is in no envelope; somebody else may have made it")
    return response


async def _read(response: aiohttp.ClientResponse) -> bytes:
    octets = bytearray()
    async for piece in response.content.iter_any():
        octets += piece
        if len(octets) > ANSWER_OCTETS:
            raise ProtocolError("the service's answer is larger than anything that was asked for")
    return bytes(octets)
