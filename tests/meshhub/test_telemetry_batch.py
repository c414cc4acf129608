import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.errors import StoreError
from meshhub.telemetry_batch import Batch, Gap, Reading, content_meta, decode, encode, in_order

VALUES = st.one_of(
    st.booleans(), st.integers(-(1 << 40), 1 << 40), st.floats(-1e6, 1e6), st.text(max_size=9), st.none()
)
READINGS = st.builds(
    Reading,
    time=st.integers(0, 1 << 45),
    node=st.sampled_from(["light", "air"]),
    property=st.sampled_from(["on", "level", "temperature"]),
    value=VALUES,
    boot=st.integers(0, 3),
    s=st.integers(1, 1000),
)
GAPS = st.builds(
    Gap,
    time=st.integers(0, 1 << 45),
    boot=st.integers(0, 3),
    first=st.integers(1, 50),
    last=st.integers(51, 99),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(READINGS, max_size=20), st.lists(GAPS, max_size=3))
def test_what_goes_in_comes_out(readings: list[Reading], gaps: list[Gap]) -> None:
    batch = Batch(readings=tuple(readings), gaps=tuple(gaps))
    assert decode(encode(batch)) == batch
    accounted = {(boot, s) for boot, first, last in batch.numbers() for s in range(first, last + 1)}
    assert {(reading.boot, reading.s) for reading in readings} <= accounted


def reading(boot: int, s: int, time: int) -> Reading:
    return Reading(time=time, node="n", property="p", value=s, boot=boot, s=s)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([(1, 1, 100), (1, 2, 90), (1, 3, 110)], [(1, 1, 100), (1, 2, 100), (1, 3, 110)]),
        ([(1, 3, 95), (1, 2, 90), (1, 1, 100)], [(1, 1, 100), (1, 2, 100), (1, 3, 100)]),
        ([(2, 1, 90), (1, 9, 100)], [(2, 1, 90), (1, 9, 100)]),
        ([(1, 1, 10**12), (1, 2, 100)], [(1, 2, 100), (1, 1, 10**12)]),
    ],
)
def test_order_within_a_boot_is_that_of_the_device(
    readings: list[tuple[int, int, int]], expected: list[tuple[int, int, int]]
) -> None:
    ordered = in_order(reading(*numbers) for numbers in readings)
    assert [(item.boot, item.s, item.time) for item in ordered] == expected


def test_a_batch_of_a_minute_is_small() -> None:
    readings = tuple(
        Reading(
            time=1_800_000_000_000 + 1000 * n,
            node="air",
            property="temperature",
            value=20.5 + n / 10,
            boot=7,
            s=n,
        )
        for n in range(1, 65)
    )
    assert len(encode(Batch(readings=readings))) < 64 * 8


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not zlib",
        zlib.compress(b"not json"),
        zlib.compress(b"[]"),
        zlib.compress(json.dumps({"v": 2, "t": 0, "p": [], "r": []}).encode()),
        zlib.compress(json.dumps({"v": 1, "t": 0, "p": [], "r": [[1, [[1, 0, 0, 5]]]]}).encode()),
        zlib.compress(b'{"v":1,"t":0,"p":[],"r":[]}')[:-2],
        zlib.compress(b" " * (17 * 1024 * 1024)),
    ],
)
def test_anything_else_is_refused(payload: bytes) -> None:
    with pytest.raises(StoreError):
        decode(payload)


def test_what_lies_in_clear_says_no_more_than_the_kind() -> None:
    assert content_meta().to_json() == {"MessageType": "TelemetryRaw"}
