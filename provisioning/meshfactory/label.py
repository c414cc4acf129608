"""The label of a device: its static QR and its code in text, as SVG and PNG (protocol book, "Identity").

The QR is printed 20 mm wide at error level M in byte mode; the code below it is what a person types when
there is no camera. A label *is* the key of a free device: whoever has seen it can adopt the device while its
window is open.
"""

import io
from dataclasses import dataclass
from xml.sax.saxutils import escape

import segno
from PIL import Image, ImageDraw, ImageFont

from mathmesh.codec import uri

QR_MM = 20.0
QUIET_ZONE = 4
LABEL_MM = (62.0, 29.0)
DPI = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is printed: `title` and `serial` for people, `connect_uri` (`mcu://maker@domain/E…`) for the
    camera.
    """

    title: str
    connect_uri: str
    serial: str = ""

    @property
    def code(self) -> str:
        """The typed form: the key's UDF text, 26 characters in dashed groups of four."""
        return uri.parse_mcu(self.connect_uri)[1]

    @property
    def maker(self) -> str:
        """The maker's account address, printed small: it tells two makers' labels apart."""
        return uri.parse_mcu(self.connect_uri)[0]


def to_svg(label: Label) -> bytes:
    """The label as SVG of 62 mm × 29 mm, text as text."""
    matrix = _qr(label).matrix
    modules = len(matrix) + 2 * QUIET_ZONE
    unit = QR_MM / modules
    squares = "".join(
        f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h1v1h-1z"
        for y, row in enumerate(matrix)
        for x, dark in enumerate(row)
        if dark
    )
    width, height = LABEL_MM
    top = (height - QR_MM) / 2
    lines = "".join(
        f'<text x="{QR_MM + 5:g}" y="{y:g}" font-size="{size:g}" font-family="{family}">{escape(text)}</text>'
        for y, size, family, text in _lines(label)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label.title)} label">'
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>'
        f'<g transform="translate(2.5 {top:g}) scale({unit:.6f})"><path fill="#000" d="{squares}"/></g>'
        f"{lines}</svg>\n"
    ).encode()


def to_png(label: Label) -> bytes:
    """The label as PNG at 300 dpi, every QR module a whole number of pixels."""
    pixels_mm = DPI / 25.4
    modules = len(_qr(label).matrix) + 2 * QUIET_ZONE
    scale = max(1, round(QR_MM * pixels_mm / modules))
    code = io.BytesIO()
    _qr(label).save(code, kind="png", scale=scale, border=QUIET_ZONE)
    picture = Image.new("L", (round(LABEL_MM[0] * pixels_mm), round(LABEL_MM[1] * pixels_mm)), 255)
    square = Image.open(code).convert("L")
    picture.paste(square, (round(2.5 * pixels_mm), (picture.height - square.height) // 2))
    draw = ImageDraw.Draw(picture)
    for y, size, _family, text in _lines(label):
        font = ImageFont.load_default(size * pixels_mm)
        draw.text(((QR_MM + 5) * pixels_mm, y * pixels_mm), text, fill=0, font=font, anchor="ls")
    out = io.BytesIO()
    picture.save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()


def _qr(label: Label) -> segno.QRCode:
    return segno.make(label.connect_uri, error="m", boost_error=False, micro=False, mode="byte")


def _lines(label: Label) -> list[tuple[float, float, str, str]]:
    """(baseline in mm, size in mm, font family, text) of each printed line."""
    groups = label.code.split("-")
    lines = [
        (7.0, 3.2, "sans-serif", label.title),
        (13.0, 3.0, "monospace", "-".join(groups[:4])),
        (17.0, 3.0, "monospace", "-".join(groups[4:])),
        (22.0, 2.2, "sans-serif", label.maker),
    ]
    if label.serial:
        lines.append((25.5, 2.2, "sans-serif", label.serial))
    return lines
