"""Octets of a stream carrier, cut into records, and the payloads of a message carrier."""

from collections.abc import Iterable

from meshlink import record
from meshlink.record import FrameReader, LinkError


def seeds() -> Iterable[bytes]:
    """Whole frames, two at once, one that is cut, one that is too long."""
    data = record.pack(record.DATA, b"sidd", 7, bytes(40))
    init = record.pack(record.INIT_RUN, b"sidd", 0, bytes(60))
    yield record.frame(data)
    yield record.frame(init) + record.frame(record.hint(record.ANY_SESSION, 4)) + record.frame(data)[:9]
    yield bytes(6)
    yield b"\x10\x1e" + data


def one(data: bytes) -> None:
    """A stream gives the same records however it is cut; each record is one message's payload too."""
    found = _cut(data, len(data))
    for size in (1, 3, 700):
        assert _cut(data, size) == found
    records, refused = found
    taken = sum(len(octets) + 2 for octets in records)
    assert b"".join(record.frame(octets) for octets in records) == data[:taken]
    assert not refused or int.from_bytes(data[taken : taken + 2], "big") > record.MAXIMUM_RECORD
    for octets in records:
        assert record.unframe(record.frame(octets)) == octets
        parsed = record.unpack(octets)
        if parsed is not None:
            assert record.pack(parsed.type, parsed.sid, parsed.ctr, parsed.body) == octets
    whole = record.unframe(data)
    assert whole is None or record.frame(whole) == data


def _cut(data: bytes, size: int) -> tuple[list[bytes], bool]:
    reader = FrameReader()
    records: list[bytes] = []
    for start in range(0, len(data), max(1, size)):
        try:
            records += reader.feed(data[start : start + size])
        except LinkError:
            return _before_refusal(data), True
    return records, False


def _before_refusal(data: bytes) -> list[bytes]:
    """The records in front of the one that is too long: `feed` gives none of its call."""
    records, start = [], 0
    while (size := int.from_bytes(data[start : start + 2], "big")) <= record.MAXIMUM_RECORD:
        records.append(data[start + 2 : start + 2 + size])
        start += 2 + size
    return records
