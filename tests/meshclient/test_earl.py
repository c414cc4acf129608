"""Locators resolved from a real server on this machine, honest or hostile."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from mathmesh.codec import jsonbcd, udf, uri
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.dare.locator import seal_located
from mathmesh.errors import (
    EncodingError,
    KeyUnavailableError,
    MeshError,
    PolicyError,
    StoreError,
    VerificationError,
)
from mathmesh.keys import derive, digest, earl
from mathmesh.keys.pair import generate
from mathmesh.schema.build.profile import make_profile_user
from mathmesh.schema.validation import verify_profile_user
from meshclient.earl import Resolver, parse_locator
from meshclient.earl_folder import (
    add_publications,
    path_of,
    publish,
    publish_content,
    publish_document,
    publish_profile,
    withdraw,
)

DOMAIN = "example.com"
KEY = udf.text(udf.ENCRYPTION, bytes(range(15)))
LOCATOR = f"udf://{DOMAIN}/{KEY}"
PATH = earl.WELL_KNOWN + earl.content_id(KEY)
Serve = Callable[[web.Application], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    runners: list[web.AppRunner] = []

    async def start(application: web.Application) -> str:
        runner = web.AppRunner(application)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def resolver(serve: Serve, tmp_path: Path) -> Resolver:
    application = web.Application()
    add_publications(application, tmp_path)
    return Resolver({DOMAIN: await serve(application) + earl.WELL_KNOWN})


async def answering(serve: Serve, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
    application = web.Application()
    application.router.add_get("/{path:.*}", handler)
    return await serve(application)


async def test_published_content_is_found_and_withdrawn(resolver: Resolver, tmp_path: Path) -> None:
    for octets in (15, 32):
        key = udf.text(udf.ENCRYPTION, os.urandom(octets))
        meta = ContentMeta(cty="text/plain", filename="note.txt")
        locator = publish_content(tmp_path, DOMAIN, key, b"content", meta)
        assert locator == f"udf://{DOMAIN}/{key}"
        path = path_of(tmp_path, earl.content_id(key))
        assert path == tmp_path / ".well-known" / "mmm-udf" / earl.content_id(key)
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert b"content" not in path.read_bytes()
        found = await resolver.resolve(locator)
        assert (found.content, found.authenticated, found.content_meta.filename) == (
            b"content",
            True,
            "note.txt",
        )
        publish_content(tmp_path, DOMAIN, key, b"newer")
        assert (await resolver.resolve(locator.replace("udf:", "UDF:"))).content == b"newer"
        assert withdraw(tmp_path, earl.content_id(key))
        assert not withdraw(tmp_path, earl.content_id(key))
        with pytest.raises(StoreError, match="nothing under this locator"):
            await resolver.resolve(locator)


async def test_documents_by_their_digest(resolver: Resolver, tmp_path: Path) -> None:
    locator = publish_document(tmp_path, DOMAIN, b"Hello", "text/plain")
    assert locator == f"udf://{DOMAIN}/{digest.content_digest(b'Hello', 'text/plain')}"
    assert (await resolver.resolve(locator)).content == b"Hello"
    name = parse_locator(locator)[1]
    for document, cty in ((b"Hallo", "text/plain"), (b"Hello", "text/html")):
        forged = seal(document, entropy=os.urandom, content_meta=ContentMeta(cty=cty))
        publish(tmp_path, forged, earl.content_id(name))
        with pytest.raises(VerificationError):
            await resolver.resolve(locator)


async def test_a_contact_by_its_code(resolver: Resolver, tmp_path: Path) -> None:
    signer = generate("Ed448", os.urandom)
    key = earl.contact_key(signer.public)
    content = jsonbcd.dumps({"Contact": {"Key": signer.public.to_json()}})
    publish_content(tmp_path, DOMAIN, key, content, signer=signer)
    found = await resolver.resolve(uri.mcu(f"alice@{DOMAIN}", key))
    assert (found.content, found.signer) == (content, signer.public)


async def test_strong_names(resolver: Resolver, tmp_path: Path) -> None:
    policy = publish_document(tmp_path, DOMAIN, b"{}", "application/json", bits=200)
    address = uri.sin_address("alice", DOMAIN, parse_locator(policy)[1], True)
    found = await resolver.resolve_name(address)
    assert (found.policy, found.content_type, found.profile) == (b"{}", "application/json", None)

    seed, other = (derive.new_seed(derive.PROFILE_ACCOUNT, os.urandom) for _ in range(2))
    service = derive.derive_key(derive.new_seed(260, os.urandom), "BaseServiceProfile").public.udf
    envelopes = [
        make_profile_user(one, f"alice@{DOMAIN}", service, datetime.now(UTC)) for one in (seed, other)
    ]
    name = verify_profile_user(envelopes[0]).udf
    publish_profile(tmp_path, DOMAIN, envelopes[0], name)
    address = uri.sin_address("alice", DOMAIN, name, False)
    profile = (await resolver.resolve_name(address)).profile
    assert profile is not None
    assert profile.udf == name
    publish_profile(tmp_path, DOMAIN, envelopes[1], name)
    with pytest.raises(VerificationError):
        await resolver.resolve_name(address)
    broken = Envelope(envelopes[0].header, envelopes[0].body, {})
    publish_profile(tmp_path, DOMAIN, broken, name)
    with pytest.raises(VerificationError):
        await resolver.resolve_name(address)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"no envelope", VerificationError),
        (b"[]", VerificationError),
        (seal(b"x", entropy=os.urandom).to_json(), VerificationError),
        (seal_located(b"x", KEY[:-1] + "Q", entropy=os.urandom).to_json(), KeyUnavailableError),
        (seal(b"x", entropy=os.urandom, symmetric=[bytes(range(15))]).to_json(), VerificationError),
    ],
)
async def test_a_server_that_returns_something_else(
    serve: Serve, answer: bytes, error: type[MeshError]
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=answer)

    resolver = Resolver({DOMAIN: await answering(serve, handler)})
    with pytest.raises(error):
        await resolver.resolve(LOCATOR)


async def test_size_is_limited_whatever_the_server_says(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(65536))
        except ConnectionError:
            return response

    resolver = Resolver({DOMAIN: await answering(serve, handler)}, maximum_octets=1_000_000)
    with pytest.raises(PolicyError, match="larger"):
        await resolver.resolve(LOCATOR)


async def test_a_server_that_does_not_answer(serve: Serve) -> None:
    stop = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        await stop.wait()
        return web.Response()

    resolver = Resolver({DOMAIN: await answering(serve, handler)}, timeout=0.2)
    with pytest.raises(StoreError, match="did not answer"):
        await resolver.resolve(LOCATOR)
    stop.set()


async def test_redirects(serve: Serve, tmp_path: Path) -> None:
    application = web.Application()
    add_publications(application, tmp_path)
    target = await serve(application)
    publish_content(tmp_path, DOMAIN, KEY, b"content")
    hops = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        left = int(request.query.get("left", hops))
        raise web.HTTPFound(f"/again?left={left - 1}" if left > 1 else target + PATH)

    resolver = Resolver({DOMAIN: await answering(serve, handler)})
    for hops in (1, 3):  # noqa: B007 - the handler reads it
        assert (await resolver.resolve(LOCATOR)).content == b"content"
    hops = 4
    with pytest.raises(PolicyError, match="more than 3"):
        await resolver.resolve(LOCATOR)


@pytest.mark.parametrize(
    "target",
    ["http://192.0.2.1/", "https://example.org/", "http://user:word@127.0.0.1/", "file:///etc/passwd", ""],
)
async def test_redirects_that_are_not_followed(serve: Serve, target: str) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": target})

    resolver = Resolver({DOMAIN: await answering(serve, handler)})
    with pytest.raises(PolicyError):
        await resolver.resolve(LOCATOR)


@pytest.mark.parametrize(
    "endpoint", ["http://example.com/", "http://192.0.2.1/", "ftp://127.0.0.1/", "x", ""]
)
def test_only_https_or_this_machine(endpoint: str) -> None:
    with pytest.raises(PolicyError):
        Resolver({DOMAIN: endpoint})


@pytest.mark.parametrize(
    "locator",
    [
        f"udf:{KEY}",
        f"mcu://a@b.example/{KEY}",
        f"mcu://a@b.example/{udf.text(udf.MAC, bytes(16))}",
        f"udf://{DOMAIN}/{udf.text(udf.NONCE, bytes(16))}",
        f"https://{DOMAIN}/{KEY}",
        f"udf://{DOMAIN}:80/{KEY}",
    ],
)
def test_what_is_no_locator(locator: str) -> None:
    with pytest.raises(EncodingError):
        parse_locator(locator)


async def test_the_folder_gives_nothing_else(serve: Serve, tmp_path: Path) -> None:
    import aiohttp

    (tmp_path / "secret").write_text("secret")
    application = web.Application()
    add_publications(application, tmp_path)
    base = await serve(application)
    async with aiohttp.ClientSession() as session:
        for path in ("secret", "..%2f..%2fsecret", "%2e%2e/%2e%2e/secret", KEY, earl.content_id(KEY), "M%00"):
            async with session.get(base + earl.WELL_KNOWN + path) as response:
                assert response.status == 404
    for identifier in (KEY, "../../secret", ""):
        with pytest.raises(EncodingError):
            path_of(tmp_path, identifier)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / ".well-known").write_text("a file is in the way")
    with pytest.raises(StoreError):
        publish_content(tmp_path, DOMAIN, KEY, b"content")
