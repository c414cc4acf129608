"""A device is found by its address, its hailing, or by answering a hail for its label."""

import asyncio
import socket

import pytest

from mathmesh.errors import EncodingError
from meshhub.onboarding import discovery
from meshhub.onboarding.discovery import Address, candidates, hailing_addresses, parse_address

LID = bytes(range(10))


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.168.1.20:4711", "192.168.1.20", 4711),
        ("[fe80::1]:80", "fe80::1", 80),
        (" lamp.local:1 ", "lamp.local", 1),
    ],
)
def test_addresses_are_parsed(text: str, host: str, port: int) -> None:
    assert parse_address(text) == Address(host=host, port=port)


@pytest.mark.parametrize("text", ["", "lamp", "lamp:", ":80", "lamp:99999", "lamp:x", "[::1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(EncodingError, match="HOST:PORT"):
        parse_address(text)


def test_hailing_of_other_carriers_is_passed_over() -> None:
    hailing = [
        "mmm-ble://uuid/id",
        "mmm-tcp://127.0.0.1:5000",
        "mmm-tcp://nonsense",
        "mmm-wifi://mesh-abc?k=x",
    ]
    assert hailing_addresses(hailing) == [Address(host="127.0.0.1", port=5000)]


async def test_the_given_address_is_the_only_candidate() -> None:
    only = Address(host="10.0.0.1", port=1)
    found = candidates(LID, ["mmm-tcp://127.0.0.1:5000"], only)
    assert await anext(found) == only
    await found.aclose()


async def test_a_device_that_answers_the_hail_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    device = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    device.bind(("127.0.0.1", 0))
    device.setblocking(False)
    monkeypatch.setattr(discovery, "HAIL_PORT", device.getsockname()[1])
    monkeypatch.setattr(discovery, "BROADCAST", ("127.0.0.1",))
    loop = asyncio.get_running_loop()

    async def answer() -> None:
        question, peer = await loop.sock_recvfrom(device, 64)
        assert question == b"mh1?" + LID
        for wrong in (b"mh1!" + bytes(10) + b"\x00\x01", b"mh1!" + LID, b""):
            await loop.sock_sendto(device, wrong, peer)
        await loop.sock_sendto(device, b"mh1!" + LID + (4711).to_bytes(2, "big"), peer)

    answering = asyncio.create_task(answer())
    found = candidates(LID, [], None)
    async with asyncio.timeout(5):
        assert await anext(found) == Address(host="127.0.0.1", port=4711)
    await answering
    await found.aclose()
    device.close()
