"""The TCP port of a free device: silent connections keep no adopter out."""

import asyncio
import os

from meshdevice.carrier_lan import LanCarrier
from meshlink.record import frame


async def test_silent_connections_make_room_and_the_adopter_stays() -> None:
    got = []
    peer = None

    def receive(record: bytes, connection: object) -> None:
        nonlocal peer
        got.append(record)
        peer = peer or connection

    carrier = LanCarrier(
        bytes(10),
        host="127.0.0.1",
        port=0,
        random=os.urandom,
        receive=receive,
        lost=lambda _connection: None,
        peer=lambda: peer,
    )
    port = await carrier.open()
    lines = []
    try:
        for number in range(12):
            lines.append(await asyncio.open_connection("127.0.0.1", port))
            if number == 2:
                lines[2][1].write(frame(b"adopter"))
            await asyncio.sleep(0.02)
        assert got == [b"adopter"]
        lines[2][1].write(frame(b"goes on"))
        lines[11][1].write(frame(b"another"))
        for number in (0, 1, *range(3, 9)):
            async with asyncio.timeout(1):
                assert await lines[number][0].read() == b""
        await asyncio.sleep(0.05)
        assert sorted(got) == [b"adopter", b"another", b"goes on"]
    finally:
        carrier.close()
        for _, writer in lines:
            writer.close()
        await asyncio.sleep(0.05)
