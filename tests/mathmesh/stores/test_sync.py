"""What one copy lacks of another, and frame 0 that both begin with."""

from __future__ import annotations

import hashlib

import pytest

from mathmesh.dare.envelope import Envelope
from mathmesh.stores.first_frame import first_frame, is_first_frame, is_ours
from mathmesh.stores.sync import Diverged, Missing, StoreStatus, missing

A, B = b"a" * 64, b"b" * 64


def status(count: int, apex: bytes | None = A) -> StoreStatus:
    return StoreStatus(count=count, apex=apex)


def test_what_is_missing() -> None:
    ours = {"x": status(2, B), "y": status(3), "only here": status(9)}
    theirs = {"x": status(5), "y": status(3), "new": status(1, None)}
    assert list(missing(ours, theirs)) == [
        Missing(store="x", start=2, stop=5, apex=A),
        Missing(store="new", start=0, stop=1, apex=None),
    ]


@pytest.mark.parametrize(
    ("ours", "text"),
    [(status(4), "3 frames of x and had 4 before"), (status(3, B), "altered")],
    ids=["longer", "other digest"],
)
def test_two_histories_are_told_apart(ours: StoreStatus, text: str) -> None:
    with pytest.raises(Diverged, match=text):
        list(missing({"x": ours}, {"x": status(3)}))


def test_a_store_without_a_tree_is_compared_by_length() -> None:
    assert not list(missing({"x": status(3, None)}, {"x": status(3)}))


def test_frame_0_is_always_the_same() -> None:
    frame = first_frame()
    assert frame == first_frame()
    assert is_first_frame(frame)
    assert is_ours(frame)
    empty = hashlib.sha512(b"").digest()
    assert frame.merged()["SequenceInfo"]["ContainerType"] == "Merkle"
    leaf = hashlib.sha512(bytes(64) + empty).digest()
    from mathmesh.codec import b64

    assert b64.decode(frame.merged()["TreeDigest"]) == leaf


@pytest.mark.parametrize(
    ("info", "body", "first", "ours"),
    [
        ({"Index": 0, "ContainerType": "List"}, b"", True, False),
        ({"Index": 0, "ContainerType": "Merkle"}, b"x", True, False),
        ({"Index": 1}, b"", False, False),
        ("nonsense", b"", False, None),
    ],
)
def test_other_frames(info: object, body: bytes, first: bool, ours: bool | None) -> None:
    frame = Envelope({"SequenceInfo": info}, body)
    assert is_first_frame(frame) is first
    if ours is not None:
        assert is_ours(frame) is ours
