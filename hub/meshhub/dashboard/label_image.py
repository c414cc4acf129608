"""Read the code on a photo or picture of a device label.

The file is hostile until read: its format is one of four, its size in octets and in pixels is checked before
anything is decoded, and only a text of the shape of a Mesh label leaves this module.
"""

import io

import zxingcpp
from PIL import Image, UnidentifiedImageError

from mathmesh.codec import udf, uri
from mathmesh.errors import EncodingError
from meshhub.dashboard.problems import Problem

MAX_OCTETS = 10 * 1024 * 1024
MAX_PIXELS = 64_000_000  # the largest phone cameras make 50 million
MAX_PIXELS_WHOLE = 24_000_000  # of formats that cannot be made smaller while they are decoded
QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
LABEL_OCTETS = 15
SIDES = (1600, 3200, 800)  # longest side in pixels, in the order tried: the first finds most labels


def read_label(data: bytes) -> str:
    """The `mcu://` text of the one Mesh label in the picture `data` (a whole image file).

    Raises `Problem` with kind `image-too-large`, `not-an-image`, `no-code`, `several-codes` or `not-a-label`.
    Blocking and heavy on the CPU: call it in a thread.
    """
    if len(data) > MAX_OCTETS:
        raise Problem(413, "image-too-large", "The picture is larger than 10 MB.", "Take a smaller photo.")
    texts = _texts(_load(data))
    if not texts:
        raise Problem(
            422,
            "no-code",
            "No code was found in the picture.",
            "Take the photo straight from above, sharp and well lit, or type the 26 characters under it.",
        )
    labels = sorted({text for text in texts if _is_label(text)})
    if not labels:
        raise Problem(
            422,
            "not-a-label",
            "The code in the picture is not the label of a Mesh device.",
            "Look for the label whose text starts with mcu:// and has 26 characters under its code.",
        )
    if len(labels) > 1:
        raise Problem(
            422,
            "several-codes",
            "The picture shows the labels of several devices.",
            "Take a photo of one label only, or type the 26 characters of the one you mean.",
        )
    return labels[0]


def _load(data: bytes) -> Image.Image:
    refused = Problem(
        422,
        "not-an-image",
        "The file is not a picture that the hub can read.",
        "Use a PNG, JPEG or WebP file.",
    )
    too_large = Problem(
        413, "image-too-large", "The picture has too many pixels.", "Use one of at most 64 megapixels."
    )
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
        if width * height > (MAX_PIXELS if image.format == "JPEG" else MAX_PIXELS_WHOLE):
            raise too_large
        image.draft("L", (max(SIDES), max(SIDES)))
        return image.convert("L") if image.mode in ("L", "RGB") else _on_white(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise refused from None


def _on_white(image: Image.Image) -> Image.Image:
    """Grey picture in which transparent parts are white, as a viewer shows them."""
    colour = image.convert("RGBA")
    ground = Image.new("L", colour.size, "white")
    ground.paste(colour.convert("L"), mask=colour.getchannel("A"))
    return ground


def _texts(image: Image.Image) -> set[str]:
    longest = max(image.size)
    for side in dict.fromkeys(min(side, longest) for side in SIDES):
        scaled = image if side == longest else image.resize(_fit(image.size, side))
        found = {code.text for code in zxingcpp.read_barcodes(scaled, formats=QR)}
        if found:
            return found
    return set()


def _fit(size: tuple[int, int], side: int) -> tuple[int, int]:
    factor = side / max(size)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _is_label(text: str) -> bool:
    try:
        kind, octets = udf.parse(uri.parse_mcu(text)[1])
    except EncodingError:
        return False
    return kind == udf.ENCRYPTION and len(octets) == LABEL_OCTETS
