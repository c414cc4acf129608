"""Batches of telemetry, as they lie in a device's sequence."""

import zlib
from collections.abc import Iterable

from mathmesh.errors import StoreError
from meshhub.telemetry_batch import Batch, Gap, Reading, decode, encode


def seeds() -> Iterable[bytes]:
    """The text inside a batch, after the octet 0; a compressed one after the octet 1."""
    readings = (
        Reading(time=1000, node="air", property="temperature", value=20.5, boot=1, s=1),
        Reading(time=2000, node="light", property="on", value=True, boot=1, s=2),
        Reading(time=2500, node="door", property="press", value="single", boot=2, s=1),
    )
    batch = encode(Batch(readings=readings, gaps=(Gap(time=3000, boot=1, first=3, last=9),)))
    yield b"\x00" + zlib.decompress(batch)
    yield b"\x01" + batch
    yield b"\x00" + b"[" * 2000


def one(data: bytes) -> None:
    """What is read has the types that its users rely on, and is written and read again alike."""
    payload = data[1:] if data[:1] == b"\x01" else zlib.compress(data[1:], 1)
    try:
        batch = decode(payload)
    except StoreError:
        return
    for reading in batch.readings:
        assert all(type(number) is int for number in (reading.time, reading.boot, reading.s))
        assert isinstance(reading.node, str)
        assert isinstance(reading.property, str)
    for gap in batch.gaps:
        assert all(type(number) is int for number in (gap.time, gap.boot, gap.first, gap.last))
    list(batch.numbers())
    assert repr(decode(encode(batch))) == repr(batch)
