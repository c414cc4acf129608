"""The only user of the `cryptography` library: raw curve operations, AES-CBC and AES key wrap.

Inputs have the sizes given; callers that take octets from others check them first.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from mathmesh.errors import VerificationError

_BLOCK = 16
_BLOCK_BITS = 8 * _BLOCK

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
    missing = _BLOCK - len(plaintext) % _BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(plaintext + bytes((missing,)) * missing) + encryptor.finalize()


def decrypt_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Reverse of `encrypt_cbc`. Authenticate the ciphertext first.

    Raises VerificationError when the length or the padding is impossible.
    """
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
    try:
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise VerificationError("ciphertext does not decrypt under this key") from None


def wrap_key(kek: bytes, key: bytes) -> bytes:
    """AES key wrap of RFC 3394, 8 octets longer than `key`."""
    return aes_key_wrap(kek, key)


def unwrap_key(kek: bytes, wrapped: bytes) -> bytes:
    """Reverse of `wrap_key`; raises VerificationError when the key-encryption key is another one."""
    try:
        return aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError):
        raise VerificationError("wrapped key does not open under this key-encryption key") from None
