"""Protection of a payload: names of algorithms, content keys, digests (draft-hallambaker-mesh-dare §4.3).

Content keys come from the base seed of an exchange and a salt that is used once: PRK = HMAC-SHA-256(salt,
base seed), then one HMAC for each of "encrypt", "iv" and "mac". The draft says "dare-encrypt"; we follow
the reference.
"""

import hashlib
import hmac
from typing import Any

from mathmesh.codec import b64
from mathmesh.errors import EncodingError, PolicyError, VerificationError
from mathmesh.keys import openssl

A256CBC = "A256CBC"
S512 = "S512"
NONE = "none"
SEED_OCTETS = 32
SALT_OCTETS = 16
DIGEST_OCTETS = 64

_ENCRYPT = b"encrypt\x01"
_IV = b"iv\x01"
_MAC = b"mac\x01"
_FRAME_SALT = b"mesh-hub sequence header"
"""Longer than any salt with its prefix, also where HMAC takes zero octets behind a key for nothing."""
_IV_OCTETS = 16


def content_prk(base_seed: bytes, salt: bytes) -> bytes:
    """The key that content keys and witness are expanded from; `salt` as `salt_of` accepts it."""
    return hmac.digest(salt, base_seed, "sha256")


def encrypt(base_seed: bytes, salt: bytes, plaintext: bytes) -> bytes:
    """A256CBC ciphertext, 1 to 16 octets longer than `plaintext`. A salt must never be used twice."""
    prk = content_prk(base_seed, salt)
    key = hmac.digest(prk, _ENCRYPT, "sha256")
    return openssl.encrypt_cbc(key, hmac.digest(prk, _IV, "sha256")[:_IV_OCTETS], plaintext)


def decrypt(base_seed: bytes, salt: bytes, ciphertext: bytes) -> bytes:
    """Reverse of `encrypt`; the caller has checked a digest. Raises VerificationError on bad padding."""
    prk = content_prk(base_seed, salt)
    key = hmac.digest(prk, _ENCRYPT, "sha256")
    return openssl.decrypt_cbc(key, hmac.digest(prk, _IV, "sha256")[:_IV_OCTETS], ciphertext)


def witness(base_seed: bytes, salt: bytes, signature: bytes) -> bytes:
    """32 octets that only a reader of the payload can compute for `signature`."""
    return hmac.digest(content_prk(base_seed, salt), signature + b"\x01", "sha256")


def frame_mac_key(base_seed: bytes) -> bytes:
    """Key of the MAC that binds the header of a sealed frame to its body: an addition of ours.

    No digest of the draft covers a header, so that salts, descriptions and numbers could be altered unseen.
    The MAC is the trailer member FrameMac, which other readers ignore (protocol book, "Stores").
    """
    return hmac.digest(content_prk(base_seed, _FRAME_SALT), _MAC, "sha256")


def frame_mac(mac_key: bytes, header: bytes, payload_digest: bytes) -> bytes:
    """32 octets over the octets of a header record and the 64 octets of the payload digest."""
    return hmac.digest(mac_key, payload_digest + header, "sha256")


def payload_digest(body: bytes) -> bytes:
    """SHA-512 of a body as transported, that is of the ciphertext when it is encrypted."""
    return hashlib.sha512(body).digest()


def is_encrypted(header: dict[str, Any]) -> bool:
    """Whether the body is encrypted; raises PolicyError for algorithms that we do not run."""
    enc = header.get("enc", NONE)
    if enc not in (NONE, A256CBC):
        raise PolicyError(f"encryption algorithm {enc!r} is not one we use; ask the sender for {A256CBC}")
    dig = header.get("dig", NONE)
    if dig not in (NONE, S512):
        raise PolicyError(f"digest algorithm {dig!r} is not one we use; ask the sender for {S512}")
    return bool(enc == A256CBC)


def binary(members: dict[str, Any], name: str) -> bytes | None:
    """The binary member `name`, None when absent; raises EncodingError for anything but base64url text."""
    value = members.get(name)
    if value is None:
        return None
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise EncodingError(f"member {name} is not binary")
    return b64.decode(value)


def salt_of(header: dict[str, Any]) -> bytes:
    """Salt of an encrypted body."""
    salt = binary(header, "Salt")
    if salt is None or len(salt) != SALT_OCTETS:
        raise EncodingError("an encrypted body needs a Salt of 16 octets")
    return salt


def check_payload_digest(members: dict[str, Any], body: bytes) -> bytes | None:
    """PayloadDigest of header and trailer taken together, None when there is none.

    Raises VerificationError when it is not the digest of `body`.
    """
    claimed = binary(members, "PayloadDigest")
    if claimed is not None and not hmac.compare_digest(claimed, payload_digest(body)):
        raise VerificationError("body does not match its PayloadDigest; ask for a correct copy")
    return claimed
