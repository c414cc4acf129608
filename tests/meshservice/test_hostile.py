"""What one request of a stranger may cost: it is read before the service knows who asks."""

from __future__ import annotations

import time
from collections.abc import Callable

import aiohttp
import pytest
from aiohttp import web

from mathmesh.codec import jsonbcd
from mathmesh.dare.envelope import seal
from mathmesh.errors import EncodingError
from mathmesh.keys.pair import generate
from mathmesh.service import messages as wire
from mathmesh.service.enveloping import VALUES_MOST, seal_as_stranger, service_keys
from meshservice.http import MEDIA_TYPE, PATH, service_app

from .conftest import START, Source, World

SOURCE = Source("hostile")
MANY = b"[" + b"[]," * 4 * VALUES_MOST + b"[]]"


def test_escapes_take_time_in_proportion_to_their_number() -> None:
    """A string of them once took the square: sixteen megabytes would have held the service for hours."""

    def seconds(count: int) -> float:
        text = b'["' + b"\\n" * count + b'"]'
        began = time.process_time()
        jsonbcd.loads(text)
        return time.process_time() - began

    few = max(min(seconds(50_000) for _ in range(3)), 0.001)
    assert seconds(800_000) < 16 * few * 4


def test_a_reader_counts_the_values_of_strangers() -> None:
    assert jsonbcd.loads(b"[[],[],1]", most=4) == [[], [], 1]
    with pytest.raises(EncodingError):
        jsonbcd.loads(b"[[],[],1]", most=3)


@pytest.mark.parametrize(
    "envelope",
    [
        lambda _world: MANY,
        lambda _world: b'[{"a":' + MANY + b"}]",
        lambda world: seal(
            b'{"ServiceRequest":' + MANY + b"}",
            entropy=SOURCE,
            recipients=[world.identity.encryption.public],
        ).to_json_b(),
    ],
    ids=["no envelope", "header", "sealed"],
)
def test_an_envelope_of_many_values_is_refused_before_it_takes_memory(
    world: World, envelope: Callable[[World], bytes]
) -> None:
    answer = world.engine.dispatch_enveloped(envelope(world))
    assert not answer.enveloped
    assert b"more values" in answer.octets


def test_a_stranger_sends_small_requests_only(world: World) -> None:
    world.clock.advance(1)
    hello = world.ask(wire.HelloRequest(), wire.MeshHelloResponse)
    keys = service_keys(hello, START, world.identity.profile.udf)
    sent = seal_as_stranger(
        b'{"Hello":{"Padding":[' + b"0," * 64 * 1024 + b"0]}}",
        keys,
        generate("Ed448", SOURCE),
        generate("X448", SOURCE),
        entropy=SOURCE,
        now=world.clock.now,
    )
    answer = world.engine.dispatch_enveloped(sent.octets)
    assert not answer.enveloped
    assert b"larger than this caller may send" in answer.octets


async def test_a_page_in_a_browser_is_refused_whatever_it_sends(world: World) -> None:
    """Also under a name that its owner lets point to this machine: browsers say where a page is from."""
    runner = web.AppRunner(service_app(world.engine))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        headers = {"Origin": f"http://evil.example:{port}", "Host": f"evil.example:{port}"}
        async with aiohttp.ClientSession(f"http://{host}:{port}") as session:
            for media_type in (MEDIA_TYPE, "application/dare"):
                given = {**headers, "Content-Type": media_type}
                async with session.post(PATH, data=b"{}", headers=given) as answer:
                    assert answer.status == 403
    finally:
        await runner.cleanup()
