"""Pictures of labels, as a browser uploads them."""

import io
from collections.abc import Iterable

import segno
from PIL import Image

from meshhub.dashboard.label_image import read_label
from meshhub.dashboard.problems import Problem

LABEL = "mcu://maker@example.com/EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"


def seeds() -> Iterable[bytes]:
    """A label and an empty picture in every format that is read, with and without transparency."""
    for mode, name in (
        ("1", "PNG"),
        ("P", "PNG"),
        ("LA", "PNG"),
        ("L", "JPEG"),
        ("RGBA", "WEBP"),
        ("P", "GIF"),
    ):
        out = io.BytesIO()
        Image.new(mode, (24, 24)).save(out, name)
        yield out.getvalue()
    out = io.BytesIO()
    segno.make(LABEL, error="m").save(out, kind="png", scale=1)
    yield out.getvalue()


def one(data: bytes) -> None:
    """A label is found or a problem is told."""
    try:
        assert read_label(data).startswith("mcu://")
    except Problem:
        pass
