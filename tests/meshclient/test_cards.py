"""Cards of shares: what is printed can be read again, by a camera and by a person."""

from __future__ import annotations

import io
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from mathmesh.errors import EncodingError
from meshclient import cards
from meshclient.cards import Card

SHARES = [
    "SAQM-EG2W-CVKO-AJBB-XKKZ-4XTZ-LOVJ-4NL7-34SJ-SMMH-B2YV-TW57-BKXP-FBFO-HY4Q",
    "SAQ3-YNNJ-4PXH-EF5A-7PCW-QZVS-2GFT-AWCC-V7LM-SCAM-FUHN-EDCY-HWOJ-YBJJ-OFEQ",
    "SARL-MT75-WKEA-ICZA-HT2T-E3XM-I5V4-E6YF-QCEP-RXUR-JNWE-UPHR-OCFE-LBNE-URMQ",
    "SARZ-MT75-WKEA-ICZA-HT2T-E3XM-I5V4-E6YF-QCEP-RXUR-JNWE-UPHR-OCFE-LBNE-URMQ",
]
CARDS = [
    Card(title=f"Share {number}", lines=("alice@example.com", "A (B) \\ <C>"), text=share)
    for number, share in enumerate(SHARES)
]


def codes(picture: Image.Image) -> list[str]:
    """What a camera reads, from top to bottom."""
    found = zxingcpp.read_barcodes(picture.convert("L"))
    return [one.text for one in sorted(found, key=lambda one: one.position.top_left.y)]


def test_a_picture_is_read() -> None:
    picture = Image.open(io.BytesIO(cards.png(CARDS)))
    assert picture.size == (2480, 7016)
    assert codes(picture) == SHARES


def test_a_document_is_read(tmp_path: Path) -> None:
    ghostscript = shutil.which("gs")
    if ghostscript is None:
        pytest.skip("Ghostscript is not installed")
    path = tmp_path / "cards.pdf"
    cards.write(path, CARDS)
    command = [ghostscript, "-q", "-sDEVICE=pnggray", "-r150", f"-sOutputFile={tmp_path}/page-%d.png"]
    done = subprocess.run(
        [*command, "-dBATCH", "-dNOPAUSE", "-dSAFER", str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout + done.stderr == ""
    pages = sorted(tmp_path.glob("page-*.png"))
    assert [one for page in pages for one in codes(Image.open(page))] == SHARES
    text = [ghostscript, "-q", "-sDEVICE=txtwrite", "-sOutputFile=-", "-dBATCH", "-dNOPAUSE", str(path)]
    printed = subprocess.run(text, capture_output=True, text=True, check=True).stdout
    assert "A (B) \\ <C>" in printed
    assert [share for share in SHARES if share in re.sub(r"-\s+", "-", printed)] == SHARES


def test_a_drawing_is_read() -> None:
    """The rectangles of each code, drawn again."""
    drawing = cards.svg(CARDS).decode()
    assert "A (B) \\ &lt;C&gt;" in drawing
    picture = Image.new("L", (2100, 5940), 255)
    for top, sheet in enumerate(drawing.split("<g ")[1:]):
        for x, y, width, height in re.findall(
            r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', sheet
        ):
            left, upper = float(x) * 10, float(y) * 10 + top * 2970
            size = (round(float(width) * 10) or 1, round(float(height) * 10) or 1)
            picture.paste(0, (round(left), round(upper), round(left) + size[0], round(upper) + size[1]))
    assert codes(picture) == SHARES


@pytest.mark.parametrize(
    ("make", "begins"), [(cards.png, b"\x89PNG"), (cards.pdf, b"%PDF"), (cards.svg, b"<svg")]
)
def test_the_name_tells_the_format(
    tmp_path: Path, make: Callable[[Sequence[Card]], bytes], begins: bytes
) -> None:
    path = tmp_path / f"cards.{make.__name__.upper()}"
    cards.write(path, CARDS[:1])
    assert path.read_bytes() == make(CARDS[:1])
    assert path.read_bytes().startswith(begins)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_other_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match="neither in"):
        cards.write(tmp_path / "cards.html", CARDS)
    assert list(tmp_path.iterdir()) == []


def test_three_stand_on_a_sheet() -> None:
    titles = [[one.text for one in sheet if isinstance(one, cards.Text)] for sheet in cards.sheets(CARDS)]
    assert [sum(text.startswith("Share") for text in sheet) for sheet in titles] == [3, 1]
