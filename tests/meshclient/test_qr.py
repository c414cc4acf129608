import io
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from mathmesh.codec import udf, uri
from mathmesh.errors import EncodingError
from mathmesh.keys import digest
from meshclient import qr

KEY = udf.text(udf.ENCRYPTION, bytes(range(15)))
DIGEST = digest.content_digest(b"policy", "text/plain")
TEXTS = [
    (KEY, KEY),
    (KEY.lower().replace("-", ""), KEY),
    (f"MCU://Maker@Example.COM/{KEY.lower()}", f"mcu://maker@example.com/{KEY}"),
    (f"udf:{KEY}", f"udf:{KEY}"),
    (f"udf://example.com/{KEY}?a=b#c", f"udf://example.com/{KEY}?a=b#c"),
    (uri.sin_address("alice", "example.com", DIGEST, True), f"alice@mm--{DIGEST.lower()}.example.com"),
    (udf.text(udf.SHARE, bytes(36)), udf.text(udf.SHARE, bytes(36))),
]


def read(image: Image.Image) -> list[str]:
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [one.text for one in found]


@pytest.mark.parametrize(("text", "held"), TEXTS)
def test_png_is_read_back(text: str, held: str) -> None:
    assert read(Image.open(io.BytesIO(qr.png(text))).convert("L")) == [held]


@pytest.mark.parametrize(("text", "held"), TEXTS[:3])
def test_terminal_shows_the_same_modules(text: str, held: str) -> None:
    lines = qr.terminal(text).replace("\x1b[30;107m", "").replace("\x1b[0m", "").split("\n")
    halves = {" ": (255, 255), "▀": (0, 255), "▄": (255, 0), "█": (0, 0)}
    image = Image.new("L", (len(lines[0]), 2 * len(lines)), 255)
    for y, line in enumerate(lines):
        for x, character in enumerate(line):
            for half, shade in enumerate(halves[character]):
                image.putpixel((x, 2 * y + half), shade)
    assert read(image.resize((8 * image.width, 8 * image.height), Image.Resampling.NEAREST)) == [held]


def test_files_by_their_ending(tmp_path: Path) -> None:
    qr.write(tmp_path / "code.svg", KEY)
    size = len(qr.modules(KEY)) + 2 * qr.QUIET_ZONE
    assert f'viewBox="0 0 {size} {size}"' in (tmp_path / "code.svg").read_text()
    qr.write(tmp_path / "code.PNG", KEY)
    assert read(Image.open(tmp_path / "code.PNG").convert("L")) == [KEY]
    with pytest.raises(EncodingError):
        qr.write(tmp_path / "code.gif", KEY)


def test_a_udf_makes_the_smaller_code() -> None:
    assert len(qr.modules(KEY)) < len(qr.modules(f"mcu://maker@example.com/{KEY}"))


@pytest.mark.parametrize("text", ["", "hello world", "udf:", "mcu://a@b", "https://example.com", "A" * 600])
def test_only_what_the_mesh_names(text: str) -> None:
    with pytest.raises(EncodingError):
        qr.canonical(text)
