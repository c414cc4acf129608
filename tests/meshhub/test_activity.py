from pathlib import Path

import pytest

from mathmesh.errors import StoreError
from meshclient.store_files import SequenceFile
from meshhub.activity import STORE, ActivityLog
from meshhub.events import Activity, EventBus

from .stores import SequenceFolder


async def test_entries_are_sealed_and_come_back_newest_first(tmp_path: Path) -> None:
    folder, bus = SequenceFolder(tmp_path), EventBus()
    with bus.subscribe() as events:
        log = ActivityLog(folder(STORE), bus, lambda: 77)
        await log.record("owner", "set", "MAKA", {"value": "canary-7731"})
        await log.record("device", "clone alarm")
        first = await events.next()
    assert isinstance(first, Activity)
    assert first.detail == {"value": "canary-7731"}
    folder.close()
    again = ActivityLog(folder(STORE), bus, lambda: 78)
    entries = await again.entries()
    assert [(entry.what, entry.time) for entry in entries] == [("clone alarm", 77), ("set", 77)]
    assert entries[1] == first
    assert len(await again.entries(1)) == 1
    folder.close()
    assert b"canary" not in folder.path(STORE).read_bytes()


async def test_a_full_disk_does_not_undo_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, bus = SequenceFolder(tmp_path), EventBus()
    log = ActivityLog(folder(STORE), bus, lambda: 77)

    def full(*_args: object, **_kwargs: object) -> int:
        raise StoreError("no space")

    monkeypatch.setattr(SequenceFile, "append", full)
    await log.record("owner", "set")
    assert await log.entries() == []
    folder.close()
