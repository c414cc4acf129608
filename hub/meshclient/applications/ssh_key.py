"""Ed25519 keys in the forms of OpenSSH: lines of public keys, files of private ones (PROTOCOL.key, RFC 8709).

A private key is never written encrypted here: the file is readable by its owner only, and on a machine with
an agent it need not be written at all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from mathmesh.errors import EncodingError
from mathmesh.keys.pair import PrivateKey, PublicKey

CURVE = "Ed25519"
KEY_TYPE = "ssh-ed25519"
MAXIMUM_LINE = 16 * 1024
"""Characters of a line that is read; the longest RSA keys and certificates are shorter."""

_MAGIC = b"openssh-key-v1\0"
_BLOCK = 8
_LINE = 70
_PUBLIC = 32
_TYPE = re.compile(r"[A-Za-z0-9@.-]{1,80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLine:
    """A public key of any type as OpenSSH writes it: its type, its blob and the comment behind it."""

    key_type: str
    blob: bytes
    comment: str = ""

    @property
    def text(self) -> str:
        """The line without its end."""
        return " ".join(filter(None, (self.key_type, base64.b64encode(self.blob).decode(), self.comment)))

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def key(self) -> PublicKey | None:
        """The key, where it is an Ed25519 one."""
        lead = _string(KEY_TYPE.encode()) + _PUBLIC.to_bytes(4, "big")
        if self.key_type != KEY_TYPE:
            return None
        if len(self.blob) != len(lead) + _PUBLIC or self.blob[: len(lead)] != lead:
            raise EncodingError("the line holds no Ed25519 key")
        return PublicKey(CURVE, self.blob[-_PUBLIC:])


def public_line(key: PublicKey, comment: str = "") -> PublicLine:
    """The line of an Ed25519 key; EncodingError for a key of another curve or a comment of several lines."""
    if key.crv != CURVE:
        raise EncodingError(f"OpenSSH takes no {key.crv} keys; make one of {CURVE}")
    return PublicLine(key_type=KEY_TYPE, blob=_public_blob(key), comment=one_line(comment))


def parse_public_line(text: str) -> PublicLine:
    """The key in a line `type base64 [comment]`, of whatever type; raises EncodingError when it is none."""
    if len(text) > MAXIMUM_LINE:
        raise EncodingError("the line is longer than any public key")
    key_type, _, rest = text.strip().partition(" ")
    encoded, _, comment = rest.strip().partition(" ")
    if not _TYPE.fullmatch(key_type):
        raise EncodingError("the line does not begin with a type of key")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise EncodingError("the key in the line is not Base64") from None
    name = _string(key_type.encode())
    if blob[: len(name)] != name or len(blob) <= len(name):
        raise EncodingError("the key in the line is of another type than the line says")
    line = PublicLine(key_type=key_type, blob=blob, comment=one_line(comment.strip()))
    line.key  # noqa: B018 - refuses a malformed Ed25519 key
    return line


def private_file(key: PrivateKey, comment: str = "") -> bytes:
    """The content of a private key file; raises EncodingError for a key that is no Ed25519 seed key."""
    if key.crv != CURVE or key.key_seed is None:
        raise EncodingError(f"OpenSSH takes {CURVE} keys made from a seed only")
    public = key.public
    check = hashlib.sha256(public.octets).digest()[:4]
    inside = check + check + _public_blob(public) + _string(key.key_seed + public.octets)
    inside += _string(one_line(comment).encode())
    inside += bytes(range(1, 1 + -len(inside) % _BLOCK))
    head = _MAGIC + _string(b"none") + _string(b"none") + _string(b"") + (1).to_bytes(4, "big")
    text = base64.b64encode(head + _string(_public_blob(public)) + _string(inside)).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    begin, end = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"
    return "\n".join([begin, *lines, end, ""]).encode()


def agent_key(key: PrivateKey, comment: str) -> bytes:
    """The key as an agent takes it (draft-ietf-sshm-ssh-agent §3.2.2)."""
    if key.crv != CURVE or key.key_seed is None:
        raise EncodingError(f"an agent takes {CURVE} keys made from a seed only")
    public = key.public.octets
    return (
        _string(KEY_TYPE.encode())
        + _string(public)
        + _string(key.key_seed + public)
        + _string(one_line(comment).encode())
    )


def one_line(text: str) -> str:
    """`text`, which must hold no control character: it goes into files of lines."""
    if not text.isprintable():
        raise EncodingError("a comment or name holds a control character")
    return text


def _public_blob(key: PublicKey) -> bytes:
    return _string(KEY_TYPE.encode()) + _string(key.octets)


def _string(octets: bytes) -> bytes:
    return len(octets).to_bytes(4, "big") + octets
