"""Signing shares: shares of Ed25519 and Ed448 keys in the form of RFC 9591.

The shares of a quorate split are such shares. Those of a direct split become so by division by the factor
that FROST puts on each: of two shares a and b, a/2 is number 1 and -b is number 2.
"""

from dataclasses import dataclass

from mathmesh.errors import LocalProtocolError
from mathmesh.keys import algorithms
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.threshold import frost_suite, lagrange
from mathmesh.threshold.split import QuorateShare


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningShare:
    """Share number `identifier`, from 1 up, of the key behind `group`."""

    identifier: int
    key: PrivateKey
    group: PublicKey

    def __post_init__(self) -> None:
        frost_suite.suite(self.group.crv)
        if self.key.crv != self.group.crv:
            raise LocalProtocolError(f"a {self.key.crv} share cannot belong to a {self.group.crv} key")
        if not 0 < self.identifier < algorithms.curve(self.group.crv).order:
            raise LocalProtocolError("shares are numbered from 1 up")

    @property
    def public(self) -> PublicKey:
        """What this share's part of a signature is verified with; keep it with the group's key."""
        return self.key.public

    @classmethod
    def of_quorate(cls, share: QuorateShare, group: PublicKey) -> "SigningShare":
        """The share of a quorate split, unchanged."""
        return cls(identifier=share.number, key=share.key, group=group)

    @classmethod
    def of_direct(cls, share: PrivateKey, identifier: int, count: int, group: PublicKey) -> "SigningShare":
        """Share `identifier` of `count` ones that add up to the key; all of them must sign.

        The numbers are the holders' agreement: each takes another one, from 1 to `count`.
        """
        order = algorithms.curve(share.crv).order
        factor = lagrange.coefficient(identifier, range(1, count + 1), order)
        scalar = share.scalar * pow(factor, -1, order)
        return cls(identifier=identifier, key=PrivateKey.from_scalar(share.crv, scalar), group=group)
