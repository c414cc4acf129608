"""The HTTP binding over real sockets: what strangers reach, what the owner's socket adds, what is refused."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from mathmesh.errors import StoreError
from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.service import messages as wire
from meshservice.http import PATH, PUBLIC_OCTETS, owner_app, owner_socket, service_app

World = Any  # the fixture's class lives in conftest
JSON = {"Content-Type": "application/json"}


class Served:
    """Both applications, running."""

    def __init__(self, url: str, socket: Path) -> None:
        self.url = url
        self.socket = socket

    async def tcp(self, body: bytes, **headers: str) -> tuple[int, bytes, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, data=body, headers={**JSON, **headers}) as response,
        ):
            return response.status, await response.read(), response.headers

    async def unix(self, body: bytes, **headers: str) -> bytes:
        connector = aiohttp.UnixConnector(str(self.socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"http://localhost{PATH}", data=body, headers={**JSON, **headers}) as response,
        ):
            assert response.status == 200
            return await response.read()


@pytest.fixture
async def served(world: World, tmp_path: Path) -> AsyncIterator[Served]:
    strangers, owner = web.AppRunner(service_app(world.engine)), web.AppRunner(owner_app(world.engine))
    await strangers.setup()
    await owner.setup()
    socket = tmp_path / "service.sock"
    await web.SockSite(owner, owner_socket(socket)).start()
    await web.TCPSite(strangers, "127.0.0.1", 0).start()
    host, port = strangers.addresses[0][:2]
    yield Served(f"http://{host}:{port}{PATH}", socket)
    await strangers.cleanup()
    await owner.cleanup()


def content(body: bytes) -> tuple[str, dict[str, Any]]:
    ((tag, members),) = json.loads(body).items()
    return tag, members


@pytest.mark.parametrize("tag", ["Hello", "HelloRequest", "MeshHelloRequest"])
async def test_a_stranger_says_hello_under_either_tag(served: Served, tag: str) -> None:
    status, body, headers = await served.tcp(json.dumps({tag: {}}).encode())
    name, members = content(body)
    assert (status, name, members["Status"]) == (200, "MeshHelloResponse", 201)
    assert headers["Content-Type"] == "application/json; charset=utf-8" or headers["Content-Type"] == (
        "application/json"
    )
    assert headers["Cache-Control"] == "no-store"


async def test_claim_and_poll_work_over_tcp(world: World, served: Served) -> None:
    maker, alice = world.account("maker"), world.account("alice")
    secret = world.publish(maker, "lamp")
    envelope = alice.claim(secret, maker.address)
    _, body, _ = await served.tcp(wire.ClaimRequest(enveloped_message_claim=envelope).encode())
    answer = wire.decode_response(body, wire.ClaimResponse)
    assert answer.status == 201
    assert answer.cataloged_publication is not None
    poll = wire.PollClaimRequest(
        target_account_address=maker.address, publication_id=answer.cataloged_publication.id
    )
    _, body, _ = await served.tcp(poll.encode())
    assert content(body)[1]["Status"] == 201


async def test_user_operations_are_closed_over_tcp_whatever_the_header_says(
    world: World, served: Served
) -> None:
    account = world.account("alice", begin=("MMM_Network",))
    before = world.counts(account)
    update = world.update(account, "MMM_Network", [CatalogedNetwork(protocol="wifi", service="x")])
    requests: list[wire.Request] = [
        wire.StatusRequest(),
        wire.DownloadRequest(),
        wire.TransactRequest(updates=(update,)),
        account.bind_request(),
    ]
    for request in requests:
        _, body, _ = await served.tcp(request.encode(), **{"Mesh-Account": account.address})
        tag, members = content(body)
        assert tag == wire.response_type(request.OPERATION).TAG
        assert (members["Status"], members["StatusExtended"]) == (401, wire.NOT_AUTHORIZED)
    assert world.counts(account) == before


async def test_the_owners_socket_serves_the_account_that_is_named(world: World, served: Served) -> None:
    account = world.account("alice", begin=("MMM_Network",))
    mode = stat.S_IMODE(served.socket.stat().st_mode)
    assert mode == 0o600
    body = await served.unix(wire.StatusRequest().encode(), **{"Mesh-Account": "Alice@Example.com"})
    status = wire.decode_response(body, wire.StatusResponse)
    assert {one.container for one in status.container_status} == set(world.counts(account))
    update = world.update(account, "MMM_Network", [CatalogedNetwork(protocol="wifi", service="x")])
    request = wire.TransactRequest(updates=(update,)).encode()
    body = await served.unix(request, **{"Mesh-Account": account.address})
    assert wire.decode_response(body, wire.TransactResponse).status == 201
    for headers, expected in (
        ({}, 401),
        ({"Mesh-Account": "bob@example.com"}, 404),
        ({"Mesh-Account": "no address"}, 400),
    ):
        assert content(await served.unix(request, **headers))[1]["Status"] == expected


async def test_what_http_itself_refuses(served: Served) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(served.url) as response:
            assert response.status == 405
        async with session.post(served.url.replace("mmm", "other"), data=b"{}", headers=JSON) as response:
            assert response.status == 404
        async with session.post(served.url, data=b"{}", headers={"Content-Type": "text/html"}) as response:
            assert response.status == 415
        async with session.post(served.url.rstrip("/"), data=b'{"Hello":{}}', headers=JSON) as response:
            assert (await response.json(content_type=None))["MeshHelloResponse"]["Status"] == 201


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_cut_off_and_the_next_request_served(served: Served, chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(PUBLIC_OCTETS // 1024 + 64):
            yield b" " * 1024

    data = pieces() if chunked else b" " * (PUBLIC_OCTETS + 1)
    async with (
        aiohttp.ClientSession() as session,
        session.post(served.url, data=data, headers=JSON) as response,
    ):
        _, members = content(await response.read())
    assert (members["Status"], members["StatusExtended"]) == (400, wire.TOO_LARGE)
    assert content((await served.tcp(b'{"Hello":{}}'))[1])[1]["Status"] == 201


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b'{"Hello":{},"Hello":{}}', b"[" * 5000, b'{"X":1}'])
async def test_bad_requests_are_told_so_without_a_traceback(served: Served, body: bytes) -> None:
    status, answer, _ = await served.tcp(body)
    tag, members = content(answer)
    assert (status, tag, members["Status"]) == (200, "MeshResponse", 400)
    assert b"Traceback" not in answer
    assert b".py" not in answer


async def test_a_disk_error_is_told_without_paths_to_strangers(
    world: World, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker, alice = world.account("maker"), world.account("alice")
    envelope = alice.claim(world.publish(maker, "lamp"), maker.address)

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device", str(world.folder))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        _, body, _ = await served.tcp(wire.ClaimRequest(enveloped_message_claim=envelope).encode())
    assert content(body)[1]["Status"] == 500
    assert str(world.folder).encode() not in body


async def test_many_at_once(served: Served) -> None:
    answers = await asyncio.gather(*(served.tcp(b'{"Hello":{}}') for _ in range(20)))
    assert all(content(body)[1]["Status"] == 201 for _, body, _ in answers)


def test_the_socket_replaces_only_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "service.sock"
    owner_socket(path).close()
    owner_socket(path).close()
    path.unlink()
    path.write_text("precious")
    with pytest.raises(StoreError, match="in the way"):
        owner_socket(path)
    assert path.read_text() == "precious"
