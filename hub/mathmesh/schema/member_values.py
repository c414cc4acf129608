"""How one value of a member is read, by the kind that its class declares; EncodingError for any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mathmesh.codec import b64
from mathmesh.dare.content_meta import parse_time
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError


def text(value: object) -> str:
    """A text."""
    if not isinstance(value, str):
        raise EncodingError("a text is expected")
    return value


def integer(value: object) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise EncodingError("a whole number is expected")
    return value


def real(value: object) -> float:
    """A number; a whole one stays as it is, so that it is written as it was read."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise EncodingError("a number is expected")
    return value


def boolean(value: object) -> bool:
    """A truth value."""
    if not isinstance(value, bool):
        raise EncodingError("true or false is expected")
    return value


def octets(value: object) -> bytes:
    """Octets: a binary item of JSON-B or base64url text."""
    return value if isinstance(value, bytes) else b64.decode(text(value))


def time(value: object) -> datetime:
    """A time in UTC, to the second."""
    return parse_time(text(value))


def dictionary(value: object) -> dict[str, Any]:
    """A JSON object, kept as it is."""
    if not isinstance(value, dict):
        raise EncodingError("a JSON object is expected")
    return dict(plain(value))


def envelope(value: object) -> Envelope:
    """An ``Enveloped`` member."""
    if not isinstance(value, list):
        raise EncodingError("an envelope is a JSON array")
    return Envelope.from_value(value)


def plain(value: Any) -> Any:
    """`value` with octets as base64url text, so that it is JSON."""
    if isinstance(value, bytes):
        return b64.encode(value)
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


READERS: dict[Any, Callable[[object], object]] = {
    str: text,
    int: integer,
    float: real,
    bool: boolean,
    bytes: octets,
    datetime: time,
    dict: dictionary,
    Envelope: envelope,
}
