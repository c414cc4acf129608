"""X448 (RFC 7748 §5) on big integers, for boards without it in C.

Not constant in time: the device uses its static scalars once for each adoption, behind a verified handshake.
"""

_P = (1 << 448) - (1 << 224) - 1
_A24 = 39081
_TOP = 1 << 447


def x448(scalar: bytes, u: bytes) -> bytes:
    """The 56 octets of scalar * u; scalar is clamped here. All zero for a point of small order."""
    k = int.from_bytes(scalar, "little") & ~3 | _TOP
    x1 = int.from_bytes(u, "little") % _P
    x2, z2, x3, z3 = 1, 0, x1, 1
    swapped = 0
    for t in range(447, -1, -1):
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
    return (x2 * pow(z2, _P - 2, _P) % _P).to_bytes(56, "little")
