"""Finding a free device on the local network: the address given, its Hailing, or a UDP hail with the label's
id.

A hail tells listeners on the same network that this label is being looked for, nothing else; what answers is
believed only after the handshake (protocol book, "Onboarding": hailing is a hint).
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from mathmesh.errors import EncodingError

HAIL_PORT = 47447
HAIL_INTERVAL = 1.0
"""Seconds between two hails."""
CONNECT_TIMEOUT = 3.0
"""Seconds for one TCP connection on the local network."""
BROADCAST = ("255.255.255.255", "127.255.255.255")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """`HOST:PORT`, with an IPv6 host in brackets. Raises EncodingError."""
    try:
        parts = urlsplit(f"//{text.strip()}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise EncodingError(f"{text!r} is not an address: write HOST:PORT, such as 192.168.1.20:47447.")
    return Address(host=host, port=port)


def hailing_addresses(hailing: Iterable[str]) -> list[Address]:
    """The `mmm-tcp://host:port` entries of a publication; other schemes belong to other carriers and are
    passed over.
    """
    found = []
    for text in hailing:
        if text.startswith("mmm-tcp://"):
            with contextlib.suppress(EncodingError):
                found.append(parse_address(text.removeprefix("mmm-tcp://")))
    return found


async def candidates(lid: bytes, hailing: Iterable[str], at: Address | None) -> AsyncGenerator[Address, None]:
    """Addresses to try, best first, for ever: the caller sets the time limit.

    With `at`, only that one. Otherwise the hailing addresses and whoever answers a UDP hail with `lid` (10
    octets), again and again, since a device that is being plugged in appears late.
    """
    fixed = [at] if at else hailing_addresses(hailing)
    if at:
        while True:
            yield at
            await asyncio.sleep(HAIL_INTERVAL)
    async with _hailer(lid) as answers:
        while True:
            for address in fixed:
                yield address
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HAIL_INTERVAL):
                    while True:
                        yield await answers.get()


async def connect(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """A TCP connection, or None when nothing listens there."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            return await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError):
        return None


class _Hail(asyncio.DatagramProtocol):
    def __init__(self, lid: bytes, answers: asyncio.Queue[Address]) -> None:
        self.lid = lid
        self.answers = answers

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) == 16 and data[:14] == b"mh1!" + self.lid and not self.answers.full():
            self.answers.put_nowait(Address(host=addr[0], port=int.from_bytes(data[14:], "big")))

    def error_received(self, exc: Exception) -> None:
        """A network without broadcast is the normal case on a server: the other ways remain."""


@contextlib.asynccontextmanager
async def _hailer(lid: bytes) -> AsyncIterator[asyncio.Queue[Address]]:
    answers: asyncio.Queue[Address] = asyncio.Queue(maxsize=16)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Hail(lid, answers), sock=sock)

    async def call() -> None:
        while True:
            for broadcast in BROADCAST:
                with contextlib.suppress(OSError):
                    transport.sendto(b"mh1?" + lid, (broadcast, HAIL_PORT))
            await asyncio.sleep(HAIL_INTERVAL)

    caller = asyncio.create_task(call())
    try:
        yield answers
    finally:
        caller.cancel()
        transport.close()
