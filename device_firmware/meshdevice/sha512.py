"""SHA-512 (FIPS 180-4), HMAC and HKDF over it, for boards whose hashlib ends at SHA-256.

Written for short inputs: onboarding hashes about 18 blocks.
"""

_BLOCK = 128
_MASK = (1 << 64) - 1
_INITIAL = bytes.fromhex(
    "6a09e667f3bcc908bb67ae8584caa73b3c6ef372fe94f82ba54ff53a5f1d36f1510e527fade682d1"
    "9b05688c2b3e6c1f1f83d9abfb41bd6b5be0cd19137e2179"
)
_ROUNDS = bytes.fromhex(
    "428a2f98d728ae227137449123ef65cdb5c0fbcfec4d3b2fe9b5dba58189dbbc3956c25bf348b538"
    "59f111f1b605d019923f82a4af194f9bab1c5ed5da6d8118d807aa98a303024212835b0145706fbe"
    "243185be4ee4b28c550c7dc3d5ffb4e272be5d74f27b896f80deb1fe3b1696b19bdc06a725c71235"
    "c19bf174cf692694e49b69c19ef14ad2efbe4786384f25e30fc19dc68b8cd5b5240ca1cc77ac9c65"
    "2de92c6f592b02754a7484aa6ea6e4835cb0a9dcbd41fbd476f988da831153b5983e5152ee66dfab"
    "a831c66d2db43210b00327c898fb213fbf597fc7beef0ee4c6e00bf33da88fc2d5a79147930aa725"
    "06ca6351e003826f142929670a0e6e7027b70a8546d22ffc2e1b21385c26c9264d2c6dfc5ac42aed"
    "53380d139d95b3df650a73548baf63de766a0abb3c77b2a881c2c92e47edaee692722c851482353b"
    "a2bfe8a14cf10364a81a664bbc423001c24b8b70d0f89791c76c51a30654be30d192e819d6ef5218"
    "d69906245565a910f40e35855771202a106aa07032bbd1b819a4c116b8d2d0c81e376c085141ab53"
    "2748774cdf8eeb9934b0bcb5e19b48a8391c0cb3c5c95a634ed8aa4ae3418acb5b9cca4f7763e373"
    "682e6ff3d6b2b8a3748f82ee5defb2fc78a5636f43172f6084c87814a1f0ab728cc702081a6439ec"
    "90befffa23631e28a4506cebde82bde9bef9a3f7b2c67915c67178f2e372532bca273eceea26619c"
    "d186b8c721c0c207eada7dd6cde0eb1ef57d4f7fee6ed17806f067aa72176fba0a637dc5a2c898a6"
    "113f9804bef90dae1b710b35131c471b28db77f523047d8432caab7b40c724933c9ebe0a15c9bebc"
    "431d67c49c100d4c4cc5d4becb3e42b6597f299cfc657e2a5fcb6fab3ad6faec6c44198c4a475817"
)


def sha512(data: bytes) -> bytes:
    """The 64 octets of the digest."""
    size = len(data)
    padded = data + b"\x80" + bytes((111 - size) % _BLOCK) + (8 * size).to_bytes(16, "big")
    state = _words(_INITIAL)
    for start in range(0, len(padded), _BLOCK):
        _compress(state, padded[start : start + _BLOCK])
    return b"".join([word.to_bytes(8, "big") for word in state])


def hmac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-512, 64 octets."""
    if len(key) > _BLOCK:
        key = sha512(key)
    key = key + bytes(_BLOCK - len(key))
    inner = sha512(bytes([octet ^ 0x36 for octet in key]) + data)
    return sha512(bytes([octet ^ 0x5C for octet in key]) + inner)


def hkdf(material: bytes, info: bytes, length: int) -> bytes:
    """HKDF without salt (RFC 5869): at most 16320 octets."""
    prk = hmac(bytes(64), material)
    block = b""
    out = b""
    counter = 0
    while len(out) < length:
        counter += 1
        block = hmac(prk, block + info + bytes([counter]))
        out += block
    return out[:length]


def _words(octets: bytes) -> list[int]:
    return [int.from_bytes(octets[i : i + 8], "big") for i in range(0, len(octets), 8)]


def _compress(state: list[int], block: bytes) -> None:
    """One block; the message schedule keeps its last 16 words only, and a word is rotated as a doubled
    one.
    """
    mask = _MASK
    w = _words(block)
    a, b, c, d, e, f, g, h = state
    for t in range(80):
        if t < 16:
            word = w[t]
        else:
            x = w[(t - 15) & 15]
            x |= x << 64
            s0 = x >> 1 ^ x >> 8 ^ (x & mask) >> 7
            x = w[(t - 2) & 15]
            x |= x << 64
            s1 = x >> 19 ^ x >> 61 ^ (x & mask) >> 6
            word = (w[t & 15] + (s0 & mask) + w[(t - 7) & 15] + (s1 & mask)) & mask
            w[t & 15] = word
        x = e | e << 64
        x = (x >> 14 ^ x >> 18 ^ x >> 41) & mask
        k = int.from_bytes(_ROUNDS[8 * t : 8 * t + 8], "big")
        t1 = h + x + (g ^ e & (f ^ g)) + k + word
        x = a | a << 64
        x = (x >> 28 ^ x >> 34 ^ x >> 39) & mask
        t2 = x + (a & b | c & (a | b))
        h = g
        g = f
        f = e
        e = (d + t1) & mask
        d = c
        c = b
        b = a
        a = (t1 + t2) & mask
    for i, value in enumerate((a, b, c, d, e, f, g, h)):
        state[i] = (state[i] + value) & mask
