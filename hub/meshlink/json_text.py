"""The JSON of the link: plain UTF-8 text, no member twice, nesting of at most 8, nothing but an object on
top.
"""

from mathmesh.codec import json_writer
from mathmesh.codec.json_reader import MAXIMUM_DEPTH, Reader
from mathmesh.errors import EncodingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEPTH = 8


class _TextReader(Reader):
    """A reader that knows text only: the binary items of JSON-B and JSON-C are malformed here."""

    def _binary_item(self, code: int) -> object:
        raise EncodingError("message is not JSON text")

    def _define(self, code: int) -> object:
        raise EncodingError("message is not JSON text")


def loads(data: bytes) -> "dict[str, Any]":
    """The object in `data`; the object itself is nesting 1. Raises EncodingError."""
    reader = _TextReader(data)
    value = reader.value(MAXIMUM_DEPTH - DEPTH)
    reader.finish()
    if not isinstance(value, dict):
        raise EncodingError("message is not a JSON object")
    return value


def text(value: object) -> str:
    """Compact JSON of any value; bytes become base64url. Raises EncodingError for what JSON cannot hold."""
    return json_writer.text(value)
