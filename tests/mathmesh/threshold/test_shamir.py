import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, PolicyError, VerificationError
from mathmesh.threshold import shamir

# draft-hallambaker-mesh-udf-13, "Shamir secret sharing": threshold 2 of 3.
PUBLISHED = [
    "SAQM-JPZ2-TI3G-ZC4N-HNMZ-HREO-EVNC-A",
    "SAQR-GLZU-B3CL-STMW-EWSO-AVHK-AE4T-W",
    "SARG-DHZN-QNJQ-MD47-B7YC-ZZKF-3UMI-S",
]


@pytest.mark.parametrize("chosen", [*itertools.combinations(PUBLISHED, 2), tuple(PUBLISHED)])
def test_published_shares(chosen: tuple[str, ...]) -> None:
    assert shamir.recover(chosen).hex() == "764f4125a81fc984510e473432497ad2"


@given(st.binary(min_size=1, max_size=64), st.integers(2, 6), st.integers(0, 4))
@settings(max_examples=40, deadline=None)
def test_any_threshold_of_shares_recovers(secret: bytes, threshold: int, extra: int) -> None:
    shares = shamir.split(secret, threshold, threshold + extra, os.urandom)
    assert shamir.recover(shares[-threshold:]) == secret
    assert shamir.recover(shares[::-1]) == secret
    with pytest.raises(VerificationError):
        shamir.recover(shares[: threshold - 1])


def test_leading_zeros_are_kept() -> None:
    assert shamir.recover(shamir.split(bytes(35), 2, 3, os.urandom)) == bytes(35)


def test_share_that_does_not_fit_is_never_given() -> None:
    assert shamir.split_with(b"\xff", [1], 2) is None
    assert shamir.split_with(b"\xfe", [1], 2) is None
    assert shamir.split_with(b"\xfd", [1], 2) is not None


@pytest.mark.parametrize(("threshold", "count"), [(1, 3), (0, 0), (4, 3), (2, 16), (16, 16)])
def test_limits(threshold: int, count: int) -> None:
    with pytest.raises(PolicyError):
        shamir.split(bytes(16), threshold, count, os.urandom)


@pytest.mark.parametrize("octets", [0, 65])
def test_secret_sizes(octets: int) -> None:
    with pytest.raises(EncodingError):
        shamir.split(bytes(octets), 2, 3, os.urandom)


def test_shares_that_do_not_belong_together() -> None:
    one, two = (shamir.split(os.urandom(16), 2, 3, os.urandom) for _ in range(2))
    longer = shamir.split(bytes(17), 2, 3, os.urandom)
    for shares in ([one[0], two[0]], [one[0], longer[1]], [one[0], one[0]], []):
        with pytest.raises(VerificationError):
            shamir.recover(shares)
    with pytest.raises(EncodingError):
        shamir.recover([udf.text(udf.NONCE, bytes(17)), one[0]])


def test_offsets_give_primes() -> None:
    assert len(shamir.PRIME_OFFSETS) == 64
    for octets in range(1, 65):
        prime = shamir.prime(octets)
        assert all(pow(base, prime - 1, prime) == 1 for base in (2, 3, 5, 7))


@given(st.binary(min_size=15, max_size=40), st.integers(2, 5), st.data())
@settings(max_examples=40, deadline=None)
def test_a_bit_of_a_surplus_set_is_noticed(secret: bytes, threshold: int, data: st.DataObject) -> None:
    shares = shamir.split(secret, threshold, threshold + 2, os.urandom)
    number = data.draw(st.integers(0, threshold + 1))
    bit = data.draw(st.integers(0, 8 * len(secret) - 1))
    code, octets = udf.parse(shares[number])
    damaged = int.from_bytes(octets, "big") ^ 1 << bit
    bad = [*shares]
    bad[number] = udf.text(code, damaged.to_bytes(len(octets), "big"))
    with pytest.raises(VerificationError, match=f"number {number + 1} does not belong"):
        shamir.recover(bad)
    with pytest.raises(VerificationError):
        shamir.recover([*bad[: number + 1], *bad[number + 1 :][: threshold - number]])


def test_shares_of_another_set_are_noticed_among_surplus_ones() -> None:
    secret = os.urandom(32)
    first, second = (shamir.split(secret, 3, 5, os.urandom) for _ in range(2))
    with pytest.raises(VerificationError):
        shamir.recover([*first[:2], *second[2:4]])
    assert shamir.recover(first[1:4]) == shamir.recover(second[2:]) == secret


def test_the_text_of_a_share_is_exact() -> None:
    share = PUBLISHED[0]
    for wrong in (share + "A", share[:-1] + "B", share.replace("-", "") + "AAAAAAAA"):
        with pytest.raises((EncodingError, VerificationError)):
            shamir.recover([wrong, PUBLISHED[1]])
    assert shamir.recover([share.lower().replace("-", " "), PUBLISHED[1]])
