"""The stored state: each step is one write, and a wipe leaves nothing."""

from pathlib import Path
from typing import Any

import pytest

from meshdevice.adoption import CLAIMED, FREE, PENDING, Adoption
from meshdevice.storage import StorageError

HELD: dict[str, Any] = {
    "psk_run": b"r" * 32,
    "psk_repair": b"p" * 32,
    "own": b"o" * 32,
    "audf": b"a" * 64,
    "acct": "alice@example.com",
    "scalars": {"authentication": b"s" * 56},
    "secrets": {
        "id": b"0123456789",
        "wifi": [["home", "canary-password"]],
        "hub": ["mqtt://h:1"],
        "mq": ["u", "p"],
    },
    "ent": b"e" * 32,
}


def _files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_free_pending_claimed_and_free_again(tmp_path: Path) -> None:
    adoption = Adoption(str(tmp_path))
    assert (adoption.state, adoption.damaged) == (FREE, False)
    adoption.hold(HELD)
    for read in (adoption, Adoption(str(tmp_path))):
        assert read.state == PENDING
        assert (read.psk_run, read.psk_repair, read.own) == (b"r" * 32, b"p" * 32, b"o" * 32)
        assert (read.audf, read.acct, read.topic_id) == (b"a" * 64, "alice@example.com", b"0123456789")
        assert read.scalars == {"authentication": b"s" * 56}
        assert read.secrets["wifi"] == [["home", "canary-password"]]
    adoption.claim()
    assert Adoption(str(tmp_path)).state == CLAIMED
    adoption.wipe()
    assert Adoption(str(tmp_path)).state == FREE
    assert adoption.psk_run == b""
    assert b"canary" not in _files(tmp_path)


def test_the_newest_copy_lost_brings_back_the_state_before(tmp_path: Path) -> None:
    adoption = Adoption(str(tmp_path))
    adoption.hold(HELD)
    adoption.claim()
    (tmp_path / "secrets.1").write_bytes(b"torn")
    assert Adoption(str(tmp_path)).state == PENDING


def test_a_device_that_cannot_store_stays_free(tmp_path: Path) -> None:
    adoption = Adoption(str(tmp_path / "absent"))
    with pytest.raises(StorageError):
        adoption.hold(HELD)
    assert adoption.state == FREE


def test_both_copies_damaged_is_free_and_told(tmp_path: Path) -> None:
    Adoption(str(tmp_path)).hold(HELD)
    (tmp_path / "secrets.0").write_bytes(b"torn")
    adoption = Adoption(str(tmp_path))
    assert (adoption.state, adoption.damaged) == (FREE, True)


def test_claiming_what_is_not_pending_writes_nothing(tmp_path: Path) -> None:
    Adoption(str(tmp_path)).claim()
    assert not list(tmp_path.iterdir())
