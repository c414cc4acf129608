"""AEAD_AES_256_CCM: AES-256 in CCM with a 12-octet nonce, L = 3 and a 16-octet tag (NIST SP 800-38C, RFC
5116).

Works in place and in pieces of PIECE octets, so that a record costs the device its own length and little
more: the MAC is AES in CBC, the key stream AES in ECB over counter blocks, joined by one big-integer XOR
for a piece.
"""

from meshlink.hkdf import equal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshlink.suite import Suite

NONCE = 12
TAG = 16
PIECE = 256

_BLOCK = 16
_FLAGS_WITH_ASSOCIATED = 0x7A
_FLAGS_PLAIN = 0x3A
_FLAGS_COUNTER = 0x02


class Ccm:
    """One key; `seal` and `open` take a nonce that must never come twice for two plaintexts."""

    def __init__(self, suite: "Suite", key: bytes) -> None:
        self._suite = suite
        self._key = key
        self._ecb = suite.aes_ecb(key)

    def seal(self, nonce: bytes, associated: bytes, plaintext: bytes) -> bytes:
        """Ciphertext and tag; nonce has 12 octets, associated at most 65279."""
        return bytes(self.seal_after(b"", nonce, associated, plaintext))

    def seal_after(self, head: bytes, nonce: bytes, associated: bytes, plaintext: bytes) -> bytearray:
        """`head` in clear, then ciphertext and tag, in one buffer."""
        start = len(head)
        size = len(plaintext)
        out = bytearray(start + size + TAG)
        out[:start] = head
        out[start : start + size] = plaintext
        view = memoryview(out)[start : start + size]
        tag = self._mac(nonce, associated, view)
        self._xor_key_stream(nonce, view)
        out[start + size :] = self._mask(nonce, tag)
        return out

    def open(self, nonce: bytes, associated: bytes, sealed: bytes) -> bytes | None:
        """The plaintext, or None when the tag does not hold; nothing is released before the whole tag is
        compared.
        """
        size = len(sealed) - TAG
        if size < 0:
            return None
        text = bytearray(sealed[:size])
        view = memoryview(text)
        self._xor_key_stream(nonce, view)
        if not equal(self._mask(nonce, self._mac(nonce, associated, view)), sealed[size:]):
            return None
        return bytes(text)

    def _mac(self, nonce: bytes, associated: bytes, view: memoryview) -> bytes:
        """The unmasked tag over B0, the associated data and the plaintext in `view`."""
        size = len(view)
        chain = self._suite.aes_cbc(self._key)
        flags = _FLAGS_WITH_ASSOCIATED if associated else _FLAGS_PLAIN
        head = bytearray(bytes([flags]) + nonce + size.to_bytes(3, "big"))
        if associated:
            head.extend(len(associated).to_bytes(2, "big"))
            head.extend(associated)
            head.extend(bytes(-len(head) % _BLOCK))
        chain(head, head)
        last = bytes(head[-_BLOCK:])
        scratch = bytearray(min(PIECE, size + -size % _BLOCK))
        for start in range(0, size, PIECE):
            count = min(PIECE, size - start)
            padded = count + -count % _BLOCK
            piece = memoryview(scratch)[:padded]
            piece[:count] = view[start : start + count]
            if padded > count:
                piece[count:] = bytes(padded - count)
            chain(piece, piece)
            last = bytes(piece[padded - _BLOCK :])
        return last

    def _xor_key_stream(self, nonce: bytes, view: memoryview) -> None:
        size = len(view)
        held = min(PIECE, size + -size % _BLOCK)
        counters = bytearray((bytes([_FLAGS_COUNTER]) + nonce + bytes(3)) * (held // _BLOCK))
        stream = bytearray(held)
        counter = 1
        for start in range(0, size, PIECE):
            count = min(PIECE, size - start)
            for last in range(_BLOCK - 1, held, _BLOCK):
                counters[last] = counter & 0xFF
                counters[last - 1] = counter >> 8 & 0xFF
                counters[last - 2] = counter >> 16
                counter += 1
            self._ecb(counters, stream)
            piece = memoryview(stream)
            text = view[start : start + count]
            mixed = int.from_bytes(text, "big") ^ int.from_bytes(piece[:count], "big")
            text[:] = mixed.to_bytes(count, "big")

    def _mask(self, nonce: bytes, tag: bytes) -> bytes:
        block = bytearray(bytes([_FLAGS_COUNTER]) + nonce + bytes(3))
        self._ecb(block, block)
        return (int.from_bytes(block, "big") ^ int.from_bytes(tag, "big")).to_bytes(TAG, "big")


class CcmCipher:
    """CCM as Noise and records use it: nonce = 4 zero octets || n(8)."""

    def __init__(self, suite: "Suite", key: bytes) -> None:
        self._ccm = Ccm(suite, key)

    def seal(self, n: int, associated: bytes, plaintext: bytes) -> bytes:
        """Ciphertext and tag."""
        return self._ccm.seal(_nonce(n), associated, plaintext)

    def seal_record(self, n: int, header: bytes, plaintext: bytes) -> bytes:
        """A whole record: `header`, which is also the associated data, then ciphertext and tag."""
        return bytes(self._ccm.seal_after(header, _nonce(n), header, plaintext))

    def open(self, n: int, associated: bytes, sealed: bytes) -> bytes | None:
        """The plaintext, or None when the tag does not hold."""
        return self._ccm.open(_nonce(n), associated, sealed)


def _nonce(n: int) -> bytes:
    return bytes(4) + n.to_bytes(8, "big")
