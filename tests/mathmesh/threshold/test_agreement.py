import itertools
import os

import pytest
from Crypto.Signature import eddsa
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import algorithms, edwards, montgomery
from mathmesh.keys.pair import PrivateKey, generate
from mathmesh.threshold import split
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.point import Point, combine

CURVES = list(algorithms.CURVES)
LOW_Y = (2**255 - 20).to_bytes(32, "little")  # y = -1, of order two


def peer_of(key: PrivateKey) -> Point:
    return Point.decode(key.crv, key.signed_public)


def whole(key: PrivateKey, peer: PrivateKey) -> bytes:
    return PrivateKey.from_scalar(key.crv, key.scalar * peer.scalar).signed_public


@pytest.mark.parametrize("crv", CURVES)
@given(count=st.integers(2, 4), seeds=st.tuples(st.binary(min_size=56, max_size=56), st.binary(min_size=56)))
@settings(max_examples=8, deadline=None)
def test_partial_agreements_add_up_to_the_agreement(crv: str, count: int, seeds: tuple[bytes, bytes]) -> None:
    size = algorithms.curve(crv).private_size
    key, other = (PrivateKey.from_seed(crv, seed[:size]) for seed in seeds)
    shares = split.direct(key, count, os.urandom)
    peer = peer_of(other)
    results = [ShareAgreement(share).partial(peer) for share in shares]
    for share, result in zip(shares, results, strict=True):
        assert result.octets == whole(share, other)
    assert combine(results).octets == whole(key, other)
    if not algorithms.curve(crv).signs:
        assert combine(results).agreement == key.agree(other.public)


@pytest.mark.parametrize("crv", CURVES)
def test_any_quorum_agrees(crv: str) -> None:
    key, other = generate(crv, os.urandom), generate(crv, os.urandom)
    shares = split.quorate(key, 2, 4, os.urandom)
    for chosen in [*itertools.combinations(shares, 2), shares[1:]]:
        numbers = [share.number for share in chosen]
        results = [
            ShareAgreement(share.key, share.coefficient(numbers)).partial(peer_of(other)) for share in chosen
        ]
        assert combine(results).octets == whole(key, other)


@pytest.mark.parametrize("crv", CURVES)
def test_wrong_shares_never_agree(crv: str) -> None:
    key, other = generate(crv, os.urandom), generate(crv, os.urandom)
    peer, right = peer_of(other), whole(key, other)
    first, second = split.direct(key, 2, os.urandom), split.direct(key, 2, os.urandom)
    quorate = split.quorate(key, 2, 3, os.urandom)
    wrong = [
        [ShareAgreement(first[0]), ShareAgreement(second[1])],
        [ShareAgreement(first[0])],
        [ShareAgreement(first[0]), ShareAgreement(first[0])],
        [ShareAgreement(quorate[0].key), ShareAgreement(quorate[1].key)],
        [
            ShareAgreement(quorate[index].key, quorate[index].coefficient([1, 2]))
            for index in (0, 2)
            if index < 1
        ]
        + [ShareAgreement(quorate[2].key, quorate[1].coefficient([1, 2]))],
    ]
    for parties in wrong:
        assert combine(party.partial(peer) for party in parties).octets != right


@pytest.mark.parametrize("crv", CURVES)
def test_blinding_changes_nothing_but_the_work(crv: str) -> None:
    share, other = generate(crv, os.urandom), generate(crv, os.urandom)
    prepared, drawn = ShareAgreement(share, 7), []

    def entropy(count: int) -> bytes:
        drawn.append(os.urandom(count))
        return drawn[-1]

    for _ in range(2):
        assert prepared.partial_blinded(peer_of(other), entropy) == prepared.partial(peer_of(other))
    assert len(set(drawn)) == len(drawn) >= 2


@pytest.mark.parametrize("crv", CURVES)
def test_a_share_agrees_again_and_again(crv: str) -> None:
    prepared = ShareAgreement(generate(crv, os.urandom))
    one, two = (peer_of(generate(crv, os.urandom)) for _ in range(2))
    result = prepared.partial(one)
    assert prepared.partial(two) != result
    assert prepared.partial(one) == result


@pytest.mark.parametrize(
    ("crv", "unclampable", "degree"),
    [("X25519", 24, 1), ("Ed25519", 24, 1), ("X448", 2**447 - 4, 1), ("Ed448", 2**447 - 4, 4)],
)
def test_a_share_next_to_one_without_clamped_form(crv: str, unclampable: int, degree: int) -> None:
    other = generate(crv, os.urandom)
    scalar = degree * (unclampable - 1)
    result = ShareAgreement(PrivateKey.from_scalar(crv, scalar)).partial(peer_of(other))
    assert result.octets == whole(PrivateKey.from_scalar(crv, scalar), other)
    with pytest.raises(EncodingError, match="clamped"):
        ShareAgreement(PrivateKey.from_scalar(crv, degree * unclampable))


def test_points_with_a_part_of_small_order_are_refused() -> None:
    key = generate("Ed25519", os.urandom)
    mixed = edwards.encode(
        "Ed25519",
        eddsa.import_public_key(key.public.octets).pointQ + eddsa.import_public_key(LOW_Y).pointQ,
    )
    with pytest.raises(VerificationError, match="prime order"):
        ShareAgreement(key).partial(Point.decode("Ed25519", mixed))
    for crv in ("X25519", "X448"):
        p = montgomery.CURVES[crv].p
        other = generate(crv, os.urandom)
        point = peer_of(other)
        # (0, 0) is of order two; adding it takes (u, v) to (1/u, -v/u²).
        inverse = pow(point.first, -1, p)
        moved = montgomery.encode(crv, (inverse, -point.second * inverse * inverse % p))
        with pytest.raises(VerificationError, match="prime order"):
            ShareAgreement(other).partial(Point.decode(crv, moved))


def test_ed448_agreement_clears_a_part_of_small_order() -> None:
    share, other = generate("Ed448", os.urandom), generate("Ed448", os.urandom)
    p = montgomery.CURVES["X448"].p
    x, y = edwards.coordinates("Ed448", other.public.octets)
    moved = Point.decode("Ed448", Point(crv="Ed448", first=-x % p, second=-y % p).octets)  # plus (0, -1)
    assert ShareAgreement(share).partial(moved).octets == whole(share, other)


def test_curves_are_not_mixed() -> None:
    share, other = generate("X448", os.urandom), generate("Ed448", os.urandom)
    with pytest.raises(VerificationError):
        ShareAgreement(share).partial(peer_of(other))
