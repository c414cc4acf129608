"""AES-256 encryption and decryption of blocks in plain Python (FIPS 197): for the simulator where cryptolib
is absent.

Boards never load this module. Not constant in time.
"""

_ROUNDS = 14


def _boxes() -> tuple[bytes, bytes]:
    """The S-box and its inverse, from inversion in GF(2^8) and the affine map."""
    box = bytearray(256)
    p = q = 1
    while True:
        p ^= (p << 1 ^ (0x11B if p & 0x80 else 0)) & 0xFF
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        rotated = q | q << 8
        box[p] = (q ^ rotated >> 7 ^ rotated >> 6 ^ rotated >> 5 ^ rotated >> 4) & 0xFF ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    inverse = bytearray(256)
    for i in range(256):
        inverse[box[i]] = i
    return bytes(box), bytes(inverse)


_BOX, _INVERSE = _boxes()
_TIMES2 = bytes([(i << 1 ^ (0x1B if i & 0x80 else 0)) & 0xFF for i in range(256)])


class Aes:
    """One key of 32 octets; blocks have 16."""

    def __init__(self, key: bytes) -> None:
        words = [key[i : i + 4] for i in range(0, 32, 4)]
        constant = 1
        for i in range(8, 4 * (_ROUNDS + 1)):
            word = words[i - 1]
            if i % 8 == 0:
                word = bytes([_BOX[word[1]] ^ constant, _BOX[word[2]], _BOX[word[3]], _BOX[word[0]]])
                constant <<= 1
            elif i % 8 == 4:
                word = bytes([_BOX[octet] for octet in word])
            words.append(_xor(words[i - 8], word))
        self._keys = [b"".join(words[4 * r : 4 * r + 4]) for r in range(_ROUNDS + 1)]

    def encrypt(self, block: bytes) -> bytes:
        """One block."""
        state = _xor(block, self._keys[0])
        for r in range(1, _ROUNDS):
            mixed = bytearray(16)
            for c in range(0, 16, 4):
                column = [_BOX[state[(c + 5 * i) & 15]] for i in range(4)]
                _mix(column, mixed, c)
            state = _xor(mixed, self._keys[r])
        last = bytes([_BOX[state[(i + 4 * (i & 3)) & 15]] for i in range(16)])
        return _xor(last, self._keys[_ROUNDS])

    def decrypt(self, block: bytes) -> bytes:
        """The inverse of encrypt."""
        state = _xor(block, self._keys[_ROUNDS])
        for r in range(_ROUNDS - 1, -1, -1):
            state = bytes([_INVERSE[state[(i - 4 * (i & 3)) & 15]] for i in range(16)])
            state = _xor(state, self._keys[r])
            if r:
                mixed = bytearray(16)
                for c in range(0, 16, 4):
                    column = list(state[c : c + 4])
                    even = _TIMES2[_TIMES2[column[0] ^ column[2]]]
                    odd = _TIMES2[_TIMES2[column[1] ^ column[3]]]
                    _mix([column[0] ^ even, column[1] ^ odd, column[2] ^ even, column[3] ^ odd], mixed, c)
                state = bytes(mixed)
        return state


def _mix(column: list[int], out: bytearray, at: int) -> None:
    """MixColumns of one column."""
    every = column[0] ^ column[1] ^ column[2] ^ column[3]
    for i in range(4):
        out[at + i] = column[i] ^ every ^ _TIMES2[column[i] ^ column[(i + 1) & 3]]


def _xor(one: bytes | bytearray, other: bytes) -> bytes:
    size = len(other)
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(size, "big")
