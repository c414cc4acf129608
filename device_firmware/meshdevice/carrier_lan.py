"""LAN carrier for onboarding: a TCP port for framed records, and the answer to a UDP hail.

    hail   "mh1?" || lid(10)                   answer "mh1!" || lid(10) || TCP port(2, big-endian)

The answer comes only while the window is open and the lid is this device's. Protocol book, "Carriers".
"""

import asyncio
import socket

from meshdevice.runtime import MICROPYTHON
from meshlink.messages import LinkError
from meshlink.record import FrameReader, frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from meshdevice.parts import Random

HAIL_PORT = 47447
HAIL = b"mh1?"
ANSWER = b"mh1!"

_MOST_CONNECTIONS = 4
_IDLE_LIMIT = 130
_WRITE_LIMIT = 10
_CHUNK = 512
_PORT_TRIES = 20


class Connection:
    """One TCP connection, and the token that the link knows it by. `send` queues; a task writes."""

    def __init__(self, reader: "Any", writer: "Any") -> None:
        self.reader = reader
        self._writer = writer
        self._queue: list[bytes] = []
        self._wake = asyncio.Event()
        self._closing = False

    def send(self, record: bytes) -> None:
        """Queue one record."""
        self._queue.append(frame(record))
        self._wake.set()

    def close(self) -> None:
        """Close once all that is queued has been written."""
        self._closing = True
        self._wake.set()

    async def write(self) -> None:
        """Write what is queued until `close`; ends when the connection does."""
        try:
            while self._queue or not self._closing:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    self._writer.write(self._queue.pop(0))
                    await asyncio.wait_for(self._writer.drain(), _WRITE_LIMIT)
        except (OSError, asyncio.TimeoutError):
            self._closing = True
        finally:
            self._writer.close()


class LanCarrier:
    """lid: 10 octets; host: address to listen on; port: 0 for one chosen at random; random: `random(n)`.

    receive: `receive(record, connection)`; lost: `lost(connection)`; peer: `peer()` is the connection of a
    proven adopter, or None. Four connections are held; for a fifth the oldest goes that is not the peer's, so
    that silent ones keep no adopter out.
    """

    def __init__(
        self,
        lid: bytes,
        *,
        host: str,
        port: int,
        random: "Random",
        receive: "Callable[[bytes, Connection], None]",
        lost: "Callable[[Connection], None]",
        peer: "Callable[[], object]",
    ) -> None:
        self._lid = lid
        self._host = host
        self._wanted = port
        self._random = random
        self._receive = receive
        self._lost = lost
        self._peer = peer
        self._server: Any = None
        self._hail: Any = None
        self._open: list[Connection] = []
        self.port = 0

    async def open(self) -> int:
        """Listen, and answer hails; the TCP port. Raises OSError when no port can be had."""
        if self._server is None:
            await self._listen()
            self._hail = _bind_hail()
        return self.port

    def close(self) -> None:
        """Take no new connection and answer no hail; open connections go on."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._hail is not None:
            self._hail.close()
            self._hail = None
        self.port = 0

    def step(self) -> None:
        """Answer the hails that have come; the main loop calls this."""
        while self._hail is not None:
            try:
                datagram, sender = self._hail.recvfrom(64)
            except OSError:
                return
            if datagram == HAIL + self._lid:
                answer = ANSWER + self._lid + self.port.to_bytes(2, "big")
                try:
                    self._hail.sendto(answer, sender)
                except OSError:
                    return

    async def _listen(self) -> None:
        for _ in range(_PORT_TRIES):
            # MicroPython cannot tell which port the system gave, so an ephemeral one is drawn here.
            port = self._wanted or 49152 + int.from_bytes(self._random(2), "big") % 16384
            try:
                self._server = await asyncio.start_server(self._serve, self._host, port, backlog=4)
            except OSError:
                continue
            self.port = port
            return
        raise OSError("no TCP port is free for onboarding")

    async def _serve(self, reader: "Any", writer: "Any") -> None:
        connection = Connection(reader, writer)
        self._open.append(connection)
        self._make_room()
        writing = asyncio.create_task(connection.write())
        try:
            await self._read(connection)
        finally:
            if connection in self._open:
                self._open.remove(connection)
            connection.close()
            self._lost(connection)
        await writing

    def _make_room(self) -> None:
        peer = self._peer()
        for connection in self._open[:]:
            if len(self._open) > _MOST_CONNECTIONS and connection is not peer:
                self._open.remove(connection)
                connection.close()

    async def _read(self, connection: Connection) -> None:
        frames = FrameReader()
        try:
            while True:
                data = await asyncio.wait_for(connection.reader.read(_CHUNK), _IDLE_LIMIT)
                if not data:
                    return
                for record in frames.feed(data):
                    self._receive(record, connection)
        except (OSError, EOFError, LinkError, asyncio.TimeoutError):
            return


def _bind_hail() -> "Any":
    """A socket on the hail port, or None: another program may hold it, and `--at HOST:PORT` still works."""
    hail = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        hail.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        hail.bind(_address("0.0.0.0", HAIL_PORT))  # noqa: S104  (broadcasts come to no single address)
        hail.setblocking(False)
    except OSError:
        hail.close()
        return None
    return hail


def _address(host: str, port: int) -> "Any":
    if not MICROPYTHON:
        return (host, port)
    return socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)[0][-1]
