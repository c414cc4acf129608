"""OpenPGP keys of a mail account: transferable public and secret keys, in text armour (RFC 9580).

Written are version 4 keys that every program of today reads: an Ed25519 primary key that certifies and signs
(EdDSA, algorithm 22, RFC 9580 §5.2.3.3) and an X25519 subkey for encryption (ECDH, algorithm 18, with
SHA-256 and AES-128 as key derivation). The fingerprint covers the time of creation, so that it belongs to the
key and is kept beside it. Secret keys are written without a passphrase: the program that takes them sets one.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mathmesh.errors import EncodingError
from mathmesh.keys.pair import PrivateKey, PublicKey
from meshclient.applications.ssh_key import one_line

SIGN_CURVE, ENCRYPT_CURVE = "Ed25519", "X25519"
MAXIMUM_USER_ID = 512

_SIGNATURE, _SECRET, _PUBLIC, _SECRET_SUB, _USER_ID, _PUBLIC_SUB = 2, 5, 6, 7, 13, 14
_EDDSA, _ECDH = 22, 18
_ED25519_OID = bytes.fromhex("2b06010401da470f01")
_X25519_OID = bytes.fromhex("2b060104019755010501")
_SHA256, _SHA512, _AES128, _AES256 = 8, 10, 7, 9
_KDF = bytes([3, 1, _SHA256, _AES128])
_NATIVE = b"\x40"  # in front of a native point
_CERTIFICATION, _BINDING = 0x13, 0x18
_CREATED, _PREFERRED_CIPHERS, _ISSUER, _PREFERRED_HASHES = 2, 11, 16, 21
_PRIMARY, _FLAGS, _FEATURES, _ISSUER_FINGERPRINT = 25, 27, 30, 33
_CERTIFY_SIGN, _ENCRYPT = 0x03, 0x0C
_CRC_START, _CRC_POLYNOMIAL = 0xB704CE, 0x1864CFB
_LINE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPgpKey:
    """The keys of one person: `sign` makes all signatures, `created` is the time in both fingerprints."""

    sign: PrivateKey
    encrypt: PrivateKey | None
    user_ids: tuple[str, ...]
    created: datetime

    def __post_init__(self) -> None:
        for key, curve in ((self.sign, SIGN_CURVE), (self.encrypt, ENCRYPT_CURVE)):
            if key is not None and (key.crv != curve or key.key_seed is None):
                raise EncodingError(f"an OpenPGP key is made of {curve} keys from a seed")
        if not self.user_ids:
            raise EncodingError("an OpenPGP key needs a name")

    @property
    def fingerprint(self) -> str:
        """Of the primary key, 40 hexadecimal digits in upper case."""
        return fingerprint(self.sign.public, self.created)

    def public(self) -> str:
        """The transferable public key in text armour."""
        return _armor("PUBLIC KEY BLOCK", self._transferable(secret=False))

    def secret(self) -> str:
        """The transferable secret key in text armour, readable by whoever has the text."""
        return _armor("PRIVATE KEY BLOCK", self._transferable(secret=True))

    def _transferable(self, *, secret: bool) -> bytes:
        primary = _key_body(self.sign.public, self.created)
        octets = _key_packet(_SECRET if secret else _PUBLIC, primary, self.sign if secret else None)
        for number, name in enumerate(self.user_ids):
            user_id = _user_id(name)
            octets += _packet(_USER_ID, user_id)
            hashed = [_subpacket(_FLAGS, bytes([_CERTIFY_SIGN])), *_PREFERENCES]
            if number == 0:
                hashed.append(_subpacket(_PRIMARY, b"\x01"))
            covered = _hashed_key(primary) + b"\xb4" + len(user_id).to_bytes(4, "big") + user_id
            octets += self._signature(_CERTIFICATION, covered, hashed)
        if self.encrypt is not None:
            sub = _key_body(self.encrypt.public, self.created)
            kind = _SECRET_SUB if secret else _PUBLIC_SUB
            octets += _key_packet(kind, sub, self.encrypt if secret else None)
            flags = [_subpacket(_FLAGS, bytes([_ENCRYPT]))]
            octets += self._signature(_BINDING, _hashed_key(primary) + _hashed_key(sub), flags)
        return octets

    def _signature(self, kind: int, covered: bytes, hashed: Sequence[bytes]) -> bytes:
        """A signature packet of version 4 by the primary key over `covered`."""
        issuer = bytes.fromhex(self.fingerprint)
        area = _subpacket(_CREATED, _seconds(self.created)) + b"".join(hashed)
        area += _subpacket(_ISSUER_FINGERPRINT, b"\x04" + issuer)
        body = bytes([4, kind, _EDDSA, _SHA512]) + len(area).to_bytes(2, "big") + area
        digest = hashlib.sha512(covered + body + b"\x04\xff" + len(body).to_bytes(4, "big")).digest()
        signature = self.sign.sign(digest, _no_entropy)
        unhashed = _subpacket(_ISSUER, issuer[-8:])
        body += len(unhashed).to_bytes(2, "big") + unhashed + digest[:2]
        return _packet(_SIGNATURE, body + _mpi(signature[:32]) + _mpi(signature[32:]))


def fingerprint(key: PublicKey, created: datetime) -> str:
    """Fingerprint of version 4, 40 hexadecimal digits in upper case."""
    return hashlib.sha1(_hashed_key(_key_body(key, created)), usedforsecurity=False).hexdigest().upper()


def _key_body(key: PublicKey, created: datetime) -> bytes:
    lead = b"\x04" + _seconds(created)
    point = _mpi(_NATIVE + key.octets[:32])
    if key.crv == SIGN_CURVE:
        return lead + bytes([_EDDSA, len(_ED25519_OID)]) + _ED25519_OID + point
    if key.crv == ENCRYPT_CURVE:
        return lead + bytes([_ECDH, len(_X25519_OID)]) + _X25519_OID + point + _KDF
    raise EncodingError(f"an OpenPGP key cannot hold a {key.crv} key")


def _key_packet(kind: int, body: bytes, secret: PrivateKey | None) -> bytes:
    if secret is None:
        return _packet(kind, body)
    seed = secret.key_seed or b""
    mpi = _mpi(seed if secret.crv == SIGN_CURVE else _clamped(seed)[::-1])
    return _packet(kind, body + b"\x00" + mpi + (sum(mpi) & 0xFFFF).to_bytes(2, "big"))


def _clamped(seed: bytes) -> bytes:
    """An X25519 scalar as RFC 7748 says, little endian; OpenPGP holds it so (RFC 9580 §9.2.1)."""
    return bytes([seed[0] & 248]) + seed[1:31] + bytes([seed[31] & 127 | 64])


def _hashed_key(body: bytes) -> bytes:
    return b"\x99" + len(body).to_bytes(2, "big") + body


def _user_id(name: str) -> bytes:
    octets = one_line(name).encode()
    if not octets or len(octets) > MAXIMUM_USER_ID:
        raise EncodingError("the name of an OpenPGP key has 1 to 512 octets")
    return octets


def _seconds(moment: datetime) -> bytes:
    return int(moment.astimezone(UTC).timestamp()).to_bytes(4, "big")


def _packet(kind: int, body: bytes) -> bytes:
    return bytes([0xC0 | kind]) + _length(len(body)) + body


def _subpacket(kind: int, body: bytes) -> bytes:
    return _length(1 + len(body)) + bytes([kind]) + body


def _length(count: int) -> bytes:
    if count < 192:
        return bytes([count])
    if count < 8384:
        return bytes([192 + (count - 192 >> 8), count - 192 & 255])
    return b"\xff" + count.to_bytes(4, "big")


def _mpi(octets: bytes) -> bytes:
    stripped = octets.lstrip(b"\x00")
    bits = 8 * len(stripped) - (8 - stripped[0].bit_length()) if stripped else 0
    return bits.to_bytes(2, "big") + stripped


def _armor(what: str, octets: bytes) -> str:
    text = base64.b64encode(octets).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    check = base64.b64encode(_crc24(octets).to_bytes(3, "big")).decode()
    return "\n".join(
        [f"-----BEGIN PGP {what}-----", "", *lines, "=" + check, f"-----END PGP {what}-----", ""]
    )


def _crc24(octets: bytes) -> int:
    crc = _CRC_START
    for octet in octets:
        crc ^= octet << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= _CRC_POLYNOMIAL
    return crc


def _no_entropy(count: int) -> bytes:
    raise EncodingError(f"an OpenPGP key signs without randomness, {count} octets of it were asked for")


_PREFERENCES = (
    _subpacket(_PREFERRED_CIPHERS, bytes([_AES256, _AES128])),
    _subpacket(_PREFERRED_HASHES, bytes([_SHA512, _SHA256])),
    _subpacket(_FEATURES, b"\x01"),
)
