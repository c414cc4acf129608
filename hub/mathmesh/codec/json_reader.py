"""Reader of JSON text and of JSON-B, JSON-C and JSON-D items (draft-hallambaker-jsonbcd §3 to §5).

Rules; breaking one raises EncodingError:
 1. A member name appears once in an object; nesting ends at MAXIMUM_DEPTH.
 2. Pieces of a string or binary are of one kind and end with its last form; UTF-8 is checked after joining.
 3. Bytes come from binary items only; base64url text stays text.
 4. Codes of JSON-C have document scope and are defined before use; dictionaries are refused. What the uses
    stand for counts towards MAXIMUM_OCTETS together.
 5. Raw control characters inside JSON strings are refused unless the reader is tolerant.
 6. Commas may be left out only next to binary items or brackets.
 7. No string or binary is longer than MAXIMUM_OCTETS, joined from its pieces.
 8. Reals are floats and finite; the wide formats of JSON-D are read where `json_numbers` runs.
"""

import struct

from mathmesh.errors import EncodingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAXIMUM_DEPTH = 64
MAXIMUM_DIGITS = 400
MAXIMUM_CODES = 65536
MAXIMUM_OCTETS = 1 << 31

STRING, BINARY, MEMBER = 0x80, 0x88, 0xB4
FLOAT16, FLOAT32, FLOAT64 = 0x90, 0x91, 0x92
FLOAT128, DECIMAL128 = 0x94, 0x98
INTEGER, NEGATIVE = 0xA0, 0xA8
TRUE, FALSE, NULL = 0xB0, 0xB1, 0xB2
USE_CODE, DEFINE_CODE, DEFINE_AND_USE = 0xC0, 0xC4, 0xC8

_PIECE = 4  # added to STRING or BINARY while more pieces follow
_INTEGERS_128 = {0xA4: 1, 0xAC: -1}
_BIGNUMS = {0xA5: 1, 0xA7: 1, 0xAD: -1, 0xAF: -1}
_CONSTANTS = {TRUE: True, FALSE: False, NULL: None}
_WORDS = {b"true": True, b"false": False, b"null": None}
_ESCAPES = {34: '"', 92: "\\", 47: "/", 98: "\b", 102: "\f", 110: "\n", 114: "\r", 116: "\t"}
_SPACE = b" \t\r\n"
_ENDS_WORD = b" \t\r\n,:]}"

_AFTER_BINARY, _AFTER_BRACKET, _AFTER_TEXT = 0, 1, 2


class Reader:
    """Walks over one document; `position` is the offset of the next octet to read."""

    def __init__(
        self, data: bytes, position: int = 0, tolerant: bool = False, most: int | None = None
    ) -> None:
        self.data = data
        self.position = position
        self._tolerant = tolerant
        self._left = MAXIMUM_OCTETS if most is None else most
        self._codes: dict[int, str | bytes] = {}
        self._expanded = 0
        self._last = _AFTER_BINARY

    def value(self, depth: int = 0) -> object:
        """The item at `position`, which moves behind it."""
        code = self._peek()
        self._left -= 1
        if self._left < 0:
            raise EncodingError("document holds more values than are read from its sender")
        if code >= 0x80:
            item = self._binary_item(code)
            self._last = _AFTER_BINARY
        elif code == 0x7B or code == 0x5B:
            if depth >= MAXIMUM_DEPTH:
                raise EncodingError("document is nested too deeply")
            self.position += 1
            item = self._object(depth + 1) if code == 0x7B else self._array(depth + 1)
            self._last = _AFTER_BRACKET
        else:
            item = self._text_string() if code == 0x22 else self._text_scalar()
            self._last = _AFTER_TEXT
        return item

    def finish(self) -> None:
        """Checks that nothing but white space follows."""
        while self.position < len(self.data):
            if self.data[self.position] not in _SPACE:
                raise EncodingError("document is followed by further octets")
            self.position += 1

    # Structure

    def _object(self, depth: int) -> dict[str, object]:
        result: dict[str, object] = {}
        while self._another(0x7D, not result):
            name = self._name()
            if name in result:
                raise EncodingError("object holds a member name twice")
            result[name] = self.value(depth)
        return result

    def _array(self, depth: int) -> list[object]:
        result: list[object] = []
        while self._another(0x5D, not result):
            result.append(self.value(depth))
        return result

    def _another(self, closing: int, first: bool) -> bool:
        """Moves over a comma or the closing bracket; false when the bracket was there."""
        octet = self._peek()
        if octet == 0x2C:
            if first:
                raise EncodingError("comma stands before the first item")
            self.position += 1
            if self._peek() == closing:
                raise EncodingError("comma stands after the last item")
            return True
        if octet == closing:
            self.position += 1
            return False
        if not first and octet < 0x80:
            bracket = octet == 0x7B or octet == 0x5B
            if self._last == _AFTER_TEXT or (self._last == _AFTER_BRACKET and not bracket):
                raise EncodingError("comma is missing between two items")
        return True

    def _name(self) -> str:
        code = self._peek()
        if code == 0x22:
            name: object = self._text_string()
            if self._peek() != 0x3A:
                raise EncodingError("member name is not followed by a colon")
        else:
            name = self._binary_item(code)
        if not isinstance(name, str):
            raise EncodingError("member name is not a string")
        if self._peek() == 0x3A:
            self.position += 1
        return name

    def _peek(self) -> int:
        """The next octet that is neither white space nor part of a JSON-C definition."""
        data = self.data
        while self.position < len(data):
            octet = data[self.position]
            if octet in _SPACE:
                self.position += 1
            elif DEFINE_CODE <= octet <= DEFINE_CODE + 2:
                self._define(octet)
            else:
                return octet
        raise EncodingError("document is cut short")

    # Binary items

    def _take(self, count: int) -> bytes:
        start = self.position
        if count > len(self.data) - start:
            raise EncodingError("document is cut short")
        self.position = start + count
        return self.data[start : start + count]

    def _number(self, width_code: int) -> int:
        return int.from_bytes(self._take(1 << (width_code & 3)), "big")

    def _binary_item(self, code: int) -> object:
        kind = code & 0xF8
        if kind == STRING or kind == BINARY:
            return self._pieces(kind)
        self.position += 1
        if code in _CONSTANTS:
            return _CONSTANTS[code]
        if INTEGER <= code <= INTEGER + 3:
            return self._number(code)
        if NEGATIVE <= code <= NEGATIVE + 3:
            return -self._number(code)
        if code in _INTEGERS_128:
            return _INTEGERS_128[code] * int.from_bytes(self._take(16), "big")
        if code in _BIGNUMS:
            return _BIGNUMS[code] * int.from_bytes(self._take(self._number(1)), "big")
        if FLOAT16 <= code <= FLOAT64:
            return self._real(code)
        if FLOAT128 <= code <= DECIMAL128:
            return self._wide(code)
        if MEMBER <= code <= MEMBER + 3:
            return _utf8(self._take(self._number(code)))
        if USE_CODE <= code <= USE_CODE + 2:
            key = self._number(code)
            if key not in self._codes:
                raise EncodingError("document uses a code that it does not define")
            value = self._codes[key]
            self._expanded += len(value)
            if self._expanded > MAXIMUM_OCTETS:
                raise EncodingError("document stands for more octets than are read")
            return value
        if DEFINE_AND_USE <= code <= DEFINE_AND_USE + 2:
            self.position -= 1
            return self._define(code)
        raise EncodingError("document holds an item of an unassigned or refused code")

    def _pieces(self, kind: int) -> str | bytes:
        pieces = []
        total = 0
        more = True
        while more:
            code = self._take(1)[0]
            if code & 0xF8 != kind:
                raise EncodingError("pieces of one item are of different kinds")
            more = bool(code & _PIECE)
            count = self._number(code)
            total += count
            if total > MAXIMUM_OCTETS:
                raise EncodingError("item is longer than 2^31 octets")
            pieces.append(self._take(count))
        joined = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return joined if kind == BINARY else _utf8(joined)

    def _real(self, code: int) -> float:
        if code == FLOAT64:
            return _finite(float(struct.unpack(">d", self._take(8))[0]))
        if code == FLOAT32:
            return _finite(float(struct.unpack(">f", self._take(4))[0]))
        half = self._number(1)
        exponent = (half >> 10) & 31
        fraction = half & 1023
        if exponent == 31:
            raise EncodingError("document holds a number that is not finite")
        size = (fraction / 1024 + (1 if exponent else 0)) * 2.0 ** (max(exponent, 1) - 15)
        return -size if half & 0x8000 else size

    def _wide(self, code: int) -> object:
        numbers = json_numbers()
        if numbers is None:
            raise EncodingError("document holds a number of JSON-D, which this machine does not read")
        return numbers.read(code, self._take(numbers.SIZES[code]))

    def _define(self, code: int) -> str | bytes:
        self.position += 1
        key = self._number(code)
        if self.position >= len(self.data) or not STRING <= self.data[self.position] < FLOAT16:
            raise EncodingError("code is defined as something other than a string or binary")
        if len(self._codes) >= MAXIMUM_CODES:
            raise EncodingError("document defines too many codes")
        self._codes[key] = self._pieces(self.data[self.position] & 0xF8)
        return self._codes[key]

    # Text items

    def _text_string(self) -> str:
        pieces = []
        data = self.data
        start = self.position = self.position + 1
        quote = -1
        while True:
            if (
                quote < self.position
            ):  # not at each escape: that would take the square of time
                quote = data.find(b'"', self.position)
            if quote < 0:
                raise EncodingError("document is cut short")
            slash = data.find(b"\\", self.position, quote)
            stop = quote if slash < 0 else slash
            pieces.append(self._plain(data[start:stop]))
            self.position = stop + 1
            if slash < 0:
                return "".join(pieces)
            pieces.append(self._escape())
            start = self.position

    def _plain(self, octets: bytes) -> str:
        if octets and not self._tolerant and min(octets) < 32:
            raise EncodingError("string holds a raw control character")
        return _utf8(octets)

    def _escape(self) -> str:
        octet = self._take(1)[0]
        if octet != 0x75:
            if octet not in _ESCAPES:
                raise EncodingError("string holds an unknown escape")
            return _ESCAPES[octet]
        unit = self._hexadecimal()
        if 0xD800 <= unit < 0xDC00:
            if self._take(2) != b"\\u":
                raise EncodingError("string holds half of a surrogate pair")
            low = self._hexadecimal()
            if not 0xDC00 <= low < 0xE000:
                raise EncodingError("string holds half of a surrogate pair")
            return chr(0x10000 + ((unit - 0xD800) << 10) + low - 0xDC00)
        if 0xDC00 <= unit < 0xE000:
            raise EncodingError("string holds half of a surrogate pair")
        return chr(unit)

    def _hexadecimal(self) -> int:
        digits = self._take(4)
        for octet in digits:
            if octet not in b"0123456789abcdefABCDEF":
                raise EncodingError("string holds a malformed escape")
        return int(digits.decode(), 16)

    def _text_scalar(self) -> object:
        start = self.position
        while self.position < len(self.data):
            octet = self.data[self.position]
            if octet in _ENDS_WORD or octet >= 0x80:
                break
            self.position += 1
        word = self.data[start : self.position]
        return _WORDS[word] if word in _WORDS else number(word)


def number(word: bytes) -> int | float:
    """Value of a JSON number; integers keep every digit."""
    if not word or len(word) > MAXIMUM_DIGITS:
        raise EncodingError("document holds neither a value nor a number of usable length")
    digits = word[1:] if word[0] == 0x2D else word
    whole = _leading_digits(digits)
    if not whole or (whole > 1 and digits[0] == 0x30):
        raise EncodingError("document holds a malformed value")
    rest = digits[whole:]
    if not rest:
        return int(word.decode())
    if rest[0] == 0x2E:
        count = _leading_digits(rest[1:])
        if not count:
            raise EncodingError("document holds a malformed number")
        rest = rest[1 + count :]
    if rest and rest[0] in b"eE":
        rest = rest[2:] if rest[1:2] in (b"+", b"-") else rest[1:]
        if not rest:
            raise EncodingError("document holds a malformed number")
        rest = rest[_leading_digits(rest) :]
    if rest:
        raise EncodingError("document holds a malformed number")
    return _finite(float(word.decode()))


def json_numbers() -> "Any":
    """The module `json_numbers`, or None on machines without it: its decimals are not for MicroPython."""
    try:
        from mathmesh.codec import json_numbers as module
    except ImportError:
        return None
    return module


def _finite(value: float) -> float:
    if value - value != 0:
        raise EncodingError("document holds a number that is not finite")
    return value


def _leading_digits(octets: bytes) -> int:
    count = 0
    while count < len(octets) and 0x30 <= octets[count] <= 0x39:
        count += 1
    return count


def _utf8(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeError:
        raise EncodingError("string is not UTF-8") from None
