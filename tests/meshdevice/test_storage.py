"""Two copies of a record: whatever octet a crash or a bad block takes, the other copy counts."""

import os
from pathlib import Path

import pytest

from meshdevice.storage import Counter, Pair, StorageError, seal, unseal

OLD = b"the former payload"
NEW = b"the new payload, longer than the former"


def _pair(folder: Path) -> Pair:
    pair = Pair(str(folder), "secrets")
    pair.write(OLD)
    pair.write(NEW)
    return pair


def test_the_newest_payload_is_read(tmp_path: Path) -> None:
    pair = _pair(tmp_path)
    assert pair.read() == NEW
    assert Pair(str(tmp_path), "secrets").read() == NEW
    assert unseal((tmp_path / "secrets.0").read_bytes()) == (1, OLD)
    assert unseal((tmp_path / "secrets.1").read_bytes()) == (2, NEW)


def test_a_third_write_replaces_the_older_copy(tmp_path: Path) -> None:
    pair = _pair(tmp_path)
    pair.write(b"third")
    assert pair.read() == b"third"
    assert unseal((tmp_path / "secrets.1").read_bytes()) == (2, NEW)


@pytest.mark.parametrize(("damaged", "expected"), [("secrets.1", OLD), ("secrets.0", NEW)])
def test_a_copy_cut_at_any_octet_leaves_the_other(tmp_path: Path, damaged: str, expected: bytes) -> None:
    pair = _pair(tmp_path)
    whole = (tmp_path / damaged).read_bytes()
    for length in range(len(whole)):
        (tmp_path / damaged).write_bytes(whole[:length])
        assert pair.read() == expected
        assert not pair.damaged


@pytest.mark.parametrize(("damaged", "expected"), [("secrets.1", OLD), ("secrets.0", NEW)])
def test_a_wrong_octet_anywhere_leaves_the_other(tmp_path: Path, damaged: str, expected: bytes) -> None:
    pair = _pair(tmp_path)
    whole = (tmp_path / damaged).read_bytes()
    for place in range(len(whole)):
        (tmp_path / damaged).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert pair.read() == expected


def test_a_write_after_damage_repairs_the_damaged_copy(tmp_path: Path) -> None:
    pair = _pair(tmp_path)
    (tmp_path / "secrets.1").write_bytes(b"")
    pair.write(b"repaired")
    assert unseal((tmp_path / "secrets.0").read_bytes()) == (1, OLD)
    assert pair.read() == b"repaired"


def test_two_damaged_copies_are_told_apart_from_none(tmp_path: Path) -> None:
    empty = Pair(str(tmp_path), "secrets")
    assert empty.read() is None
    assert not empty.damaged
    pair = _pair(tmp_path)
    for name in ("secrets.0", "secrets.1"):
        (tmp_path / name).write_bytes(b"\0" * 50)
    assert pair.read() is None
    assert pair.damaged


def test_wiping_leaves_nothing_of_either_copy(tmp_path: Path) -> None:
    pair = _pair(tmp_path)
    pair.wipe()
    assert pair.read() is None
    assert not pair.damaged
    left = (tmp_path / "secrets.0").read_bytes() + (tmp_path / "secrets.1").read_bytes()
    assert b"payload" not in left


def test_a_wipe_cut_short_never_brings_the_old_payload_back(tmp_path: Path) -> None:
    pair = _pair(tmp_path)
    (tmp_path / "secrets.0").write_bytes(seal(3, b""))  # the first of the wipe's two writes
    assert pair.read() is None
    pair.finish_wipe()
    assert b"payload" not in (tmp_path / "secrets.1").read_bytes()
    pair.write(b"next owner")
    assert pair.read() == b"next owner"


def test_finishing_a_wipe_touches_no_living_record(tmp_path: Path) -> None:
    pair = _pair(tmp_path)
    pair.finish_wipe()
    assert pair.read() == NEW


def test_a_medium_that_takes_no_more_is_a_storage_error_and_the_old_payload_stays(tmp_path: Path) -> None:
    pair = _pair(tmp_path)
    os.unlink(tmp_path / "secrets.0")
    os.symlink(tmp_path / "absent" / "file", tmp_path / "secrets.0")
    with pytest.raises(StorageError):
        pair.write(b"does not fit")
    os.unlink(tmp_path / "secrets.0")
    assert pair.read() == NEW


def test_a_counter_rises_once_for_each_boot(tmp_path: Path) -> None:
    assert Counter(str(tmp_path), "boot").value() == 0
    assert [Counter(str(tmp_path), "boot").rise() for _ in range(3)] == [1, 2, 3]
    newest = tmp_path / "boot.0"
    newest.write_bytes(newest.read_bytes()[:-1])
    assert Counter(str(tmp_path), "boot").rise() == 3
