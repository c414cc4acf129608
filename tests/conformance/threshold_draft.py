"""What the drafts do and the product does not: single-nonce signatures and the ladder with both coordinates.

For reproducing published values only. A signer that opens several sessions with one nonce each gives
forgeries away (draft-hallambaker-threshold-sigs treats no parallel sessions). Nothing here is constant time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mathmesh.keys import algorithms, edwards, montgomery
from mathmesh.threshold.point import Point, combine

DOM2_EMPTY_CONTEXT = b"SigEd25519 no Ed25519 collisions\x00\x00"
"""dom2(0, empty) of RFC 8032, which belongs to Ed25519ctx and not to Ed25519."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSignature:
    """All values of a threshold signature of draft-hallambaker-threshold-sigs."""

    parts: list[str]
    commitment: str
    challenge: str
    answers: list[str]
    answer: str
    signature: str


def sign(
    crv: str,
    public: bytes,
    message: bytes,
    nonces: Sequence[int],
    products: Sequence[int],
    dom: bytes | None = None,
) -> DraftSignature:
    """Signature from one nonce and one product of share and factor for each signer."""
    order = algorithms.curve(crv).order
    if dom is None:
        dom = edwards.DOM4 if crv == "Ed448" else b""
    parts = [edwards.base_point(crv, nonce) for nonce in nonces]
    commitment = combine([Point.decode(crv, part) for part in parts]).octets
    digest = edwards.digest(crv, dom, commitment, public, message)
    challenge = int.from_bytes(digest, "little") % order
    answers = [(r + challenge * s) % order for r, s in zip(nonces, products, strict=True)]
    answer = sum(answers) % order
    return DraftSignature(
        parts=[part.hex() for part in parts],
        commitment=commitment.hex(),
        challenge=str(challenge),
        answers=[str(value) for value in answers],
        answer=str(answer),
        signature=(commitment + answer.to_bytes(len(commitment), "little")).hex(),
    )


def ladder(crv: str, scalar: int, u: int) -> tuple[int, int, int, int]:
    """x2, z2, x3 and z3 at the end of the Montgomery ladder of RFC 7748 §5, without clamping."""
    curve = montgomery.CURVES[crv]
    p, a24 = curve.p, (curve.a - 2) // 4
    x2, z2, x3, z3 = 1, 0, u, 1
    for position in reversed(range(255 if crv == "X25519" else 448)):
        bit = scalar >> position & 1
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % p, b * b % p, d * a % p, c * b % p
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % p, u * (da - cb) ** 2 % p
        x2, z2 = aa * bb % p, e * (aa + a24 * e) % p
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return x2, z2, x3, z3
