"""X25519 (RFC 7748 §5) on big integers, for boards without it in C.

Not constant in time: on the device every scalar is an ephemeral one, used for one handshake.
"""

_P = (1 << 255) - 19
_MASK = (1 << 255) - 1
_A24 = 121665
_BASE = b"\x09" + bytes(31)


def x25519(scalar: bytes, u: bytes) -> bytes:
    """The 32 octets of scalar * u; scalar is clamped here. All zero for a point of small order."""
    k = int.from_bytes(scalar, "little") & ~7 & _MASK | 1 << 254
    x1 = (int.from_bytes(u, "little") & _MASK) % _P
    x2, z2, x3, z3 = 1, 0, x1, 1
    swapped = 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if bit != swapped:
            x2, x3, z2, z3 = x3, x2, z3, z2
            swapped = bit
        a = x2 + z2
        b = x2 - z2
        aa = a * a % _P
        bb = b * b % _P
        e = aa - bb
        da = (x3 - z3) * a % _P
        cb = (x3 + z3) * b % _P
        x3 = (da + cb) ** 2 % _P
        z3 = x1 * ((da - cb) ** 2 % _P) % _P
        x2 = aa * bb % _P
        z2 = e * (aa + _A24 * e) % _P
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, _P - 2, _P) % _P).to_bytes(32, "little")


def base(scalar: bytes) -> bytes:
    """The public key of a scalar, 32 octets."""
    return x25519(scalar, _BASE)
