"""Cards to print: a code, what it says in letters, and what it is for. SVG, PDF or PNG, by the file's name.

A sheet is A4, three cards each with lines to cut along; SVG and PNG have the sheets one below the other.
All three are drawn from the same shapes. A card of a share is as secret as the share.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from mathmesh.errors import EncodingError
from meshclient import card_picture, qr
from meshclient.private_file import write_private

WIDTH, HEIGHT = 210.0, 297.0
"""A sheet, in millimetres."""
ON_SHEET = 3
CARD_HEIGHT = HEIGHT / ON_SHEET
MARGIN = 15.0
CODE = 62.0
"""Side of a code without its quiet zone, in millimetres."""
GROUPS = 5
"""Groups of four letters on a line."""
POINT = 72 / 25.4
"""Points of a millimetre."""

TITLE, NOTE, LETTERS = 5.0, 3.3, 4.2
"""Heights of letters in millimetres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What stands on a card: `text` is what the code says."""

    title: str
    lines: Sequence[str]
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Box:
    """A black rectangle: left, top, width and height in millimetres from the upper left."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text: left, base line and height of letters; `fixed` letters have one width."""

    x: float
    y: float
    size: float
    text: str
    fixed: bool = False


Shape = Box | Text


def write(path: Path, cards: Sequence[Card]) -> None:
    """Write cards into a file that only its owner may read.

    Raises EncodingError unless its name ends in .svg, .pdf or .png.
    """
    make = {".svg": svg, ".pdf": pdf, ".png": png}.get(path.suffix.lower())
    if make is None:
        raise EncodingError(f"{path} ends neither in .svg nor in .pdf nor in .png")
    write_private(path, make(cards))


def sheets(cards: Sequence[Card]) -> list[list[Shape]]:
    """The shapes of each sheet."""
    starts = range(0, len(cards), ON_SHEET)
    return [[*_sheet(cards[start : start + ON_SHEET])] for start in starts]


def svg(cards: Sequence[Card]) -> bytes:
    """The cards as SVG, in millimetres."""
    drawn = sheets(cards)
    height = HEIGHT * len(drawn)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {WIDTH:g} {height:g}"><rect width="100%" height="100%" fill="white"/>'
    ]
    for number, shapes in enumerate(drawn):
        parts.append(f'<g transform="translate(0 {number * HEIGHT:g})">')
        parts += [_svg_shape(one) for one in shapes]
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]).encode()


def pdf(cards: Sequence[Card]) -> bytes:
    """The cards as PDF 1.4 with the fonts that every reader has; characters of Latin-1 only."""
    drawn = sheets(cards)
    objects: list[bytes] = []
    pages = [f"{5 + 2 * number} 0 R" for number in range(len(drawn))]
    box = f"[0 0 {WIDTH * POINT:.2f} {HEIGHT * POINT:.2f}]"
    objects.append(b"<< /Type /Catalog /Pages 2 0 R >>")
    objects.append(f"<< /Type /Pages /Kids [{' '.join(pages)}] /Count {len(pages)} >>".encode())
    for font in ("Helvetica", "Courier"):
        kind = f"<< /Type /Font /Subtype /Type1 /BaseFont /{font} /Encoding /WinAnsiEncoding >>"
        objects.append(kind.encode())
    for number, shapes in enumerate(drawn):
        fonts = "<< /Font << /F1 3 0 R /F2 4 0 R >> >>"
        content = f"{6 + 2 * number} 0 R"
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources {fonts} /Contents {content} >>"
        stream = "\n".join(_pdf_shape(one) for one in shapes).encode("latin-1", "replace")
        objects.append(page.encode())
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream))
    return _pdf_file(objects)


def png(cards: Sequence[Card]) -> bytes:
    """The cards as PNG in black and white, for printing at 300 dots an inch."""
    drawn = sheets(cards)
    picture = card_picture.Picture(WIDTH, HEIGHT * len(drawn))
    for number, shapes in enumerate(drawn):
        top = number * HEIGHT
        for one in shapes:
            if isinstance(one, Box):
                picture.box(one.x, one.y + top, one.width, one.height)
            else:
                picture.text(one.x, one.y + top, one.size, one.text)
    return picture.png()


def _sheet(cards: Sequence[Card]) -> Iterator[Shape]:
    for number, card in enumerate(cards):
        top = number * CARD_HEIGHT
        yield from _card(card, top)
        if number + 1 < ON_SHEET:
            for dash in range(int(WIDTH / 6)):
                yield Box(dash * 6.0, top + CARD_HEIGHT, 3.0, 0.2)


def _card(card: Card, top: float) -> Iterator[Shape]:
    rows = qr.modules(card.text)
    module = CODE / len(rows)
    middle = top + (CARD_HEIGHT - CODE) / 2
    for number, row in enumerate(rows):
        for start, length in _runs(row):
            yield Box(MARGIN + start * module, middle + number * module, length * module, module)
    left = MARGIN + CODE + MARGIN
    line = middle + TITLE
    yield Text(left, line, TITLE, card.title)
    for text in card.lines:
        line += NOTE * 1.6
        yield Text(left, line, NOTE, text)
    line += LETTERS
    for text in _letters(card.text):
        line += LETTERS * 1.5
        yield Text(left, line, LETTERS, text, True)


def _letters(text: str) -> Iterable[str]:
    groups = text.split("-")
    for start in range(0, len(groups), GROUPS):
        last = start + GROUPS >= len(groups)
        yield "-".join(groups[start : start + GROUPS]) + ("" if last else "-")


def _runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Start and length of the dark stretches of a row."""
    start: int | None = None
    for position, dark in enumerate((*row, False)):
        if dark and start is None:
            start = position
        elif not dark and start is not None:
            yield start, position - start
            start = None


def _svg_shape(shape: Shape) -> str:
    if isinstance(shape, Box):
        return (
            f'<rect x="{shape.x:.3f}" y="{shape.y:.3f}" width="{shape.width:.3f}" '
            f'height="{shape.height:.3f}" shape-rendering="crispEdges"/>'
        )
    family = "monospace" if shape.fixed else "sans-serif"
    return (
        f'<text x="{shape.x:g}" y="{shape.y:g}" font-size="{shape.size:g}" font-family="{family}">'
        f"{escape(shape.text)}</text>"
    )


def _pdf_shape(shape: Shape) -> str:
    if isinstance(shape, Box):
        bottom = HEIGHT - shape.y - shape.height
        sides = (shape.x, bottom, shape.width, shape.height)
        return " ".join(f"{side * POINT:.3f}" for side in sides) + " re f"
    text = shape.text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    place = f"{shape.x * POINT:.2f} {(HEIGHT - shape.y) * POINT:.2f}"
    return f"BT /{'F2' if shape.fixed else 'F1'} {shape.size * POINT:.1f} Tf {place} Td ({text}) Tj ET"


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, content))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, table))
    return out.getvalue()
