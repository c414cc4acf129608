"""Writer of JSON-C: strings that recur are written once and then by code (draft-hallambaker-jsonbcd §4).

Every document defines the codes it uses, at their first use, so that it is read without anything else.
"""

from mathmesh.codec import json_writer
from mathmesh.codec.json_reader import DEFINE_AND_USE, MAXIMUM_CODES, MAXIMUM_DEPTH, USE_CODE
from mathmesh.errors import EncodingError

_SHORT_CODES = 256
_DEFINITION = 2  # octets that defining a code adds to the string, and that a use takes, with a short code


class Compressor:
    """Writes one document with the codes of a dictionary."""

    def __init__(self, codes: dict[str | bytes, int]) -> None:
        """`codes` gives strings and binary items their codes, 0 to 65535; raises EncodingError for others."""
        for code in codes.values():
            if not 0 <= code < MAXIMUM_CODES:
                raise EncodingError("codes of a dictionary are 0 to 65535")
        if len(set(codes.values())) != len(codes):
            raise EncodingError("two entries of a dictionary have the same code")
        self._codes = codes
        self._defined: set[str | bytes] = set()

    def write(self, value: object, depth: int = 0) -> bytes:
        """JSON-C of `value`; raises EncodingError as the JSON-B writer does."""
        if isinstance(value, (str, bytes, bytearray)):
            return self._coded(value if isinstance(value, str) else bytes(value))
        if not isinstance(value, (dict, list, tuple)):
            return json_writer.binary(value, depth)
        if depth >= MAXIMUM_DEPTH:
            raise EncodingError("value is nested too deeply")
        pieces = []
        if not isinstance(value, dict):
            for item in value:
                pieces.append(self.write(item, depth + 1))
            return b"[" + b"".join(pieces) + b"]"
        for name, item in value.items():
            pieces.append(
                self._coded(json_writer.name(name)) if name in self._codes else json_writer.member(name)
            )
            pieces.append(self.write(item, depth + 1))
        return b"{" + b"".join(pieces) + b"}"

    def _coded(self, value: str | bytes) -> bytes:
        code = self._codes.get(value)
        if code is None:
            return json_writer.binary(value)
        if value in self._defined:
            return _tag(USE_CODE, code)
        self._defined.add(value)
        return _tag(DEFINE_AND_USE, code) + json_writer.binary(value)


def write(value: object, codes: dict[str | bytes, int] | None = None) -> bytes:
    """JSON-C of `value` with the given codes, or with a dictionary made from what recurs in it."""
    return Compressor(dictionary(value) if codes is None else codes).write(value)


def dictionary(value: object) -> dict[str | bytes, int]:
    """Codes for the strings and binary items that save most when they are written once only."""
    counts: dict[str | bytes, int] = {}
    _count(value, counts, 0)
    gains = []
    for order, (item, count) in enumerate(counts.items()):
        size = len(json_writer.binary(item))
        gain = (count - 1) * (size - _DEFINITION) - _DEFINITION
        if gain > 0:
            gains.append((-gain, order, item, count, size))
    codes: dict[str | bytes, int] = {}
    for _, _, item, count, size in sorted(gains, key=_rank)[:MAXIMUM_CODES]:
        long_code = len(codes) >= _SHORT_CODES
        if not long_code or (count - 1) * (size - _DEFINITION - 1) > _DEFINITION + 1:
            codes[item] = len(codes)
    return codes


def _rank(entry: tuple[int, int, object, int, int]) -> tuple[int, int]:
    return entry[0], entry[1]


def _count(value: object, counts: dict[str | bytes, int], depth: int) -> None:
    if isinstance(value, (str, bytes, bytearray)):
        item = value if isinstance(value, str) else bytes(value)
        counts[item] = counts.get(item, 0) + 1
    elif isinstance(value, (dict, list, tuple)):
        if depth >= MAXIMUM_DEPTH:
            raise EncodingError("value is nested too deeply")
        for inner in value:
            if isinstance(value, dict):
                _count(json_writer.name(inner), counts, depth)
                _count(value[inner], counts, depth + 1)
            else:
                _count(inner, counts, depth + 1)


def _tag(code: int, number: int) -> bytes:
    if number < _SHORT_CODES:
        return bytes([code, number])
    return bytes([code + 1]) + number.to_bytes(2, "big")
