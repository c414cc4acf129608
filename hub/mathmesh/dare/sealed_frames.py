"""Frames of data under one exchange, made with as little as possible around the primitives (mesh-dare §5.2).

The octets are those that the general way of `sequence_writer` gives; a test holds the two together. On a
machine with instructions for AES and SHA-2 the primitives take about two thirds of the time.
"""

import binascii
import hashlib

from mathmesh.codec.json_writer import tag
from mathmesh.dare import protection
from mathmesh.dare.frame import FRAME, RECORD
from mathmesh.dare.sequence import CHAIN, MERKLE, POSITION_TYPES
from mathmesh.dare.sequence_state import State
from mathmesh.dare.suites import A256CBC, ENCRYPTIONS
from mathmesh.keys import hmac256

_URL = bytes.maketrans(b"+/", b"-_")
_SALT_TEXT, _DIGEST_TEXT, _MAC_TEXT = 22, 86, 43
"""Characters of base64url for 16, 64 and 32 octets."""
_TABLE = 2048
_RECORD_TAGS = tuple(tag(RECORD, length) for length in range(_TABLE))
_FRAME_TAGS = tuple(tag(FRAME, length) for length in range(_TABLE))

_sha512 = hashlib.sha512
_base64 = binascii.b2a_base64


class SealedFrames:
    """Makes frames that point at an exchange made before; `authenticated` adds FrameMac."""

    def __init__(self, seed: bytes, container_type: str, *, authenticated: bool) -> None:
        self._seed = seed
        self._cipher = ENCRYPTIONS[A256CBC]
        self._mac = hmac256.Key(protection.frame_mac_key(seed)) if authenticated else None
        self._positions = container_type in POSITION_TYPES
        self._merkle = container_type == MERKLE
        self._chain = container_type == CHAIN

    def make(self, state: State, salt: bytes, plaintext: bytes, described: bytes) -> bytes:
        """The next frame, `state` moving behind it. `salt` is used once; `described` is the text of
        ContentMetaData with a comma behind it, or empty. The header must not be longer than 64 KiB.
        """
        key, iv = protection.content_keys(self._seed, salt, self._cipher)
        body = self._cipher.encrypt(key, iv, plaintext)
        digest = _sha512(body).digest()
        count, start, tree = state.count, state.end, state.tree
        place = b""
        if self._positions:
            place = b'"TreePosition":%d,' % tree.next_tree_position()
        header = (
            b'{"enc":"A256CBC","dig":"S512","Salt":"%b",%b"SequenceInfo":{"Index":%d,%b"ExchangePosition":%d}}'
            % (
                _base64(salt)[:_SALT_TEXT].translate(_URL),
                described,
                count,
                place,
                state.exchange_index or 0,
            )
        )
        link = b""
        if self._merkle:
            text = _base64(tree.append(start, digest))[:_DIGEST_TEXT].translate(_URL)
            link = b',"TreeDigest":"%b"' % text
        elif self._positions:
            tree.append_position(start)
        elif self._chain:
            state.chain = _sha512(state.chain + digest).digest()
            link = b',"ChainDigest":"%b"' % _base64(state.chain)[:_DIGEST_TEXT].translate(_URL)
        mac = b""
        if self._mac is not None:
            text = _base64(self._mac.digest(digest + header))[:_MAC_TEXT].translate(_URL)
            mac = b',"FrameMac":"%b"' % text
        trailer = b'{"PayloadDigest":"%b"%b%b}' % (
            _base64(digest)[:_DIGEST_TEXT].translate(_URL),
            link,
            mac,
        )
        octets = _packed(header, body, trailer)
        state.count = count + 1
        state.end = start + len(octets)
        return octets


def _packed(header: bytes, body: bytes, trailer: bytes) -> bytes:
    """As `frame.pack_frame`, with the tags of ordinary lengths from a table."""
    lengths = len(header), len(body), len(trailer)
    if max(lengths) < _TABLE:
        leads = _RECORD_TAGS[lengths[0]], _RECORD_TAGS[lengths[1]], _RECORD_TAGS[lengths[2]]
    else:
        leads = tag(RECORD, lengths[0]), tag(RECORD, lengths[1]), tag(RECORD, lengths[2])
    length = sum(lengths) + len(leads[0]) + len(leads[1]) + len(leads[2])
    lead = _FRAME_TAGS[length] if length < _TABLE else tag(FRAME, length)
    return b"".join((lead, leads[0], header, leads[1], body, leads[2], trailer, lead[::-1]))
