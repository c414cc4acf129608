"""The only user of the `cryptography` library: raw curve operations, AES, AES key wrap and ML-KEM.

Inputs have the sizes given; callers that take octets from others check them first.
"""

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from mathmesh.errors import VerificationError

_BLOCK = 16
_TAG = 16
_PADDINGS = (b"", *(bytes((size,)) * size for size in range(1, _BLOCK + 1)))

Private = X448PrivateKey | X25519PrivateKey
Public = X448PublicKey | X25519PublicKey


def agree(crv: str, scalar: bytes, u: bytes) -> bytes:
    """u coordinate of scalar times the point, little endian, 32 or 56 octets as both inputs.

    The scalar is clamped as RFC 7748 says. Raises VerificationError for a point of small order.
    """
    try:
        if crv == "X448":
            return X448PrivateKey.from_private_bytes(scalar).exchange(X448PublicKey.from_public_bytes(u))
        return X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(u))
    except ValueError:
        raise VerificationError("public key is a point of small order; refuse its owner") from None


def private_key(crv: str, scalar: bytes) -> Private:
    """A scalar made ready for many calls of `exchange`; making it costs more than using it."""
    return (X448PrivateKey if crv == "X448" else X25519PrivateKey).from_private_bytes(scalar)


def public_key(crv: str, u: bytes) -> Public:
    """A u coordinate made ready for `exchange`."""
    return (X448PublicKey if crv == "X448" else X25519PublicKey).from_public_bytes(u)


def exchange(private: Private, public: Public) -> int:
    """u coordinate of scalar times the point, both of one curve; raises as `agree` does."""
    try:
        return int.from_bytes(private.exchange(public), "little")  # type: ignore[arg-type]
    except ValueError:
        raise VerificationError("public key is a point of small order; refuse its owner") from None


def base_point(crv: str, scalar: bytes) -> bytes:
    """u coordinate of scalar times the base point, clamped as in `agree`."""
    if crv == "X448":
        return X448PrivateKey.from_private_bytes(scalar).public_key().public_bytes_raw()
    return X25519PrivateKey.from_private_bytes(scalar).public_key().public_bytes_raw()


def sign_ed25519(key_seed: bytes, message: bytes) -> bytes:
    """Deterministic signature of RFC 8032."""
    return Ed25519PrivateKey.from_private_bytes(key_seed).sign(message)


def public_ed25519(key_seed: bytes) -> bytes:
    """Public key of a 32-octet RFC 8032 private key."""
    return Ed25519PrivateKey.from_private_bytes(key_seed).public_key().public_bytes_raw()


def signature_holds(crv: str, public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a pure Ed448 or Ed25519 signature with empty context is that of `public` on `message`."""
    try:
        if crv == "Ed448":
            Ed448PublicKey.from_public_bytes(public).verify(signature, message)
        else:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def encrypt_cbc(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """AES-CBC with PKCS#7 padding; key of 32 octets, iv of 16."""
    encryptor = _cbc(key, iv).encryptor()
    return encryptor.update(plaintext + _PADDINGS[_BLOCK - len(plaintext) % _BLOCK])


def decrypt_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Reverse of `encrypt_cbc`. Authenticate the ciphertext first.

    Raises VerificationError when the length or the padding is impossible.
    """
    if not ciphertext or len(ciphertext) % _BLOCK:
        raise VerificationError("ciphertext is not made of whole blocks")
    return _unpadded(_cbc(key, iv).decryptor().update(ciphertext))


def _cbc(key: bytes, iv: bytes) -> "Cipher[modes.CBC]":
    """As `Cipher(AES(key), CBC(iv))`, whose checks of types take as long as a short message."""
    cipher: Cipher[modes.CBC] = Cipher.__new__(Cipher)
    cipher.algorithm = algorithms.AES(key)
    cipher.mode = modes.CBC(iv)
    return cipher


def _unpadded(padded: bytes) -> bytes:
    missing = padded[-1]
    if not 0 < missing <= _BLOCK or not padded.endswith(_PADDINGS[missing]):
        raise VerificationError("ciphertext does not decrypt under this key")
    return padded[:-missing]


def encrypt_gcm(key: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    """AES-GCM without additional data, the tag of 16 octets behind the ciphertext; nonce of 12 octets."""
    return AESGCM(key).encrypt(nonce, plaintext, None)


def decrypt_gcm(key: bytes, nonce: bytes, ciphertext: bytes) -> bytes:
    """Reverse of `encrypt_gcm`; raises VerificationError when the tag is another one."""
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, None)
    except (InvalidTag, ValueError):
        raise VerificationError("ciphertext does not decrypt under this key") from None


class Encryptor:
    """AES-CBC with padding or AES-GCM with its tag, over a plaintext that comes in pieces."""

    def __init__(self, key: bytes, iv: bytes, *, gcm: bool) -> None:
        """`iv` has 16 octets for CBC, 12 for GCM."""
        mode = modes.GCM(iv) if gcm else modes.CBC(iv)
        self._context = Cipher(algorithms.AES(key), mode).encryptor()
        self._gcm = gcm
        self._length = 0

    def update(self, piece: bytes | memoryview, into: bytearray) -> int:
        """Encrypts the next piece into `into`, which has 16 octets more than it; returns how many it made."""
        self._length += len(piece)
        return self._context.update_into(piece, into)

    def finish(self) -> bytes:
        """The octets behind the last piece."""
        if self._gcm:
            return self._context.finalize() + bytes(self._context.tag)  # type: ignore[attr-defined]
        return self._context.update(_PADDINGS[_BLOCK - self._length % _BLOCK])


class Decryptor:
    """Reverse of `Encryptor`. Nothing it gives out may be used before `finish` has returned and, for CBC,
    the ciphertext was authenticated.
    """

    def __init__(self, key: bytes, iv: bytes, *, gcm: bool) -> None:
        mode = modes.GCM(iv) if gcm else modes.CBC(iv)
        self._context = Cipher(algorithms.AES(key), mode).decryptor()
        self._gcm = gcm
        self._held = b""

    def update(self, piece: bytes | memoryview, into: bytearray) -> int:
        """Decrypts the next piece into `into`, which has 32 octets more than it; returns how many it made.

        The last 16 octets are held back: they are the tag or end in padding.
        """
        if len(piece) < _TAG:
            joined = self._held + bytes(piece)
            self._held = joined[-_TAG:]
            return self._context.update_into(joined[:-_TAG], into) if len(joined) > _TAG else 0
        made = self._context.update_into(self._held, into) if self._held else 0
        view = memoryview(piece)
        self._held = bytes(view[-_TAG:])
        return made + self._context.update_into(view[:-_TAG], memoryview(into)[made:])

    def finish(self) -> bytes:
        """The octets behind the last piece; raises VerificationError for a wrong tag, length or padding."""
        try:
            if self._gcm:
                return self._context.finalize_with_tag(self._held)  # type: ignore[attr-defined,no-any-return]
            last = self._context.update(self._held)
            self._context.finalize()
        except (InvalidTag, ValueError):
            raise VerificationError("ciphertext does not decrypt under this key") from None
        if not last:
            raise VerificationError("ciphertext is not made of whole blocks")
        return _unpadded(last)


def wrap_key(kek: bytes, key: bytes) -> bytes:
    """AES key wrap of RFC 3394, 8 octets longer than `key`."""
    return aes_key_wrap(kek, key)


def unwrap_key(kek: bytes, wrapped: bytes) -> bytes:
    """Reverse of `wrap_key`; raises VerificationError when the key-encryption key is another one."""
    try:
        return aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError):
        raise VerificationError("wrapped key does not open under this key-encryption key") from None


def kem_public(seed: bytes) -> bytes:
    """Public key of ML-KEM-768, 1184 octets, of a private key of 64 octets (FIPS 203: d and z)."""
    return MLKEM768PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def kem_encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """A fresh secret of 32 octets and the 1088 octets that carry it to the owner of an ML-KEM-768 key.

    The library draws the randomness itself and takes none from outside. Raises VerificationError for octets
    that are no public key.
    """
    try:
        return MLKEM768PublicKey.from_public_bytes(public).encapsulate()
    except ValueError:
        raise VerificationError("public key is not one of ML-KEM-768; refuse its owner") from None


def kem_decapsulate(seed: bytes, ciphertext: bytes) -> bytes:
    """The secret in 1088 octets of `kem_encapsulate`; altered ones give another secret and no error.

    Raises VerificationError for another number of octets.
    """
    try:
        return MLKEM768PrivateKey.from_seed_bytes(seed).decapsulate(ciphertext)
    except ValueError:
        raise VerificationError("octets are no ciphertext of ML-KEM-768") from None
