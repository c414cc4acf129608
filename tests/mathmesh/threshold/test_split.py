import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.errors import LocalProtocolError, PolicyError, VerificationError
from mathmesh.keys import algorithms
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from mathmesh.threshold import lagrange, split
from mathmesh.threshold.split import QuorateShare

CURVES = list(algorithms.CURVES)


@pytest.mark.parametrize("crv", CURVES)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_all_direct_shares_are_the_key(crv: str, count: int) -> None:
    key = generate(crv, os.urandom)
    shares = split.direct(key, count, os.urandom)
    assert len(shares) == count
    assert split.join_direct(key.public, shares).scalar == key.scalar % algorithms.curve(crv).order
    with pytest.raises(VerificationError):
        split.join_direct(key.public, shares[1:])
    with pytest.raises(VerificationError):
        split.join_direct(key.public, [*shares[1:], shares[1]])


@pytest.mark.parametrize("crv", CURVES)
def test_any_quorum_is_the_key_and_less_is_not(crv: str) -> None:
    key = generate(crv, os.urandom)
    shares = split.quorate(key, 3, 5, os.urandom)
    for chosen in itertools.combinations(shares, 3):
        assert split.join_quorate(key.public, chosen).scalar == key.scalar % algorithms.curve(crv).order
    assert split.join_quorate(key.public, shares[::-1]).public == PublicKey(crv, key.signed_public)
    for chosen in itertools.combinations(shares, 2):
        with pytest.raises(PolicyError, match="too few"):
            split.join_quorate(key.public, chosen)


@given(
    st.integers(1, 2**256),
    st.lists(st.integers(0, 2**256), min_size=1, max_size=4),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
)
@settings(max_examples=30, deadline=None)
def test_lagrange_brings_back_the_value_at_zero(secret, slopes, extra, random) -> None:  # type: ignore[no-untyped-def]
    order = algorithms.ED25519.order
    polynomial = [secret, *slopes]
    numbers = random.sample(range(1, 60), len(polynomial) + extra)
    terms = (
        lagrange.coefficient(x, numbers, order) * lagrange.evaluate(polynomial, x, order) for x in numbers
    )
    assert sum(terms) % order == secret % order


def test_mixed_and_damaged_shares_are_no_key() -> None:
    one, two = (generate("X448", os.urandom) for _ in range(2))
    first, second = (split.quorate(key, 2, 3, os.urandom) for key in (one, two))
    again = split.quorate(one, 2, 3, os.urandom)
    renumbered = QuorateShare(number=3, threshold=2, key=first[1].key)
    damaged = QuorateShare(
        number=2, threshold=2, key=PrivateKey.from_scalar("X448", first[1].key.scalar ^ 1 << 77)
    )
    for wrong in ([first[0], second[1]], [first[0], again[1]], [first[0], renumbered], [first[0], damaged]):
        with pytest.raises(VerificationError):
            split.join_quorate(one.public, wrong)
    with pytest.raises(LocalProtocolError):
        split.join_quorate(one.public, [first[0], first[0]])
    with pytest.raises(LocalProtocolError):
        split.join_direct(generate("Ed448", os.urandom).public, [first[0].key])
    with pytest.raises(VerificationError):
        split.join_quorate(one.public, [])


@pytest.mark.parametrize("numbers", [[0, 1], [1, 1, 2], [2, 3], [1, -1], [1, algorithms.X448.order + 1]])
def test_numbers_that_are_no_quorum(numbers: list[int]) -> None:
    with pytest.raises(LocalProtocolError):
        lagrange.coefficient(1, numbers, algorithms.X448.order)


@pytest.mark.parametrize(("threshold", "count"), [(1, 2), (3, 2), (2, 256), (0, 0)])
def test_limits(threshold: int, count: int) -> None:
    key = generate("X448", os.urandom)
    with pytest.raises(PolicyError):
        split.quorate(key, threshold, count, os.urandom)
    if count != 2:
        with pytest.raises(PolicyError):
            split.direct(key, count, os.urandom)


def test_uniform_draws_again_what_does_not_fit() -> None:
    drawn = [b"\xff", b"\x00", b"\x0b", b"\x0a"]
    assert lagrange.uniform(11, lambda count: drawn.pop(0)[:count]) == 10
    assert not drawn
