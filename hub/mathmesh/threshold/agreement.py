"""Partial agreement, by which parties agree as one that none of them is (draft-hallambaker-threshold §3.2.2).

Each party multiplies the other side's point by its share; the sum of the results is the agreement. The
multiplication is OpenSSL's of RFC 7748, in constant time and with the cofactor cleared: a share is used in a
form that clamping leaves alone (`scalars.clampable`), a second call with the share plus one gives the sign
of v. A point that is not of prime order makes a result that is off the curve, and is refused.
"""

from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import algorithms, montgomery, openssl, scalars
from mathmesh.keys.pair import PrivateKey
from mathmesh.threshold import birational, lagrange
from mathmesh.threshold.point import Point, combine
from mathmesh.types import Entropy


class ShareAgreement:
    """A share made ready for many agreements; the preparation takes as long as two of them."""

    def __init__(self, share: PrivateKey, coefficient: int = 1) -> None:
        """`coefficient` is the factor of a quorate share in its quorum.

        Raises EncodingError for a product that is zero or one of the few without clamped form.
        """
        curve = algorithms.curve(share.crv)
        self.crv = share.crv
        self._scalar = share.scalar * coefficient % curve.order
        self._agreement_crv = birational.AGREEMENT_CURVE[share.crv]
        scalar = self._scalar * pow(birational.DEGREE[share.crv], -1, curve.order)
        self._key = self._ready(scalar)
        try:
            self._neighbour, self._step = self._ready(scalar + 1), 1
        except EncodingError:
            self._neighbour, self._step = self._ready(scalar - 1), -1

    def partial(self, peer: Point) -> Point:
        """The share times `peer`, this party's part of the agreement.

        Raises VerificationError for a point of small order or with such a part.
        """
        crv = self._agreement_crv
        _same_curve(self.crv, peer)
        u_peer, _, inverse = birational.to_montgomery(peer)
        size = montgomery.CURVES[crv].size
        public = openssl.public_key(crv, u_peer.to_bytes(size, "little"))
        u = openssl.exchange(self._key, public)
        u_next = openssl.exchange(self._neighbour, public)
        v = montgomery.recover_v(crv, u_peer, self._step * inverse, u, u_next)
        if v * v % montgomery.CURVES[crv].p != montgomery.square_of_v(crv, u):
            raise VerificationError("the point to agree with is not of prime order; refuse its sender")
        return birational.from_montgomery(self.crv, u, v)

    def partial_blinded(self, peer: Point, entropy: Entropy) -> Point:
        """As `partial`, with the share cut anew into two random parts (draft-hallambaker-threshold §3.4).

        No multiplication then has the same secret twice. Takes about four times as long.
        """
        order = algorithms.curve(self.crv).order
        part = lagrange.uniform(order, entropy)
        parts = [PrivateKey.from_scalar(self.crv, scalar) for scalar in (part, self._scalar - part)]
        return combine(ShareAgreement(key).partial(peer) for key in parts)

    def times(self, coefficient: int) -> "ShareAgreement":
        """This share with a factor, prepared anew."""
        return ShareAgreement(PrivateKey.from_scalar(self.crv, self._scalar), coefficient)

    def _ready(self, scalar: int) -> openssl.Private:
        return openssl.private_key(self._agreement_crv, scalars.clampable(self._agreement_crv, scalar))


def _same_curve(crv: str, peer: Point) -> None:
    if peer.crv != crv:
        raise VerificationError(f"a share of a {crv} key cannot agree with a {peer.crv} point")
