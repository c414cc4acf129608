"""Codes on pictures."""

import io

import pytest
import segno
from PIL import Image

from meshhub.dashboard import label_image
from meshhub.dashboard.label_image import MAX_OCTETS, read_label
from meshhub.dashboard.problems import Problem

LABEL = "mcu://maker@hub.local/EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"
OTHER = "mcu://maker@hub.local/EDQF-7KXK-WNDR-DB6X-WQ3V-7QGQ-VQ"


def code(text: str, scale: int = 6) -> Image.Image:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="png", scale=scale, border=4)
    return Image.open(out).convert("RGB")


def octets(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def photo(*texts: str, turn: float = 7, size: tuple[int, int] = (2400, 1800)) -> Image.Image:
    image = Image.new("RGB", size, (150, 140, 130))
    for number, text in enumerate(texts):
        image.paste(
            code(text).rotate(turn, expand=True, fillcolor=(150, 140, 130)), (200 + 900 * number, 300)
        )
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_label_is_read_from_every_format(kind):
    assert read_label(octets(code(LABEL), kind)) == LABEL


@pytest.mark.parametrize("turn", [0, 7, 93, 180])
def test_a_label_is_read_from_a_photo_at_any_angle(turn):
    assert read_label(octets(photo(LABEL, turn=turn), "JPEG")) == LABEL


def test_a_transparent_picture_counts_as_white():
    clear = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    label = code(LABEL).convert("L")
    clear.paste(Image.new("RGBA", label.size, "black"), (20, 20), label.point(lambda grey: 255 - grey))
    assert read_label(octets(clear)) == LABEL


def test_the_same_label_twice_is_one_label():
    assert read_label(octets(photo(LABEL, LABEL))) == LABEL


def test_a_foreign_code_beside_the_label_does_not_matter():
    assert read_label(octets(photo("https://example.com", LABEL))) == LABEL


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-an-image"),
        (octets(code(LABEL))[:200], "not-an-image"),
        (octets(code(LABEL), "BMP"), "not-an-image"),
        (bytes(MAX_OCTETS + 1), "image-too-large"),
        (octets(Image.new("RGB", (300, 300), "white")), "no-code"),
        (octets(Image.new("1", (1, 1))), "no-code"),
        (octets(code("https://example.com/")), "not-a-label"),
        (octets(code("mcu://maker@hub.local/EDRL")), "not-a-label"),
        (octets(photo(LABEL, OTHER)), "several-codes"),
    ],
)
def test_other_pictures_are_refused_with_their_reason(data, kind):
    with pytest.raises(Problem) as raised:
        read_label(data)
    assert raised.value.kind == kind


def test_a_small_file_of_many_pixels_is_refused_before_it_is_decoded(monkeypatch):
    bomb = octets(Image.new("1", (9000, 8000)))
    assert len(bomb) < 100_000
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("decoded"))
    with pytest.raises(Problem) as raised:
        read_label(bomb)
    assert raised.value.kind == "image-too-large"
    assert label_image.MAX_PIXELS < 9000 * 8000


def test_pillow_s_own_guard_is_told_the_same_way():
    with pytest.raises(Problem) as raised:
        read_label(octets(Image.new("1", (20_000, 10_000))))
    assert raised.value.kind == "image-too-large"
