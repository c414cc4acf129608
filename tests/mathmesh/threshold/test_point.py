import os

import pytest
from Crypto.Signature import eddsa
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.errors import EncodingError, LocalProtocolError, VerificationError
from mathmesh.keys import algorithms, edwards, montgomery
from mathmesh.keys.pair import PrivateKey, generate
from mathmesh.threshold.point import Point, combine

CURVES = list(algorithms.CURVES)
P25519, P448 = montgomery.CURVES["X25519"].p, montgomery.CURVES["X448"].p
ORDER_EIGHT_U = 325606250916557431795983626356110631294008115727848805560023387167927233504
ORDER_EIGHT_Y = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"


def point_of(crv: str, scalar: int) -> Point:
    return Point.decode(crv, PrivateKey.from_scalar(crv, scalar).signed_public)


@pytest.mark.parametrize("crv", CURVES)
@given(one=st.integers(1, 2**200), two=st.integers(1, 2**200))
@settings(max_examples=10, deadline=None)
def test_sums_are_those_of_the_scalars(crv: str, one: int, two: int) -> None:
    # Odd multiples of a big number, all of which have the form that clamping leaves alone.
    one, two = (2 * number + 1 << 220 for number in (one, two))
    total = combine([point_of(crv, one), point_of(crv, two)])
    assert total == point_of(crv, one + two)
    assert Point.decode(crv, total.octets) == total
    assert combine([point_of(crv, one)] * 2) == point_of(crv, 2 * one)


@pytest.mark.parametrize("crv", CURVES)
def test_octets_have_one_form(crv: str) -> None:
    octets = generate(crv, os.urandom).signed_public
    assert Point.decode(crv, octets).octets == octets
    assert len(octets) == {"X25519": 33, "X448": 57, "Ed25519": 32, "Ed448": 57}[crv]


@pytest.mark.parametrize("crv", CURVES)
def test_opposite_points_cancel(crv: str) -> None:
    key = generate(crv, os.urandom)
    points = [point_of(crv, key.scalar), point_of(crv, -key.scalar)]
    with pytest.raises(VerificationError, match="cancel"):
        combine(points)


@pytest.mark.parametrize(
    ("crv", "octets"),
    [
        *((crv, u.to_bytes(size, "little")) for crv, size in (("X25519", 33), ("X448", 57)) for u in (0, 1)),
        ("X25519", (P25519 - 1).to_bytes(33, "little")),
        ("X25519", ORDER_EIGHT_U.to_bytes(33, "little")),
        ("X25519", (P25519 + 1).to_bytes(33, "little")),
        ("X448", (P448 - 1).to_bytes(57, "little")),
        ("X448", P448.to_bytes(57, "little")),
        ("Ed25519", (1).to_bytes(32, "little")),
        ("Ed25519", bytes(32)),
        ("Ed25519", (P25519 - 1).to_bytes(32, "little")),
        ("Ed25519", bytes.fromhex(ORDER_EIGHT_Y)),
        ("Ed448", (1).to_bytes(57, "little")),
        ("Ed448", bytes(57)),
        ("Ed448", (P448 - 1).to_bytes(57, "little")),
    ],
)
def test_points_of_small_order_are_refused(crv: str, octets: bytes) -> None:
    with pytest.raises(VerificationError):
        Point.decode(crv, octets)


@pytest.mark.parametrize(
    ("crv", "octets"),
    [
        ("X448", bytes(56)),
        ("X25519", bytes(32)),
        ("X448", bytes(56) + b"\x01"),
        ("X448", bytes(58)),
        ("Ed448", bytes(56)),
        ("Ed25519", bytes(33)),
        ("P256", bytes(32)),
    ],
)
def test_malformed_octets_are_refused(crv: str, octets: bytes) -> None:
    with pytest.raises(EncodingError):
        Point.decode(crv, octets)


@pytest.mark.parametrize("crv", CURVES)
def test_about_half_of_all_octets_are_no_point(crv: str) -> None:
    good, refused = generate(crv, os.urandom).signed_public, 0
    for value in range(60):
        try:
            Point.decode(crv, bytes([*good[:9], value, *good[10:]]))
        except VerificationError:
            refused += 1
    assert 10 < refused < 50


@pytest.mark.parametrize("crv", ["Ed25519", "Ed448"])
def test_octets_that_are_not_reduced_are_refused(crv: str) -> None:
    size = algorithms.curve(crv).public_size
    p = P25519 if crv == "Ed25519" else P448
    refused = 0
    for y in range(2, 19):
        with pytest.raises(VerificationError):
            Point.decode(crv, (y + p).to_bytes(size, "little"))
        refused += 1
    assert refused == 17
    with pytest.raises(VerificationError):  # x = 0 has no sign
        Point.decode(crv, ((1 << 8 * size - 1) + 1).to_bytes(size, "little"))


def test_coordinates_agree_with_the_library() -> None:
    for crv in ("Ed25519", "Ed448"):
        octets = generate(crv, os.urandom).public.octets
        point = eddsa.import_public_key(octets).pointQ
        assert edwards.coordinates(crv, octets) == (int(point.x), int(point.y))


def test_what_cannot_be_combined() -> None:
    with pytest.raises(LocalProtocolError):
        combine([])
    with pytest.raises(LocalProtocolError):
        combine([point_of("X448", 5 << 300), point_of("X25519", 5 << 200)])


def test_only_agreement_curves_agree() -> None:
    key = generate("X448", os.urandom)
    assert Point.decode("X448", key.signed_public).agreement == key.public.u
    with pytest.raises(LocalProtocolError):
        _ = point_of("Ed448", 5).agreement
