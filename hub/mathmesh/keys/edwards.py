"""The only user of `pycryptodome`: points of edwards25519 and edwards448 with secret scalars (RFC 8032).

`cryptography` neither loads the 56-octet Ed448 keys of the Mesh nor signs with a bare scalar.
"""

import hashlib

from Crypto.Math.Numbers import Integer
from Crypto.PublicKey._point import EccPoint
from Crypto.Signature import eddsa

from mathmesh.errors import VerificationError
from mathmesh.keys.algorithms import CURVES

DOM4 = b"SigEd448\x00\x00"
"""dom4 of RFC 8032 for pure Ed448 with the empty context; pure Ed25519 has no such prefix."""
DOM2 = b"SigEd25519 no Ed25519 collisions\x00\x00"
"""dom2 of RFC 8032 for Ed25519ctx with the empty context, which the RFC advises against."""

_BASE = {
    "Ed25519": EccPoint(
        15112221349535400772501151409588531511454012693041857206046113283949847762202,
        46316835694926478169428394003475163141307993866256225615783033603165251855960,
        "Ed25519",
    ),
    "Ed448": EccPoint(
        int(
            "2245800402959243001876043340998960362467896416325641342461254616869504154674060"
            "32909029192869357953282578032075146446173674602635247710"
        ),
        int(
            "2988192100784814926760179304439306734375440401540802420959282413723315061898358"
            "76003536878655418784733982303233503462500531545062832660"
        ),
        "Ed448",
    ),
}
_SIZE = {"Ed25519": 32, "Ed448": 57}


def digest(crv: str, *pieces: bytes) -> bytes:
    """The hash of the signature scheme: SHA-512, or SHAKE256 of 114 octets behind no prefix."""
    joined = b"".join(pieces)
    return hashlib.sha512(joined).digest() if crv == "Ed25519" else hashlib.shake_256(joined).digest(114)


def base_point(crv: str, scalar: int) -> bytes:
    """Encoding of scalar times the base point."""
    return encode(crv, _BASE[crv] * (scalar % CURVES[crv].order))


def add(crv: str, first: bytes, second: bytes) -> bytes:
    """Encoding of the sum of two encoded points of prime order.

    Raises VerificationError for anything else, and when the sum is the neutral point.
    """
    total = decode(crv, first) + decode(crv, second)
    if total.is_point_at_infinity():
        raise VerificationError("the two public keys cancel each other out; refuse them")
    return encode(crv, total)


def decode(crv: str, octets: bytes) -> EccPoint:
    """The point of an encoded public key; raises VerificationError unless it has prime order."""
    try:
        point = eddsa.import_public_key(octets).pointQ
    except ValueError:
        raise VerificationError("public key is not a point of its curve; refuse its owner") from None
    if point.is_point_at_infinity() or not (point * CURVES[crv].order).is_point_at_infinity():
        raise VerificationError("public key is not a point of prime order; refuse its owner")
    return point


def multiply(crv: str, scalar: int, octets: bytes) -> bytes:
    """Encoding of scalar times an encoded point; raises VerificationError unless that has prime order."""
    return encode(crv, decode(crv, octets) * (scalar % CURVES[crv].order))


def load(octets: bytes) -> EccPoint:
    """The point of an encoding that we made ourselves; only `decode` checks it."""
    return eddsa.import_public_key(octets).pointQ


def coordinates(crv: str, octets: bytes) -> tuple[int, int]:
    """x and y of an encoded point, which may be of any order.

    Raises VerificationError for anything but the one encoding of a point (RFC 8032 §5.1.3, §5.2.3).
    """
    try:
        x, y = map(int, eddsa.import_public_key(octets).pointQ.xy)
    except ValueError:
        raise VerificationError("public key is not a point of its curve; refuse its owner") from None
    if (y | (x & 1) << 8 * _SIZE[crv] - 1).to_bytes(_SIZE[crv], "little") != octets:
        raise VerificationError("public key is not encoded as its curve asks; refuse its owner")
    return x, y


def power(base: int, exponent: int, modulus: int) -> int:
    """`pow` for odd moduli of some hundred bits, several times as fast."""
    return int(pow(Integer(base), Integer(exponent), Integer(modulus)))


def encode(crv: str, point: EccPoint) -> bytes:
    """y, little endian, with the lowest bit of x as the highest bit of the last octet."""
    octets = bytearray(int(point.y).to_bytes(_SIZE[crv], "little"))
    octets[-1] |= (int(point.x) & 1) << 7
    return bytes(octets)


def sign(crv: str, scalar: int, public: bytes, nonce: bytes, message: bytes) -> bytes:
    """Pure EdDSA signature with the empty context.

    `nonce` is what is hashed in front of the message for r: the prefix of an expanded key, or a secret
    prefix and fresh octets. It must never be empty or known to others: one signature would tell the scalar.
    """
    if len(nonce) < 32:
        raise ValueError("a signature needs a secret nonce of at least 32 octets")
    order = CURVES[crv].order
    dom = DOM4 if crv == "Ed448" else b""
    r = int.from_bytes(digest(crv, dom, nonce, message), "little") % order
    commitment = base_point(crv, r)
    challenge = int.from_bytes(digest(crv, dom, commitment, public, message), "little") % order
    answer = (r + challenge * scalar) % order
    return commitment + answer.to_bytes(_SIZE[crv], "little")


def context_signature_holds(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519ctx signature with the empty context is that of `public` on `message`."""
    size, order = _SIZE["Ed25519"], CURVES["Ed25519"].order
    commitment, answer = signature[:size], int.from_bytes(signature[size:], "little")
    if len(signature) != 2 * size or answer >= order:
        return False
    try:
        key = decode("Ed25519", public)
    except VerificationError:
        return False
    challenge = int.from_bytes(digest("Ed25519", DOM2, commitment, public, message), "little") % order
    return encode("Ed25519", _BASE["Ed25519"] * answer + key * (order - challenge)) == commitment
