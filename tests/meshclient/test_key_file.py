"""The key file: private, whole, and refused when it is not."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mathmesh.errors import StoreError
from meshclient.key_file import KeyFile, Keys

NOW = datetime(2031, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def keys() -> Keys:
    return Keys.fresh(os.urandom, NOW).with_account("owner", "home@hub.local", os.urandom)


def test_what_is_written_is_read(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "keys.json"
    KeyFile.create(path, keys)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KeyFile.open(path).keys == keys
    assert keys.created == NOW.replace(microsecond=0)
    assert keys.accounts["owner"].address == "home@hub.local"


def test_saving_replaces_the_whole_file(tmp_path: Path, keys: Keys) -> None:
    file = KeyFile.create(tmp_path / "keys.json", keys)
    file.save(replace(keys, complete=True))
    assert file.keys.complete
    assert KeyFile.open(file.path).keys == replace(keys, complete=True)
    assert [one.name for one in tmp_path.iterdir()] == ["keys.json"]


def test_an_umask_does_not_open_it(tmp_path: Path, keys: Keys) -> None:
    before = os.umask(0)
    try:
        KeyFile.create(tmp_path / "keys.json", keys)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666, 0o610])
def test_a_file_that_others_can_read_is_refused_with_the_remedy(
    tmp_path: Path, keys: Keys, mode: int
) -> None:
    path = tmp_path / "keys.json"
    KeyFile.create(path, keys)
    path.chmod(mode)
    with pytest.raises(StoreError, match=f"chmod 600 {path}"):
        KeyFile.open(path)


def test_it_is_never_overwritten_by_a_new_one(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "keys.json"
    KeyFile.create(path, keys)
    with pytest.raises(StoreError, match="exists"):
        KeyFile.create(path, keys)
    assert KeyFile.open_or_create(path, lambda: pytest.fail("made anew")).keys == keys


def test_a_left_over_of_an_interrupted_write_is_removed(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "keys.json"
    KeyFile.create(path, keys)
    (tmp_path / "keys.json.new").write_bytes(path.read_bytes()[:100])
    assert KeyFile.open(path).keys == keys
    assert not (tmp_path / "keys.json.new").exists()


def test_absent_or_a_link_is_refused(tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(StoreError, match="restore it from the backup"):
        KeyFile.open(tmp_path / "keys.json")
    KeyFile.create(tmp_path / "real.json", keys)
    (tmp_path / "keys.json").symlink_to(tmp_path / "real.json")
    with pytest.raises(StoreError, match="cannot be opened"):
        KeyFile.open(tmp_path / "keys.json")


def test_damage_is_told_without_showing_the_content(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "keys.json"
    KeyFile.create(path, keys)
    document = json.loads(path.read_bytes())
    other = Keys.fresh(os.urandom, NOW)
    damaged = [
        b"",
        path.read_bytes()[:-40],
        b"[]",
        json.dumps({**document, "ServiceSeed": document["DeviceSeed"]}).encode(),
        json.dumps({**document, "DeviceSeed": document["DeviceSeed"][:-9] + "!"}).encode(),
        json.dumps({**document, "Accounts": {"owner": {"Seed": other.service_seed}}}).encode(),
        json.dumps({**document, "Created": "yesterday"}).encode(),
        json.dumps({**document, "Version": 2}).encode(),
    ]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(StoreError) as caught:
            KeyFile.open(path)
        assert keys.device_seed not in str(caught.value)
        assert keys.device_seed[:12] not in str(caught.value)


def test_seeds_do_not_show_in_a_representation(keys: Keys) -> None:
    shown = repr(keys)
    for seed in (keys.service_seed, keys.device_seed, keys.accounts["owner"].seed):
        assert seed not in shown
    assert keys.accounts["owner"].activation not in shown
