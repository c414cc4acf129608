"""RFC 4648 Base32 without padding, as the UDF text form uses it (draft-hallambaker-mesh-udf §4.1)."""

from mathmesh.errors import EncodingError

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Upper-case text of `data`; the last partial group is filled with zero bits, no `=` is written."""
    characters = []
    held = 0
    bits = 0
    for octet in data:
        held = (held << 8) | octet
        bits += 8
        while bits >= 5:
            bits -= 5
            characters.append(ALPHABET[held >> bits])
            held &= (1 << bits) - 1
    if bits:
        characters.append(ALPHABET[held << (5 - bits)])
    return "".join(characters)


def decode(text: str) -> bytes:
    """Octets of upper-case `text`; the bits after the last whole octet are dropped, whatever they are.

    Raises EncodingError for any character outside `A`–`Z`, `2`–`7`, padding included.
    """
    octets = bytearray()
    held = 0
    bits = 0
    for character in text:
        value = _VALUES.get(character)
        if value is None:
            raise EncodingError("Base32 text holds a character other than A-Z and 2-7")
        held = (held << 5) | value
        bits += 5
        if bits >= 8:
            bits -= 8
            octets.append(held >> bits)
            held &= (1 << bits) - 1
    return bytes(octets)
