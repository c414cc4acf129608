"""QR codes of keys, locators and addresses: SVG, PNG or text for a terminal.

Byte or alphanumeric mode is chosen by what the text needs: a UDF fits the smaller one, an `mcu://` with its
`@` does not. Error level M, which survives a scratch. A code that holds a key is the key.
"""

from __future__ import annotations

import io
from pathlib import Path

import segno

from mathmesh.codec import udf, uri
from mathmesh.errors import EncodingError

MAXIMUM_CHARACTERS = 500
SUFFIXES = (".svg", ".png")
"""Names of pictures end in one of these."""
QUIET_ZONE = 4
PNG_SCALE = 8


def canonical(text: str) -> str:
    """`text` as it stands in a code: a UDF, a `udf:` or `mcu://` URI, an account address or a strong name.

    Raises EncodingError for anything else.
    """
    text = text.strip()
    if len(text) > MAXIMUM_CHARACTERS:
        raise EncodingError(f"a code holds at most {MAXIMUM_CHARACTERS} characters")
    if text.lower().startswith(uri.MCU):
        return uri.mcu(*uri.parse_mcu(text))
    if text.lower().startswith(uri.NAME):
        uri.parse_udf_uri(text)
        return text
    if "@" in text:
        return uri.account_address(text)
    return udf.canonical(text)


def modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """The rows of the code without its quiet zone; true is dark."""
    return tuple(tuple(bool(module) for module in row) for row in _code(text).matrix)


def svg(text: str) -> bytes:
    """The code as SVG, one module one unit, scaled by whoever shows it."""
    out = io.BytesIO()
    _code(text).save(out, kind="svg", border=QUIET_ZONE, omitsize=True, light="white")
    return out.getvalue()


def png(text: str) -> bytes:
    """The code as PNG in black and white."""
    out = io.BytesIO()
    _code(text).save(out, kind="png", border=QUIET_ZONE, scale=PNG_SCALE)
    return out.getvalue()


def terminal(text: str) -> str:
    """The code in half blocks, dark on light, two rows of modules a line."""
    rows = [[False] * QUIET_ZONE + list(row) + [False] * QUIET_ZONE for row in modules(text)]
    blank = [False] * len(rows[0])
    rows = [blank] * QUIET_ZONE + rows + [blank] * QUIET_ZONE
    rows += [blank] * (len(rows) % 2)
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        lines.append("".join(_HALVES[pair] for pair in zip(upper, lower, strict=True)))
    return "\n".join(f"\x1b[30;107m{line}\x1b[0m" for line in lines)


def write(path: Path, text: str) -> None:
    """The code as a file, in the format that the name ends in: .svg or .png."""
    formats = {".svg": svg, ".png": png}
    make = formats.get(path.suffix.lower())
    if make is None:
        raise EncodingError(f"{path} ends neither in .svg nor in .png")
    path.write_bytes(make(text))


_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def _code(text: str) -> segno.QRCode:
    try:
        return segno.make(canonical(text), error="m", boost_error=False, micro=False)
    except segno.DataOverflowError as error:
        raise EncodingError("text is too long for a QR code") from error
