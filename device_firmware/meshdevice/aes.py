"""AES-256 on the device: the chip's C code through cryptolib, or plain Python where that module is absent.

ECB and CBC encryption as the link's suite wants them, CBC decryption and RFC 3394 unwrapping as activations
need them.
"""

try:
    import cryptolib as _cryptolib
except ImportError:
    _cryptolib = None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Buffer = bytes | bytearray | memoryview
    BlockFunction = Callable[[Buffer, bytearray | memoryview], None]

cryptolib: "Any" = _cryptolib

_ECB, _CBC = 1, 2
_BLOCK = 16
_HALF = 8
_WRAP_IV = b"\xa6" * _HALF

if cryptolib is not None:

    def ecb(key: bytes) -> "BlockFunction":
        """f(source, target) encrypting whole blocks."""
        return cryptolib.aes(key, _ECB).encrypt

    def cbc(key: bytes) -> "BlockFunction":
        """f(source, target) encrypting whole blocks, chained from a zero IV over its calls."""
        return cryptolib.aes(key, _CBC, bytes(_BLOCK)).encrypt

    def cbc_decrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
        """Plaintext, padding included, of whole blocks."""
        return cryptolib.aes(key, _CBC, iv).decrypt(data)

    def _decryptor(key: bytes) -> "Callable[[bytes], bytes]":
        return cryptolib.aes(key, _ECB).decrypt

else:
    from meshdevice.aes_soft import Aes

    def ecb(key: bytes) -> "BlockFunction":
        """f(source, target) encrypting whole blocks."""
        cipher = Aes(key)

        def encrypt(source: "Buffer", target: "bytearray | memoryview") -> None:
            for i in range(0, len(source), _BLOCK):
                target[i : i + _BLOCK] = cipher.encrypt(bytes(source[i : i + _BLOCK]))

        return encrypt

    def cbc(key: bytes) -> "BlockFunction":
        """f(source, target) encrypting whole blocks, chained from a zero IV over its calls."""
        cipher = Aes(key)
        last = bytearray(_BLOCK)

        def encrypt(source: "Buffer", target: "bytearray | memoryview") -> None:
            for i in range(0, len(source), _BLOCK):
                last[:] = cipher.encrypt(_xor(source[i : i + _BLOCK], last))
                target[i : i + _BLOCK] = last

        return encrypt

    def cbc_decrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
        """Plaintext, padding included, of whole blocks."""
        cipher = Aes(key)
        out = b""
        for i in range(0, len(data), _BLOCK):
            block = data[i : i + _BLOCK]
            out += _xor(cipher.decrypt(block), iv)
            iv = block
        return out

    def _decryptor(key: bytes) -> "Callable[[bytes], bytes]":
        return Aes(key).decrypt


def unwrap(kek: bytes, wrapped: bytes) -> bytes | None:
    """RFC 3394: the key wrapped under the 32 octets of kek, None when its check value does not hold."""
    count = len(wrapped) // _HALF - 1
    if count < 2 or len(wrapped) % _HALF:
        return None
    decrypt = _decryptor(kek)
    check = wrapped[:_HALF]
    blocks = [wrapped[i : i + _HALF] for i in range(_HALF, len(wrapped), _HALF)]
    for step in range(6 * count, 0, -1):
        index = (step - 1) % count
        block = decrypt(_xor(check, step.to_bytes(_HALF, "big")) + blocks[index])
        check = block[:_HALF]
        blocks[index] = block[_HALF:]
    return b"".join(blocks) if check == _WRAP_IV else None


def _xor(one: "Buffer", other: "Buffer") -> bytes:
    size = len(other)
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(size, "big")
