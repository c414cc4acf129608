"""Private keys as shares (draft-hallambaker-threshold §3.2.1 and §4).

All shares of a direct split are needed, any `threshold` ones of a quorate split. The shares are scalars of
the key's own curve, written with a `z` behind its name. Whoever splits has known the whole key.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mathmesh.errors import LocalProtocolError, PolicyError, VerificationError
from mathmesh.keys import algorithms
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.threshold import lagrange
from mathmesh.types import Entropy

MINIMUM_SHARES = 2
MAXIMUM_SHARES = 255
"""A limit of ours; the drafts name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorateShare:
    """Value at `number`, from 1 up, of a polynomial of degree threshold - 1 that is the key at 0."""

    number: int
    threshold: int
    key: PrivateKey

    def coefficient(self, numbers: Sequence[int]) -> int:
        """Factor of this share beside the others of `numbers`.

        Raises PolicyError when these are fewer than the threshold, LocalProtocolError as
        `lagrange.coefficient` does.
        """
        if len(numbers) < self.threshold:
            raise PolicyError(f"{len(numbers)} shares are too few, {self.threshold} are needed")
        return lagrange.coefficient(self.number, numbers, algorithms.curve(self.key.crv).order)


def direct(key: PrivateKey, count: int, entropy: Entropy) -> tuple[PrivateKey, ...]:
    """`count` shares that add up to the key; raises PolicyError unless there are 2 to 255."""
    _check_count(MINIMUM_SHARES, count)
    order = algorithms.curve(key.crv).order
    return direct_with(key, [lagrange.uniform(order, entropy) for _ in range(count - 1)])


def direct_with(key: PrivateKey, others: Sequence[int]) -> tuple[PrivateKey, ...]:
    """The share that is left when `others` are taken from the key, then these."""
    scalars = [key.scalar - sum(others), *others]
    return tuple(PrivateKey.from_scalar(key.crv, scalar) for scalar in scalars)


def quorate(key: PrivateKey, threshold: int, count: int, entropy: Entropy) -> tuple[QuorateShare, ...]:
    """`count` shares, any `threshold` of which stand for the key.

    Raises PolicyError unless 2 ≤ threshold ≤ count ≤ 255.
    """
    _check_count(threshold, count)
    order = algorithms.curve(key.crv).order
    return quorate_with(key, [lagrange.uniform(order, entropy) for _ in range(threshold - 1)], count)


def quorate_with(key: PrivateKey, coefficients: Sequence[int], count: int) -> tuple[QuorateShare, ...]:
    """Shares on the polynomial with these coefficients of x, x², …"""
    order = algorithms.curve(key.crv).order
    polynomial = [key.scalar % order, *coefficients]
    return tuple(
        QuorateShare(
            number=number,
            threshold=len(polynomial),
            key=PrivateKey.from_scalar(key.crv, lagrange.evaluate(polynomial, number, order)),
        )
        for number in range(1, count + 1)
    )


def join_direct(primary: PublicKey, shares: Sequence[PrivateKey]) -> PrivateKey:
    """The key behind all shares of a direct split.

    Raises LocalProtocolError for shares of another curve, VerificationError unless the key is that of
    `primary`.
    """
    return _joined(primary, shares, [1] * len(shares))


def join_quorate(primary: PublicKey, shares: Sequence[QuorateShare]) -> PrivateKey:
    """The key behind enough shares of a quorate split, of which exactly the threshold is used.

    Raises PolicyError for too few, LocalProtocolError when one comes twice, VerificationError unless the
    key is that of `primary`.
    """
    used = shares[: min((share.threshold for share in shares), default=0)]
    numbers = [share.number for share in used]
    return _joined(primary, [share.key for share in used], [share.coefficient(numbers) for share in used])


def _joined(primary: PublicKey, keys: Sequence[PrivateKey], factors: Sequence[int]) -> PrivateKey:
    if any(key.crv != primary.crv for key in keys):
        raise LocalProtocolError(f"the shares are not all of a {primary.crv} key")
    scalar = sum(key.scalar * factor for key, factor in zip(keys, factors, strict=True))
    if scalar % algorithms.curve(primary.crv).order:
        key = PrivateKey.from_scalar(primary.crv, scalar)
        if primary.octets in (key.public.octets, key.public.octets[: len(primary.octets)]):
            return key
    raise VerificationError(f"the shares are not those of key {primary.udf}")


def _check_count(threshold: int, count: int) -> None:
    if not MINIMUM_SHARES <= threshold <= count <= MAXIMUM_SHARES:
        raise PolicyError(
            "split a key into 2 to 255 shares, with a threshold of at least 2 and at most as many"
        )
