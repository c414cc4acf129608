"""Private scalars: how they come from key seeds, and how RFC 7748 functions are used with unclamped ones."""

import hashlib

from mathmesh.errors import EncodingError
from mathmesh.keys.algorithms import CURVES

_ED448_STANDARD_SIZE = 57


def expand(crv: str, key_seed: bytes) -> tuple[int, bytes]:
    """Scalar and EdDSA nonce prefix (empty for agreement keys) of a key seed.

    Ed448 seeds have 56 octets in the Mesh; the 57 of RFC 8032 are taken too. Raises EncodingError on others.
    """
    sizes = {CURVES[crv].private_size}
    if crv == "Ed448":
        sizes.add(_ED448_STANDARD_SIZE)
    if len(key_seed) not in sizes:
        raise EncodingError(f"{crv} private key has the wrong size")
    if crv in ("X25519", "X448"):
        return _clamp(crv, key_seed), b""
    if crv == "Ed25519":
        hashed = hashlib.sha512(key_seed).digest()
        return _clamp("X25519", hashed[:32]), hashed[32:]
    hashed = hashlib.shake_256(key_seed).digest(114)
    return _clamp("X448", hashed[:56]), hashed[57:]


def clampable(crv: str, scalar: int) -> bytes:
    """Octets that RFC 7748 clamping leaves alone and that give the same u coordinate as `scalar`.

    They are ± the scalar modulo the order and a multiple of the cofactor, so that a point with a part of
    small order learns nothing. One of the two signs has the top bit set, but for a share of the scalars
    below 2^-120; those raise EncodingError.
    """
    curve = CURVES[crv]
    multiple = curve.cofactor * (scalar * pow(curve.cofactor, -1, curve.order) % curve.order)
    top = 1 << (254 if crv == "X25519" else 447)
    if 0 < multiple < top:
        multiple = curve.cofactor * curve.order - multiple
    if not top <= multiple < 2 * top:
        raise EncodingError(
            f"{crv} private scalar is zero or one of the few without clamped form; take another"
        )
    return multiple.to_bytes(curve.scalar_size, "little")


def _clamp(crv: str, octets: bytes) -> int:
    value = bytearray(octets)
    if crv == "X25519":
        value[0] &= 0xF8
        value[31] = value[31] & 0x7F | 0x40
    else:
        value[0] &= 0xFC
        value[55] |= 0x80
    return int.from_bytes(value, "little")
