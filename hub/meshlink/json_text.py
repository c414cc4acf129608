"""The JSON of the link: plain UTF-8 text, strict, no member twice, nesting of at most 8.

It has a reader of its own, far smaller than that of JSON-BCD, because a device keeps it in its heap.
"""

from mathmesh.codec import b64
from mathmesh.errors import EncodingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEPTH = 8

_MOST_DIGITS = 40
_QUOTE, _BACKSLASH, _COMMA, _COLON = 0x22, 0x5C, 0x2C, 0x3A
_OBJECT, _OBJECT_END, _ARRAY, _ARRAY_END = 0x7B, 0x7D, 0x5B, 0x5D
_SPACE = b" \t\r\n"
_ENDS_WORD = b" \t\r\n,]}"
_WORDS = {b"true": True, b"false": False, b"null": None}
_ESCAPES = {0x22: '"', 0x5C: "\\", 0x2F: "/", 0x62: "\b", 0x66: "\f", 0x6E: "\n", 0x72: "\r", 0x74: "\t"}


def loads(data: bytes, kind: type = dict) -> "Any":
    """The object (or, with kind=list, the array) in `data`; it is nesting 1 itself. Raises EncodingError."""
    reader = _Reader(bytes(data))
    value = reader.value(DEPTH)
    if reader.peek() is not None:
        raise EncodingError("JSON text goes on after its end")
    if not isinstance(value, kind):
        raise EncodingError("JSON text is not of the kind that is wanted here")
    return value


def text(value: object) -> str:
    """Compact JSON of any value; bytes become base64url. Raises EncodingError for what JSON cannot hold."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, (bytes, bytearray)):
        return '"' + b64.encode(bytes(value)) + '"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value - value == 0:
        return repr(value)
    if isinstance(value, dict):
        return "{" + ",".join([_name(name) + ":" + text(item) for name, item in value.items()]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([text(item) for item in value]) + "]"
    raise EncodingError("value of a type that JSON cannot carry")


class _Reader:
    """Walks over one text."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def peek(self) -> int | None:
        """The next octet that is no white space, None at the end; stays before it."""
        data = self._data
        while self._at < len(data):
            if data[self._at] not in _SPACE:
                return data[self._at]
            self._at += 1
        return None

    def value(self, depth: int) -> object:
        """The value that comes next, with at most `depth` levels of nesting."""
        first = self.peek()
        if first == _QUOTE:
            return self._string()
        if first == _OBJECT or first == _ARRAY:
            if not depth:
                raise EncodingError("JSON text is nested too deeply")
            self._at += 1
            return self._object(depth - 1) if first == _OBJECT else self._array(depth - 1)
        return self._word()

    def _object(self, depth: int) -> "dict[str, Any]":
        out: dict[str, Any] = {}
        if self._takes(_OBJECT_END):
            return out
        while True:
            if self.peek() != _QUOTE:
                raise EncodingError("JSON member has no name")
            name = self._string()
            if name in out:
                raise EncodingError("JSON member is there twice")
            self._expect(_COLON)
            out[name] = self.value(depth)
            if self._takes(_OBJECT_END):
                return out
            self._expect(_COMMA)

    def _array(self, depth: int) -> "list[Any]":
        out: list[Any] = []
        if self._takes(_ARRAY_END):
            return out
        while True:
            out.append(self.value(depth))
            if self._takes(_ARRAY_END):
                return out
            self._expect(_COMMA)

    def _takes(self, octet: int) -> bool:
        if self.peek() != octet:
            return False
        self._at += 1
        return True

    def _expect(self, octet: int) -> None:
        if not self._takes(octet):
            raise EncodingError("JSON text lacks " + chr(octet))

    def _string(self) -> str:
        """The string whose quote is next."""
        pieces = []
        self._at += 1
        while True:
            end = self._data.find(b'"', self._at)
            if end < 0:
                raise EncodingError("JSON string does not end")
            slash = self._data.find(b"\\", self._at, end)
            pieces.append(_utf8(self._data[self._at : end if slash < 0 else slash]))
            if slash < 0:
                self._at = end + 1
                return "".join(pieces)
            self._at = slash + 1
            pieces.append(self._escape())

    def _escape(self) -> str:
        code = self._data[self._at] if self._at < len(self._data) else 0
        self._at += 1
        if code in _ESCAPES:
            return _ESCAPES[code]
        if code != 0x75:
            raise EncodingError("JSON string has an unknown escape")
        unit = self._unit()
        if 0xD800 <= unit < 0xDC00 and self._data[self._at : self._at + 2] == b"\\u":
            self._at += 2
            low = self._unit()
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((unit - 0xD800) << 10) + low - 0xDC00)
        if 0xD800 <= unit < 0xE000:
            raise EncodingError("JSON string has half of a surrogate pair")
        return chr(unit)

    def _unit(self) -> int:
        digits = self._data[self._at : self._at + 4]
        self._at += 4
        if len(digits) != 4 or not all([octet in b"0123456789abcdefABCDEF" for octet in digits]):
            raise EncodingError("JSON string has a malformed escape")
        return int(digits, 16)

    def _word(self) -> object:
        start = self._at
        while self._at < len(self._data) and self._data[self._at] not in _ENDS_WORD:
            self._at += 1
        word = self._data[start : self._at]
        return _WORDS[word] if word in _WORDS else _number(word)


def _number(word: bytes) -> int | float:
    if not word or len(word) > _MOST_DIGITS or max(word) > 0x7F:
        raise EncodingError("JSON text has something that is no value")
    sign = word[:1] == b"-"
    body = str(word[1:] if sign else word, "utf-8")
    at = max(body.find("e"), body.find("E"))
    mantissa, exponent = (body, "") if at < 0 else (body[:at], body[at + 1 :])
    whole, point, fraction = mantissa.partition(".")
    if exponent[:1] in ("+", "-"):
        exponent = exponent[1:]
    good = whole.isdigit() and (whole == "0" or whole[0] != "0")
    good = good and (not point or fraction.isdigit()) and (at < 0 or exponent.isdigit())
    if not good:
        raise EncodingError("JSON text has a malformed number")
    if at < 0 and not point:
        return -int(body) if sign else int(body)
    value = float(str(word, "utf-8"))
    if value - value != 0:
        raise EncodingError("JSON number is too large")
    return value


def _utf8(octets: bytes) -> str:
    if octets and min(octets) < 0x20:
        raise EncodingError("JSON string has a raw control character")
    try:
        return str(octets, "utf-8")
    except UnicodeError:
        raise EncodingError("JSON string is not UTF-8") from None


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise EncodingError("JSON member name is not a string")
    return _quoted(name)


def _quoted(value: str) -> str:
    for character in value:
        if character in '"\\' or ord(character) < 0x20 or 0xD800 <= ord(character) < 0xE000:
            return '"' + "".join([_escaped(item) for item in value]) + '"'
    return '"' + value + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    for letter, meant in _ESCAPES.items():
        if meant == character and character != "/":
            return "\\" + chr(letter)
    if 0xD800 <= code < 0xE000:
        raise EncodingError("string holds half of a surrogate pair")
    if code < 0x20:
        return "\\u00" + "0123456789abcdef"[code >> 4] + "0123456789abcdef"[code & 15]
    return character
