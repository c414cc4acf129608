"""Framing, whatever the pieces that a stream arrives in."""

from hypothesis import given, settings
from hypothesis import strategies as st

from meshlink import record
from meshlink.record import FrameReader

RECORDS = st.lists(st.binary(min_size=1, max_size=300), max_size=6)


@settings(max_examples=60, deadline=None)
@given(bodies=RECORDS, cuts=st.lists(st.integers(min_value=1, max_value=80), min_size=1, max_size=40))
def test_a_stream_gives_back_its_records(bodies: list[bytes], cuts: list[int]) -> None:
    records = [record.pack(record.DATA, b"abcd", i, body) for i, body in enumerate(bodies)]
    stream = b"".join(record.frame(one) for one in records)
    reader, out, at = FrameReader(), [], 0
    for i in range(len(stream)):
        if at >= len(stream):
            break
        size = cuts[i % len(cuts)]
        out += reader.feed(stream[at : at + size])
        at += size
    assert out == records
    for octets, body in zip(out, bodies, strict=True):
        parsed = record.unpack(octets)
        assert parsed is not None
        assert (parsed.type, parsed.sid, parsed.body) == (record.DATA, b"abcd", body)
        assert parsed.header == octets[: record.HEADER]


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=60))
def test_any_octets_are_a_record_or_none(data: bytes) -> None:
    parsed = record.unpack(data)
    if parsed is not None:
        assert record.pack(parsed.type, parsed.sid, parsed.ctr, parsed.body) == data
