"""A picture in black and white, drawn in millimetres; the one user of Pillow in this package."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

DOTS = 300 / 25.4
"""Dots of a millimetre."""
LETTER = 1.25
"""Size of a font whose letters are as high as is asked for."""


class Picture:
    """A white picture of so many millimetres."""

    def __init__(self, width: float, height: float) -> None:
        self._image = Image.new("1", (round(width * DOTS), round(height * DOTS)), 1)
        self._draw = ImageDraw.Draw(self._image)

    def box(self, x: float, y: float, width: float, height: float) -> None:
        """Fill a rectangle."""
        left, top = round(x * DOTS), round(y * DOTS)
        right, bottom = round((x + width) * DOTS) - 1, round((y + height) * DOTS) - 1
        self._draw.rectangle((left, top, max(left, right), max(top, bottom)), fill=0)

    def text(self, x: float, y: float, size: float, text: str) -> None:
        """Write a line whose base line is at `y`."""
        place = (round(x * DOTS), round(y * DOTS))
        self._draw.text(place, text, fill=0, font=_font(round(size * DOTS * LETTER)), anchor="ls")

    def png(self) -> bytes:
        """The picture as PNG."""
        out = io.BytesIO()
        self._image.save(out, format="PNG", dpi=(300, 300), optimize=True)
        return out.getvalue()


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
