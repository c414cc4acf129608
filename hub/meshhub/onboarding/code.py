"""What a person types or a camera reads: the code of a label, as a Mesh Connect URI."""

from mathmesh.codec import udf, uri
from mathmesh.errors import EncodingError

CODE_OCTETS = 15
"""120 bits: the key octets of a static QR (draft-hallambaker-mesh-udf; protocol book, "Identity")."""
CODE_CHARACTERS = 26
LOOK_ALIKES = {"0": "O", "1": "I", "8": "B"}


def connect_uri(text: str, default_maker: str) -> str:
    """The canonical `mcu://maker@domain/E…` of `text`.

    `text` is a whole URI, or the 26-character code alone in any spelling (case, dashes and spaces do not
    matter); the code alone is taken as one of `default_maker`'s labels. Raises EncodingError, which says
    what is wrong with it.
    """
    text = text.strip()
    if ":" in text:
        account, key = _parse_uri(text)
    else:
        account, key = default_maker, text
    compact = "".join(key.split()).replace("-", "")
    if not compact:
        raise EncodingError("The code is empty: type the 26 characters printed under the QR code.")
    try:
        type_code, octets = udf.parse(compact)
    except EncodingError as error:
        raise EncodingError(
            f"This is not a device code: {_hint(compact)} Type the 26 characters printed under the QR code."
        ) from error
    if type_code != udf.ENCRYPTION or len(octets) != CODE_OCTETS:
        told = "" if len(compact) == CODE_CHARACTERS else f"; this one has {len(compact)}"
        rule = f"a device code has {CODE_CHARACTERS} characters and begins with E"
        raise EncodingError(f"This is not a device code: {rule}{told}.")
    return uri.mcu(account, udf.text(udf.ENCRYPTION, octets))


def _parse_uri(text: str) -> tuple[str, str]:
    if not text.lower().startswith("mcu:"):
        raise EncodingError("This QR code is not a Mesh label: a label begins with mcu://.")
    try:
        return uri.parse_mcu(text)
    except EncodingError as error:
        raise EncodingError(f"This Mesh label cannot be read: {error}") from error


def _hint(compact: str) -> str:
    wrong = sorted({c for c in compact.upper() if c not in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"})
    if wrong:
        which = "character" if len(wrong) == 1 else "characters"
        verb = "appears" if len(wrong) == 1 else "appear"
        meant = ", ".join(f"{c} is {LOOK_ALIKES[c]}" for c in wrong if c in LOOK_ALIKES)
        return f"the {which} {' '.join(wrong)} never {verb} in one{f' ({meant})' if meant else ''}."
    return f"it has {len(compact)} characters."
