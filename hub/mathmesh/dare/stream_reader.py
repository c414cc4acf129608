"""The three forms of an envelope, taken apart in pieces (draft-hallambaker-mesh-dare §4.1).

Header and trailer are held in memory and limited to 64 KiB each; the body is given out in pieces and of any
length. An envelope inside a `{"DareEnvelope": …}` object is read as a whole, and limited.
"""

from collections.abc import Callable, Iterator
from typing import Any

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare.structure import MAXIMUM_HEADER, Envelope, members_of
from mathmesh.errors import EncodingError, PolicyError

MAXIMUM_TAGGED = 1 << 24
"""Octets of an envelope inside a tagged object."""

_SPACE = b" \t\r\n"
_LEAD = 4 * MAXIMUM_HEADER  # indented text takes more than the compact form that the limit is meant for
_BINARY, _MORE = 0x88, 0x8C
_QUOTE, _COMMA, _OPEN, _CLOSE, _BRACE = b'",[]{'
_GROUP = 4


class StreamReader:
    """Made of `read(count)`; has the `header` at once, the `trailer` when the last piece was given out.

    Raises EncodingError for what is no envelope, PolicyError for one whose header or trailer is too long.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._source = _Source(read)
        self.trailer: dict[str, Any] = {}
        self.body_length: int | None = None
        """Octets of the body where its length is given in front."""
        self._whole: Envelope | None = None
        first = self._source.skip()
        if first == _BRACE:
            self._whole = Envelope.from_bytes(self._source.rest(MAXIMUM_TAGGED))
            self.header, self.trailer = self._whole.header, self._whole.trailer
            self.body_length = len(self._whole.body)
            return
        if first != _OPEN:
            raise EncodingError("octets are no envelope")
        value, end = jsonbcd.load_at(self._source.peek(_LEAD), 1, tolerant=True)
        self._source.take(end)
        self.header = members_of(value, "header")

    def pieces(self, limit: int) -> Iterator[bytes]:
        """The body, each piece with one to `limit` octets."""
        if self._whole is not None:
            body = self._whole.body
            yield from (body[start : start + limit] for start in range(0, len(body), limit))
            return
        first = self._separated()
        if first != _CLOSE:
            if first & 0xF8 == _BINARY:
                yield from self._binary(limit)
            elif first == _QUOTE:
                yield from self._text(limit)
            elif self._source.take(4) != b"null":
                raise EncodingError("body of an envelope is not binary")
        self._end()

    def _separated(self) -> int:
        """The next octet that is neither white space nor the comma in front of an item."""
        first = self._source.skip()
        if first == _COMMA:
            self._source.take(1)
            first = self._source.skip()
            if first == _CLOSE:
                raise EncodingError("envelope ends in a comma")
        return first

    def _binary(self, limit: int) -> Iterator[bytes]:
        more, first = True, True
        while more:
            code = self._source.take(1)[0]
            if code & 0xF8 != _BINARY:
                raise EncodingError("pieces of the body are of different kinds")
            more = code & 0xFC == _MORE
            left = int.from_bytes(self._source.take(1 << (code & 3)), "big")
            if first and not more:
                self.body_length = left
            first = False
            while left:
                piece = self._source.some(min(left, limit))
                left -= len(piece)
                yield piece

    def _text(self, limit: int) -> Iterator[bytes]:
        self._source.take(1)
        held, ended = b"", False
        while not ended:
            octets = self._source.some(limit)
            quote = octets.find(b'"')
            ended = quote >= 0
            if ended:
                self._source.give_back(octets[quote + 1 :])
                octets = octets[:quote]
            held += octets.translate(None, _SPACE)
            whole = len(held) if ended else len(held) - len(held) % _GROUP
            piece, held = _decoded(held[:whole]), held[whole:]
            if piece:
                yield piece

    def _end(self) -> None:
        rest = self._source.rest(_LEAD)
        position = len(rest) - len(rest.lstrip(_SPACE))
        if rest[position : position + 1] == b",":
            position += 1
            if rest[position:].lstrip(_SPACE)[:1] == b"]":
                raise EncodingError("envelope ends in a comma")
        items = jsonbcd.loads(b"[" + rest[position:], tolerant=True)
        if not isinstance(items, list) or len(items) > 1:
            raise EncodingError("envelope is not an array of header, body and trailer")
        if items and items[0] is not None:
            self.trailer = members_of(items[0], "trailer")


def _decoded(octets: bytes) -> bytes:
    try:
        return b64.decode(octets.decode("ascii"))
    except UnicodeError:
        raise EncodingError("body of an envelope is not base64url text") from None


class _Source:
    """Octets from `read` with some read ahead."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._ahead = b""

    def peek(self, count: int) -> bytes:
        """The next octets without taking them, fewer at the end."""
        pieces = [self._ahead]
        missing = count - len(self._ahead)
        while missing > 0 and (piece := self._read(missing)):
            pieces.append(piece)
            missing -= len(piece)
        self._ahead = b"".join(pieces)
        return self._ahead

    def take(self, count: int) -> bytes:
        """Exactly the next octets; raises EncodingError when there are fewer."""
        octets = self.peek(count)
        if len(octets) < count:
            raise EncodingError("envelope is cut short")
        self._ahead = octets[count:]
        return octets[:count]

    def some(self, limit: int) -> bytes:
        """At least one octet and at most `limit`; raises EncodingError at the end."""
        if self._ahead:
            piece, self._ahead = self._ahead[:limit], self._ahead[limit:]
            return piece
        piece = self._read(limit)
        if not piece:
            raise EncodingError("envelope is cut short")
        return piece

    def give_back(self, octets: bytes) -> None:
        """Puts octets in front again."""
        self._ahead = octets + self._ahead

    def skip(self) -> int:
        """Passes over white space; the octet behind it, which is not taken."""
        while True:
            octets = self.peek(1)
            if not octets:
                raise EncodingError("envelope is cut short")
            self._ahead = octets.lstrip(_SPACE)
            if self._ahead:
                return self._ahead[0]

    def rest(self, limit: int) -> bytes:
        """All that follows; raises PolicyError when that is more than `limit` octets."""
        octets = self.peek(limit + 1)
        if len(octets) > limit:
            raise PolicyError("part of an envelope that must be held in memory is too long")
        self._ahead = b""
        return octets
