"""HKDF with SHA-256 (RFC 5869) and the constant-time comparison, over a suite."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshlink.suite import Suite

HASH = 32


def extract(suite: "Suite", salt: bytes, material: bytes) -> bytes:
    """PRK of 32 octets; an empty salt stands for 32 zero octets."""
    return suite.hmac(salt or bytes(HASH), material)


def expand(suite: "Suite", prk: bytes, info: bytes, length: int) -> bytes:
    """`length` octets, at most 8160, of output keying material."""
    block = b""
    out = b""
    counter = 0
    while len(out) < length:
        counter += 1
        block = suite.hmac(prk, block + info + bytes([counter]))
        out += block
    return out[:length]


def derive(suite: "Suite", material: bytes, info: bytes, length: int) -> bytes:
    """HKDF without salt."""
    return expand(suite, extract(suite, b"", material), info, length)


def equal(one: bytes, other: bytes) -> bool:
    """Whether two secrets of public length are equal; the time depends on the length only."""
    if len(one) != len(other):
        return False
    difference = 0
    for i in range(len(one)):
        difference |= one[i] ^ other[i]
    return difference == 0


def lp(octets: bytes) -> bytes:
    """The octets with their length in two octets before them."""
    return len(octets).to_bytes(2, "big") + octets
