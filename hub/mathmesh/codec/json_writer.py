"""Writers of compact JSON text and of shortest-form JSON-B (draft-hallambaker-jsonbcd §3).

Decimal numbers are the one thing taken from JSON-D; the other types are those of JSON-B.
"""

import struct

from mathmesh.codec import b64
from mathmesh.codec.json_reader import (
    BINARY,
    FALSE,
    FLOAT64,
    INTEGER,
    MAXIMUM_DEPTH,
    MEMBER,
    NEGATIVE,
    NULL,
    STRING,
    TRUE,
    json_numbers,
)
from mathmesh.errors import EncodingError

_BIGNUM, _NEGATIVE_BIGNUM = 0xA7, 0xAF
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def tag(code: int, count: int) -> bytes:
    """`code` with its width bits set, then `count` (0 to 2^64-1) in the shortest of 1, 2, 4 or 8 octets."""
    for width, octets in enumerate((1, 2, 4, 8)):
        if count < 1 << (8 * octets):
            return bytes([code + width]) + count.to_bytes(octets, "big")
    raise EncodingError("item is too long to be written")


def text(value: object, depth: int = 0) -> str:
    """JSON text of `value` without white space; bytes become base64url strings."""
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
        return _digits(value)
    if isinstance(value, float):
        return repr(_finite(value))
    if isinstance(value, (dict, list, tuple)):
        _check_depth(depth)
    if isinstance(value, dict):
        members = [_quoted(name(key)) + ":" + text(item, depth + 1) for key, item in value.items()]
        return "{" + ",".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([text(item, depth + 1) for item in value]) + "]"
    numbers = json_numbers()
    if numbers is not None and numbers.is_decimal(value):
        return str(numbers.text(value))
    raise EncodingError("value of a type that JSON cannot carry")


def binary(value: object, depth: int = 0) -> bytes:
    """JSON-B of `value`: brackets as in JSON, no commas or colons, every other item in binary form."""
    if value is None:
        return bytes([NULL])
    if value is True or value is False:
        return bytes([TRUE if value else FALSE])
    if isinstance(value, str):
        octets = utf8(value)
        return tag(STRING, len(octets)) + octets
    if isinstance(value, (bytes, bytearray)):
        return tag(BINARY, len(value)) + bytes(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return bytes([FLOAT64]) + struct.pack(">d", _finite(value))
    if isinstance(value, (dict, list, tuple)):
        _check_depth(depth)
    if isinstance(value, dict):
        pieces = [b"{"]
        for key, item in value.items():
            pieces.append(member(key))
            pieces.append(binary(item, depth + 1))
        return b"".join(pieces) + b"}"
    if isinstance(value, (list, tuple)):
        return b"[" + b"".join([binary(item, depth + 1) for item in value]) + b"]"
    numbers = json_numbers()
    if numbers is not None and numbers.is_decimal(value):
        return bytes(numbers.item(value))
    raise EncodingError("value of a type that JSON-B cannot carry")


def member(key: object) -> bytes:
    """The JSON-B form of a member name; raises EncodingError when it is not a string."""
    octets = utf8(name(key))
    return tag(MEMBER, len(octets)) + octets


def name(key: object) -> str:
    """`key` when it is a string; raises EncodingError when not."""
    if not isinstance(key, str):
        raise EncodingError("member name is not a string")
    return key


def utf8(value: str) -> bytes:
    """UTF-8 of `value`; raises EncodingError for half of a surrogate pair."""
    try:
        return value.encode()
    except UnicodeError:
        raise EncodingError("string holds half of a surrogate pair") from None


def _integer(value: int) -> bytes:
    size = -value if value < 0 else value
    if size < 1 << 64:
        return tag(NEGATIVE if value < 0 else INTEGER, size)
    count = 8
    while size >> (8 * count):
        count += 1
    if count > 0xFFFF:
        raise EncodingError("integer is too long to be written")
    code = _NEGATIVE_BIGNUM if value < 0 else _BIGNUM
    return bytes([code]) + count.to_bytes(2, "big") + size.to_bytes(count, "big")


def _quoted(value: str) -> str:
    if value and min(value) >= " " and max(value) <= "~" and '"' not in value and "\\" not in value:
        return '"' + value + '"'
    pieces = []
    for character in value:
        if character in _ESCAPES:
            pieces.append(_ESCAPES[character])
        elif ord(character) < 32:
            pieces.append(f"\\u{ord(character):04x}")
        elif 0xD800 <= ord(character) < 0xE000:
            raise EncodingError("string holds half of a surrogate pair")
        else:
            pieces.append(character)
    return '"' + "".join(pieces) + '"'


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:
        raise EncodingError("integer is too long to be written as text") from None


def _finite(value: float) -> float:
    if value - value != 0:
        raise EncodingError("number is not finite")
    return value


def _check_depth(depth: int) -> None:
    if depth >= MAXIMUM_DEPTH:
        raise EncodingError("value is nested too deeply")
