"""Headers and trailers as text and as binary forms.

In memory a header is plain JSON data (binary members as base64url strings), whatever encoding it came in.
`binary_members` turns the binary members into bytes for JSON-B and for the published reference's text
layout, which `reference_text` reproduces octet for octet (line breaks inside base64url included).
"""

import json
from collections.abc import Callable
from typing import Any

from mathmesh.codec import b64, jsonbcd
from mathmesh.errors import EncodingError

BINARY_MEMBERS = frozenset(
    {
        "SignedData",
        "PayloadDigest",
        "ChainDigest",
        "TreeDigest",
        "FrameMac",
        "Salt",
        "Malt",
        "cloaked",
        "ContentMetaData",
        "Manifest",
        "signature",
        "witness",
        "wmk",
        "kem",
        "Public",
        "annotations",
    }
)

_COMPACT_ITEMS = 64
_LINE = 63
_FIRST_COLUMN = 5
_NEXT_COLUMN = 2


def parse_object(octets: bytes) -> dict[str, Any]:
    """The JSON or JSON-B object of a header or trailer; raw line breaks inside strings are accepted."""
    value = _parse_compact(octets)
    if value is None:
        value = plain_members(jsonbcd.loads(octets, tolerant=True))
    if not isinstance(value, dict):
        raise EncodingError("header or trailer is not an object")
    return value


def _parse_compact(octets: bytes) -> object:
    """What the codec makes of text as our own writers print it, at a fifth of the time; None for all else."""
    if not octets.isascii() or b"\\" in octets or len(octets.split(None, 1)) != 1:
        return None
    if octets.count(b"{") + octets.count(b"[") > _COMPACT_ITEMS:
        return None
    text = octets.decode("ascii")
    try:
        value, end = _scan(text, 0)
    except (ValueError, StopIteration):
        return None
    return value if end == len(text) else None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs) or None in members.values():
        raise ValueError("a repeated name or null is left to the codec")
    return members


def _other(text: str) -> object:
    raise ValueError("reals are left to the codec")


_scan: Callable[[str, int], tuple[object, int]] = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_other, parse_constant=_other
).scan_once  # type: ignore[attr-defined]


def plain_members(value: object, name: str = "") -> object:
    """`value` with bytes as base64url text, that text without line breaks, and null members left out."""
    if isinstance(value, dict):
        return {key: plain_members(item, key) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [plain_members(item, name) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return b64.encode(bytes(value))
    if isinstance(value, str) and name in BINARY_MEMBERS:
        return "".join(value.split())
    return value


def binary_members(value: object, name: str = "") -> object:
    """`value` with the binary members of DARE as bytes; text that is no base64url is left as it is."""
    if isinstance(value, dict):
        return {key: binary_members(item, key) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [binary_members(item, name) for item in value]
    if isinstance(value, str) and name in BINARY_MEMBERS:
        try:
            return b64.decode(value)
        except EncodingError:
            return value
    return value


def reference_text(value: dict[str, Any]) -> bytes:
    """The text that the published reference writes for a header, trailer or content metadata."""
    pieces: list[str] = []
    _write(pieces, binary_members(value), 0, "")
    return "".join(pieces).encode()


def _write(pieces: list[str], value: object, depth: int, name: str) -> None:
    if isinstance(value, dict):
        pieces.append("{")
        for number, (key, item) in enumerate(value.items()):
            pieces.append("," if number else "")
            pieces.append("\n" + "  " * (depth + 1) + json.dumps(key, ensure_ascii=False) + ": ")
            _write(pieces, item, depth + 1, key)
        pieces.append("}")
    elif isinstance(value, list):
        pieces.append("[")
        for number, item in enumerate(value):
            pieces.append(",\n" + "  " * (depth + 1) if number else "")
            _write(pieces, item, depth + 1, name)
        pieces.append("]")
    elif isinstance(value, bytes):
        _write_binary(pieces, b64.encode(value), _FIRST_COLUMN + len(name))
    else:
        pieces.append(json.dumps(value, ensure_ascii=False))


def _write_binary(pieces: list[str], text: str, column: int) -> None:
    pieces.append('"')
    start = 0
    while start < len(text):
        room = max(0, _LINE - column)
        pieces.append(text[start : start + room])
        start += room
        column = _NEXT_COLUMN - 1
        if start < len(text):
            pieces.append("\n  ")
    pieces.append('"')
