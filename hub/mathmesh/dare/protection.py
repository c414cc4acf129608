"""Protection of a payload: content keys, digests, and where they are said (mesh-dare §4.3).

Content keys come from the base seed of an exchange and a salt that is used once: PRK = HMAC-SHA-256(salt,
base seed), then one HMAC for each of "encrypt", "iv" and "mac". The draft says "dare-encrypt"; we follow
the reference.
"""

import binascii
import hashlib
import hmac
from typing import Any

from mathmesh.codec import b64
from mathmesh.dare.suites import A256CBC, DIGESTS, ENCRYPTIONS, INTEROPERABLE, S512, Encryption, Suites
from mathmesh.errors import EncodingError, StoreError, VerificationError
from mathmesh.keys import hmac256, openssl

SEED_OCTETS = 32
SALT_OCTETS = 16
DIGEST_OCTETS = 64

_ENCRYPT = b"encrypt\x01"
_IV = b"iv\x01"
_MAC = b"mac\x01"
_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")
"""From base64url to base64; what belongs to base64 only becomes what belongs to neither."""
_PADDING = (b"", b"!", b"==", b"=")
_LAST: tuple[frozenset[int] | None, ...] = (
    None,
    frozenset(),
    frozenset(b"AQgw"),
    frozenset(b"AEIMQUYcgkosw048"),
)
"""By the length modulo 4: the characters in which no bit is left over."""
_sha256 = hashlib.sha256
_FRAME_SALT = b"mesh-hub sequence header"
"""Longer than any salt with its prefix, also where HMAC takes zero octets behind a key for nothing."""


def content_prk(base_seed: bytes, salt: bytes) -> bytes:
    """The key that content keys and witness are expanded from; `salt` as `salt_of` accepts it."""
    return hmac256.digest(salt, base_seed)


def content_keys(base_seed: bytes, salt: bytes, cipher: Encryption) -> tuple[bytes, bytes]:
    """Key and initial value for the body under this salt, which must never be used twice."""
    inner, outer = hmac256.pads(salt)
    prk = _sha256(outer + _sha256(inner + base_seed).digest()).digest()
    inner, outer = hmac256.pads(prk)
    key = _sha256(outer + _sha256(inner + _ENCRYPT).digest()).digest()
    return key, _sha256(outer + _sha256(inner + _IV).digest()).digest()[: cipher.iv_octets]


def encrypt(base_seed: bytes, salt: bytes, plaintext: bytes, enc: str = A256CBC) -> bytes:
    """Ciphertext, 1 to 16 octets longer than `plaintext`. A salt must never be used twice."""
    cipher = ENCRYPTIONS[enc]
    return cipher.encrypt(*content_keys(base_seed, salt, cipher), plaintext)


def decrypt(base_seed: bytes, salt: bytes, ciphertext: bytes, enc: str = A256CBC) -> bytes:
    """Reverse of `encrypt`; the caller has checked a digest. VerificationError: bad padding or tag."""
    cipher = ENCRYPTIONS[enc]
    return cipher.decrypt(*content_keys(base_seed, salt, cipher), ciphertext)


def encryptor(base_seed: bytes, salt: bytes, cipher: Encryption) -> openssl.Encryptor:
    """As `encrypt`, for a plaintext in pieces."""
    return openssl.Encryptor(*content_keys(base_seed, salt, cipher), gcm=cipher.gcm)


def decryptor(base_seed: bytes, salt: bytes, cipher: Encryption) -> openssl.Decryptor:
    """As `decrypt`, for a ciphertext in pieces."""
    return openssl.Decryptor(*content_keys(base_seed, salt, cipher), gcm=cipher.gcm)


def witness(base_seed: bytes, salt: bytes, signature: bytes) -> bytes:
    """32 octets that only a reader of the payload can compute for `signature`."""
    return hmac256.digest(content_prk(base_seed, salt), signature + b"\x01")


def frame_mac_key(base_seed: bytes) -> bytes:
    """Key of the MAC that binds the header of a sealed frame to its body: an addition of ours.

    No digest of the draft covers a header, so that salts, descriptions and numbers could be altered unseen.
    The MAC is the trailer member FrameMac, which other readers ignore (protocol book, "Stores").
    """
    return hmac256.digest(content_prk(base_seed, _FRAME_SALT), _MAC)


def frame_mac(mac_key: bytes, header: bytes, payload_digest: bytes) -> bytes:
    """32 octets over the octets of a header record and the 64 octets of the payload digest."""
    return hmac256.digest(mac_key, payload_digest + header)


def payload_digest(body: bytes, dig: str = S512) -> bytes:
    """Digest of a body as transported, that is of the ciphertext when it is encrypted."""
    value: bytes = DIGESTS[dig].new(body).digest()
    return value


def is_encrypted(header: dict[str, Any], suites: Suites = INTEROPERABLE) -> bool:
    """Whether the body is encrypted; raises PolicyError for algorithms that may not be used."""
    suites.digest(header.get("dig"))
    return suites.encryption(header.get("enc")) is not None


def binary(members: dict[str, Any], name: str) -> bytes | None:
    """The binary member `name`, None when absent; raises EncodingError for anything but base64url text."""
    value = members.get(name)
    if value is None:
        return None
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise EncodingError(f"member {name} is not binary")
    return _quick(value) or b64.decode(value)


def _quick(text: str) -> bytes:
    """What the codec makes of canonical base64url, in half the time; nothing for all else."""
    try:
        raw = text.encode("ascii")
        over = len(raw) % 4
        last = _LAST[over]
        if last is not None and raw[-1] not in last:
            return b""
        return binascii.a2b_base64(raw.translate(_STANDARD) + _PADDING[over], strict_mode=True)
    except ValueError:
        return b""


def salt_of(header: dict[str, Any]) -> bytes:
    """Salt of an encrypted body; raises StoreError when it was erased, and the content with it."""
    salt = binary(header, "Salt")
    if salt is None or len(salt) != SALT_OCTETS:
        raise EncodingError("an encrypted body needs a Salt of 16 octets")
    if not any(salt):
        raise StoreError("its salt was erased: nothing opens this any more")
    return salt


def check_payload_digest(
    members: dict[str, Any], body: bytes, suites: Suites = INTEROPERABLE
) -> bytes | None:
    """PayloadDigest of header and trailer taken together, None when there is none.

    Raises VerificationError when it is not the digest of `body`.
    """
    claimed = binary(members, "PayloadDigest")
    if claimed is not None:
        compare_digest(claimed, payload_digest(body, suites.digest(members.get("dig")).name))
    return claimed


def compare_digest(claimed: bytes, computed: bytes) -> None:
    """Raises VerificationError unless both are the same."""
    if not hmac.compare_digest(claimed, computed):
        raise VerificationError("body does not match its PayloadDigest; ask for a correct copy")
