"""UDF text: type octet and binary data sequence as dashed Base32 (draft-hallambaker-mesh-udf §4).

We parse strictly: the reference skips characters outside the alphabet, here they are errors.
"""

from mathmesh.codec import base32
from mathmesh.errors import EncodingError

MAC = 0
MAC_SHA3 = 1
ENCRYPTION = 32
ENCRYPTION_SIGNATURE = 33
DIGEST_SHA3 = 80
DIGEST = 96
NONCE = 104
OID = 112
SHARE = 144
SEED = 200

DEFAULT_BITS = 140
"""Default presentation precision; the eight bits of the type octet are counted in."""

MAXIMUM_COMPRESSION = 4
"""Digest types take the four codes after theirs for values with 20, 30, 40 or 50 trailing zero bits."""

TYPES = (
    MAC,
    MAC_SHA3,
    ENCRYPTION,
    ENCRYPTION_SIGNATURE,
    DIGEST_SHA3,
    DIGEST_SHA3 + 1,
    DIGEST_SHA3 + 2,
    DIGEST_SHA3 + 3,
    DIGEST_SHA3 + 4,
    DIGEST,
    DIGEST + 1,
    DIGEST + 2,
    DIGEST + 3,
    DIGEST + 4,
    NONCE,
    OID,
    SHARE,
    SEED,
)

_GROUP = 4
_WHITE_SPACE = " \t\r\n"


def present(binary: bytes, bits: int = DEFAULT_BITS) -> str:
    """Text of `binary` (type octet first) at a precision of `bits`, type octet included."""
    return _group(base32.encode(binary)[: (bits + 4) // 5])


def text(type_code: int, data: bytes) -> str:
    """Text of `data` under `type_code` with nothing lost: the form of keys, nonces, seeds and shares."""
    binary = bytes([type_code]) + data
    return present(binary, 8 * len(binary))


def octets(text: str) -> bytes:
    """All whole octets that `text` carries, the type octet unchecked.

    For values that have UDF form and no type, such as a connection witness used as message identifier.
    """
    return base32.decode(_bare(text))


def parse(text: str) -> tuple[int, bytes]:
    """Type octet and data of `text`; dashes, white space and case do not matter, all else is strict.

    Raises EncodingError for foreign characters, an unassigned type octet or missing data.
    """
    binary = octets(text)
    if len(binary) < 2:
        raise EncodingError("UDF is too short to hold a type and data")
    if binary[0] not in TYPES:
        raise EncodingError("UDF has the unassigned type octet " + str(binary[0]))
    return binary[0], binary[1:]


def canonical(text: str) -> str:
    """Upper-case text with dashes of the same UDF; raises EncodingError as `parse` does."""
    parse(text)
    return _group(_bare(text))


def _bare(text: str) -> str:
    for character in _WHITE_SPACE + "-":
        text = text.replace(character, "")
    for character in text:
        if ord(character) > 127:
            raise EncodingError("UDF holds a character other than A-Z and 2-7")
    return text.upper()


def _group(characters: str) -> str:
    return "-".join([characters[i : i + _GROUP] for i in range(0, len(characters), _GROUP)])
