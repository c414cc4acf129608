"""Frames and records: octets, both directions, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.dare import frame
from mathmesh.errors import EncodingError

BODIES = st.lists(st.binary(max_size=700), min_size=1, max_size=3).filter(lambda records: bool(records[0]))


@pytest.mark.parametrize(
    ("records", "octets"),
    [
        ([b"\x00", b""], "f405f00100f00005f4"),
        ([b"{}"], "f404f0027b7d04f4"),
        ([b"{}", b"", b"{}"], "f40af0027b7df000f0027b7d0af4"),
    ],
)
def test_octets_of_a_frame(records: list[bytes], octets: str) -> None:
    assert frame.pack_frame(records).hex() == octets
    assert list(frame.unpack_frame(bytes.fromhex(octets))) == records


@pytest.mark.parametrize(
    ("length", "lead", "tail"),
    [
        (253, "f4ff", "fff4"),
        (254, "f50100", "0001f5"),
        (65530, "f5fffd", "fdfff5"),
        (65536, "f600010005", ""),
    ],
)
def test_lengths_take_their_shortest_form(length: int, lead: str, tail: str) -> None:
    packed = frame.pack_frame([bytes(length)]).hex()
    assert packed.startswith(lead)
    assert packed.endswith(tail)


@given(st.lists(BODIES, min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_frames_are_walked_from_both_ends(contents: list[list[bytes]]) -> None:
    octets = b"".join([frame.pack_frame(records) for records in contents])

    def read_at(offset: int, count: int) -> bytes:
        return octets[offset : offset + count]

    forwards, position = [], 0
    while position < len(octets):
        found = frame.read_frame(read_at, position)
        forwards.append(found)
        position = found.end
    assert [list(found.records) for found in forwards] == contents
    backwards, end = [], len(octets)
    while end:
        end = frame.start_before(read_at, end)
        backwards.append(end)
    assert backwards[::-1] == [found.position for found in forwards]


def test_longer_forms_of_a_length_are_read() -> None:
    assert frame.unpack_frame(bytes.fromhex("f50007f10002 7b7d f000 0700f5")) == (b"{}", b"")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "empty"),
        ("f407f0027b7df0017806f4", "reverse length differs"),
        ("f403f0097803f4", "record overruns the frame"),
        ("f404f0027b7d", "no reverse length"),
        ("f404f0027b7d04", "reverse length cut short"),
        ("f404f0027b7d04f5", "reverse tag differs"),
        ("f402f00002f4", "empty header"),
        ("f400 00f4", "no record"),
        ("f410f0027b7df0017af0017af0017a10f4", "length too long"),
        ("f40df0027b7df0017af0017af0017a0df4", "four records"),
        ("f40488027b7d04f4", "item is no record"),
        ("f004f0027b7d04f0", "record where a frame should be"),
        ("f404f0027b7d04f4f4", "followed by further octets"),
        ("f7ffffffffffffffff", "absurd length"),
    ],
)
def test_malformed_frames_are_refused(octets: str, why: str) -> None:
    with pytest.raises(EncodingError):
        frame.unpack_frame(bytes.fromhex(octets))


@pytest.mark.parametrize("octets", ["", "00", "05f4", "ffff"])
def test_no_frame_ends_there(octets: str) -> None:
    data = bytes.fromhex(octets)
    with pytest.raises(EncodingError):
        frame.start_before(lambda offset, count: data[offset : offset + count], len(data))
