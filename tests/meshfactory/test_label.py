"""Labels are read back by the decoder the hub uses, and their text is what a person types."""

import io
import re

import pytest
import zxingcpp
from PIL import Image

from mathmesh.codec import udf, uri
from meshfactory import label as labels
from meshfactory.label import Label

CODE = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"


@pytest.fixture
def label() -> Label:
    return Label(title="Mesh <lamp> & co", connect_uri=f"mcu://maker@example.com/{CODE}", serial="L-0001")


def test_png_is_read_back_by_a_camera_decoder(label: Label) -> None:
    picture = Image.open(io.BytesIO(labels.to_png(label)))
    found = zxingcpp.read_barcodes(picture)
    assert [one.text for one in found] == [label.connect_uri]


def test_png_has_the_printed_size(label: Label) -> None:
    picture = Image.open(io.BytesIO(labels.to_png(label)))
    dots = picture.info["dpi"]
    assert [round(pixels / dot * 25.4) for pixels, dot in zip(picture.size, dots, strict=True)] == [62, 29]


def test_qr_is_byte_mode_level_m_and_twenty_millimetres(label: Label) -> None:
    code = labels._qr(label)
    assert (code.mode, code.error) == ("byte", "M")
    svg = labels.to_svg(label).decode()
    unit = float(re.search(r"scale\(([\d.]+)\)", svg).group(1))
    assert unit * (len(code.matrix) + 2 * labels.QUIET_ZONE) == pytest.approx(20, abs=0.01)


def test_svg_draws_the_same_modules_as_the_qr(label: Label) -> None:
    svg = labels.to_svg(label).decode()
    drawn = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg)}
    dark = {
        (x + labels.QUIET_ZONE, y + labels.QUIET_ZONE)
        for y, row in enumerate(labels._qr(label).matrix)
        for x, module in enumerate(row)
        if module
    }
    assert drawn == dark


def test_text_on_the_label_is_the_code_that_is_typed(label: Label) -> None:
    svg = labels.to_svg(label).decode()
    printed = "-".join(re.findall(r'font-family="monospace">([^<]+)<', svg))
    assert printed == CODE
    assert udf.parse(printed) == udf.parse(uri.parse_mcu(label.connect_uri)[1])
    assert "Mesh &lt;lamp&gt; &amp; co" in svg
