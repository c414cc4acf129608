"""The HTTP binding: POST of one request object, answer of one response object.

`service_app` makes the application for TCP. A request in clear (`application/json`) is a stranger's: it is
served where it asks for a public operation (Hello, Claim, PollClaim, Connect, Complete). A request in an
envelope (`application/dare`) proves who sent it, and is served as the rights of that caller reach. Both are
for TLS or loopback. `owner_app` makes the one for a unix socket
whose file mode 0600 is the credential: whoever can open the socket owns the machine's data already, so
the caller is believed when it names its account in the header `Mesh-Account` and acts with the rights of
that account itself.

The status inside the answer is what counts; HTTP's own is 200 for every answer of the service. Only what
is no request at all is told in HTTP: another method (405), path (404) or media type (415).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from mathmesh.codec import uri
from mathmesh.errors import EncodingError, ProtocolError, StoreError
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.authentication import Authenticated
from mathmesh.service.enveloping import MEDIA_TYPE as ENVELOPED
from mathmesh.service.outgoing import domain_of
from mathmesh.service.server import failure
from meshservice.engines.files import Answer, FileEngine
from meshservice.peers import Peers

PATH = "/.well-known/mmm/"
MEDIA_TYPE = "application/json"
_MEDIA_TYPES = (MEDIA_TYPE, "application/octet-stream")
ACCOUNT_HEADER = "Mesh-Account"

PUBLIC_OCTETS = 64 * 1024
"""Largest request in clear over TCP: no public operation needs more."""
OWNER_OCTETS = 16 * 1024 * 1024
"""Largest request over the unix socket or in an envelope, the limit of the reference's service."""

_LOG = logging.getLogger(__name__)
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def service_app(engine: FileEngine, peers: Peers | None = None) -> web.Application:
    """The application for TCP: public operations in clear, at most 64 KiB a request, all in envelopes.

    Without `peers` no messages of other services are taken.
    """
    application = web.Application()
    add_service(application, engine, public_only=True, peers=peers)
    return application


def owner_app(engine: FileEngine) -> web.Application:
    """The application for a unix socket that only the owner can open: all operations, at most 16 MiB a
    request.
    """
    application = web.Application()
    add_service(application, engine, public_only=False)
    return application


def add_service(
    application: web.Application, engine: FileEngine, *, public_only: bool, peers: Peers | None = None
) -> None:
    """Add the service's path to an application.

    `public_only` must be true unless the application listens where only the owner of the machine's data can
    connect: without it, callers are believed.
    """
    octets = PUBLIC_OCTETS if public_only else OWNER_OCTETS

    async def post(request: web.Request) -> web.Response:
        if "Origin" in request.headers:  # every browser says it, no program of the Mesh does
            raise web.HTTPForbidden(text="pages may not use the service\n")
        if request.content_type == ENVELOPED:
            return await _enveloped(request, engine, peers)
        if request.content_type not in _MEDIA_TYPES:
            raise web.HTTPUnsupportedMediaType(text="send application/json or application/dare\n")
        body = await _read(request, octets)
        if body is None:
            text = f"a request here has at most {octets} octets"
            return _answer(failure(wire.BAD_REQUEST, wire.TOO_LARGE, text))
        try:
            caller = None if public_only else _caller(request)
        except EncodingError as error:
            return _answer(failure(wire.BAD_REQUEST, wire.REFUSED, f"{ACCOUNT_HEADER}: {error}"))
        try:
            return _answer(await asyncio.to_thread(engine.dispatch, body, caller, public_only=public_only))
        except Exception:
            _LOG.exception("a request could not be served")
            return _answer(failure(wire.SERVER_ERROR, None, "the service failed; its log tells why"))

    application.router.add_post(PATH, post)
    application.router.add_post(PATH.rstrip("/"), post)


async def _enveloped(request: web.Request, engine: FileEngine, peers: Peers | None) -> web.Response:
    body = await _read(request, OWNER_OCTETS)
    if body is None:
        text = f"a request here has at most {OWNER_OCTETS} octets"
        return _answer(failure(wire.BAD_REQUEST, wire.TOO_LARGE, text))
    try:
        asked = await asyncio.to_thread(engine.authenticate, body)
        if isinstance(asked, Answer):
            answer = asked
        else:
            answer = await asyncio.to_thread(engine.serve, await _vouched(asked, peers))
    except Exception:
        _LOG.exception("an enveloped request could not be served")
        return _answer(failure(wire.SERVER_ERROR, None, "the service failed; its log tells why"))
    media_type = ENVELOPED if answer.enveloped else MEDIA_TYPE
    return web.Response(body=answer.octets, content_type=media_type, headers=_HEADERS)


async def _vouched(asked: Authenticated, peers: Peers | None) -> Authenticated:
    """The request of another service, with the domain of the sender when it is found to speak for it."""
    caller = asked.caller
    if peers is None or caller is None or caller.service_udf is None:
        return asked
    try:
        request = wire.decode_request(asked.request)
    except ProtocolError:
        return asked
    if not isinstance(request, wire.PostRequest) or not request.sender:
        return asked
    domain = domain_of(request.sender)
    found = await peers.speaks_for(domain, caller.service_udf)
    known = None if found is None else domain if found else ""
    return replace(asked, caller=replace(caller, domain=known))


async def _read(request: web.Request, octets: int) -> bytes | None:
    """The body; None when it is longer than that, of which no more than that is read."""
    pieces = bytearray()
    async for piece in request.content.iter_any():
        pieces += piece
        if len(pieces) > octets:
            return None
    return bytes(pieces)


def _caller(request: web.Request) -> Caller | None:
    stated = request.headers.get(ACCOUNT_HEADER)
    return None if stated is None else Caller(account=uri.account_address(stated))


def _answer(body: bytes) -> web.Response:
    return web.Response(body=body, content_type=MEDIA_TYPE, headers=_HEADERS)


def owner_socket(path: Path) -> socket.socket:
    """A bound unix socket with mode 0600 from its first moment; a left-over one is replaced.

    Raises StoreError when something else than a socket lies there.
    """
    if path.exists() or path.is_symlink():
        if not path.is_socket():
            raise StoreError(f"{path} is in the way of the service's socket; move it elsewhere")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    return listener
