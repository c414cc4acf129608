"""JSON, JSON-B, JSON-C and JSON-D documents as Python values (draft-hallambaker-jsonbcd).

Objects are dicts, arrays lists, binary items bytes, reals floats, decimals of JSON-D `decimal.Decimal`; the
encodings may be mixed within one document.
"""

from mathmesh.codec import json_writer
from mathmesh.codec.json_reader import Reader


def loads(data: bytes | str, tolerant: bool = False, most: int | None = None) -> object:
    """The one value of a document in any of the encodings.

    `tolerant` accepts raw control characters inside JSON strings, which published examples hold. `most` is
    how many values it may hold in all: of a stranger's document, each octet may become a hundred in memory.
    Raises EncodingError for anything malformed, repeated member names, nesting beyond 64 and trailing octets.
    """
    reader = Reader(json_writer.utf8(data) if isinstance(data, str) else bytes(data), 0, tolerant, most)
    value = reader.value()
    reader.finish()
    return value


def load_at(data: bytes, position: int = 0, tolerant: bool = False) -> tuple[object, int]:
    """The value that begins at `position` and the offset behind it; further octets may follow."""
    reader = Reader(data, position, tolerant)
    value = reader.value()
    return value, reader.position


def dumps(value: object) -> bytes:
    """Compact JSON in UTF-8; bytes become base64url strings."""
    return json_writer.text(value).encode()


def dumps_b(value: object) -> bytes:
    """JSON-B with every length in its shortest form."""
    return json_writer.binary(value)


def dumps_c(value: object, codes: dict[str | bytes, int] | None = None) -> bytes:
    """JSON-C: JSON-B in which recurring strings and binary items are written once and then by code.

    `codes` gives the code (0 to 65535) of each string or binary item to be coded; without it, those that
    save octets in this value are chosen. Raises EncodingError for codes out of range or given twice.
    """
    from mathmesh.codec import json_compressed

    return json_compressed.write(value, codes)
