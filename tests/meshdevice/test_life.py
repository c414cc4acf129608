"""What ends a life and how the next one begins, with the firmware's own main loop in this process."""

import asyncio
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from meshdevice.adoption import CLAIMED, FREE, PENDING, Adoption
from meshdevice.storage import Counter, Pair
from meshfactory import board, bundle

SECRETS: dict[str, Any] = {
    "psk_run": bytes(range(32)),
    "psk_repair": bytes(range(1, 33)),
    "own": bytes(range(2, 34)),
    "audf": bytes(range(64)),
    "acct": "alice@example.com",
    "scalars": {"authentication": bytes(56)},
    "secrets": {"id": b"0123456789", "wifi": [], "hub": ["mqtt://127.0.0.1:9"], "ca": "", "mq": ["u", "p"]},
}


@pytest.fixture
def firmware(
    tmp_path: Path, identity: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    """meshdevice.app with the simulator's configuration; the unit's flash is tmp_path."""
    config = ModuleType("board_config")
    exec(board.load("simulator").config_source(), config.__dict__)  # noqa: S102  (our own generated text)
    config.__file__ = str(tmp_path / "board_config.py")
    monkeypatch.setitem(sys.modules, "board_config", config)
    monkeypatch.setattr(sys, "argv", ["main.py", str(tmp_path)])
    names = ("app", "life", "life_free", "life_adopted")
    for name in names:
        sys.modules.pop(f"meshdevice.{name}", None)
    bundle.write_identity(tmp_path, identity)
    (tmp_path / "device.json").write_text(json.dumps({"host": "127.0.0.1"}))
    yield importlib.import_module("meshdevice.app")
    for name in names:
        sys.modules.pop(f"meshdevice.{name}", None)


async def _one_life(firmware: ModuleType, folder: Path) -> None:
    """main() as far as the restart of the board, in this loop."""
    adoption = Adoption(str(folder))
    module, name = ("life_free", "FreeLife") if adoption.state == FREE else ("life_adopted", "AdoptedLife")
    life = getattr(importlib.import_module(f"meshdevice.{module}"), name)
    with pytest.raises(SystemExit):
        await life(str(folder), firmware._options(str(folder)), adoption).live()


async def _beside(firmware: ModuleType, folder: Path, act: Callable[[], object]) -> None:
    """A life, with something that happens 0.2 s after its begin."""
    async with asyncio.timeout(5):
        living = asyncio.create_task(_one_life(firmware, folder))
        await asyncio.sleep(0.2)
        act()
        await living


def _status(folder: Path) -> dict[str, Any]:
    status: dict[str, Any] = json.loads((folder / "status.json").read_text())
    return status


async def test_what_stays_pending_is_wiped_and_the_window_stays_shut(
    firmware: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Adoption(str(tmp_path)).hold(SECRETS)
    life_adopted = importlib.import_module("meshdevice.life_adopted")
    monkeypatch.setattr(life_adopted, "PENDING_LIMIT_MS", 300)
    async with asyncio.timeout(5):
        await _one_life(firmware, tmp_path)
    assert Adoption(str(tmp_path)).state == FREE
    living = asyncio.create_task(_one_life(firmware, tmp_path))
    await asyncio.sleep(0.3)
    assert "port" not in _status(tmp_path)
    (tmp_path / "control").write_text("press\n")
    await asyncio.sleep(0.3)
    assert _status(tmp_path)["port"]
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)


async def test_what_is_claimed_stays_so(
    firmware: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adoption = Adoption(str(tmp_path))
    adoption.hold(SECRETS)
    adoption.claim()
    life_adopted = importlib.import_module("meshdevice.life_adopted")
    monkeypatch.setattr(life_adopted, "PENDING_LIMIT_MS", 100)
    living = asyncio.create_task(_one_life(firmware, tmp_path))
    await asyncio.sleep(0.5)
    assert not living.done()
    assert Adoption(str(tmp_path)).state == CLAIMED
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)


@pytest.mark.parametrize("state", [PENDING, CLAIMED])
async def test_ten_seconds_on_the_button_wipe_and_open_the_window(
    firmware: ModuleType, tmp_path: Path, state: str
) -> None:
    adoption = Adoption(str(tmp_path))
    adoption.hold(SECRETS)
    if state == CLAIMED:
        adoption.claim()
    await _beside(firmware, tmp_path, lambda: (tmp_path / "control").write_text("hold10\n"))
    assert Adoption(str(tmp_path)).state == FREE
    assert not (tmp_path / "shut").exists()
    assert Counter(str(tmp_path), "boot").value() == 1
    assert Pair(str(tmp_path), "identity").read()


async def test_a_short_press_switches_a_lamp_by_hand(firmware: ModuleType, tmp_path: Path) -> None:
    living = asyncio.create_task(_one_life(firmware, tmp_path))
    await asyncio.sleep(0.2)
    (tmp_path / "control").write_text("press\n")
    await asyncio.sleep(0.2)
    assert _status(tmp_path)["outputs"] == {"light": 100}
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)


async def test_a_free_unit_with_a_radio_brings_up_its_access_point(
    firmware: ModuleType, tmp_path: Path
) -> None:
    life_free = importlib.import_module("meshdevice.life_free")
    life = life_free.FreeLife(str(tmp_path), {"host": "127.0.0.1"}, Adoption(str(tmp_path)))
    calls: list[tuple[str, ...]] = []
    life.network.open_point = lambda ssid, passphrase: calls.append((ssid, passphrase))
    life.network.close_point = lambda: calls.append(())
    await life._window(True)
    await life._window(False)
    assert calls == [("mesh-bhuwcbrg", "x754rlyzkodczg6oasnj6omd"), ()]


async def test_entropy_is_kept_and_changes_what_is_drawn(firmware: ModuleType, tmp_path: Path) -> None:
    life_free = importlib.import_module("meshdevice.life_free")
    life = life_free.FreeLife(str(tmp_path), {}, Adoption(str(tmp_path)))
    former = life.suite.pool
    life._carry_out([("event", "ent", b"e" * 32)])
    assert Pair(str(tmp_path), "pool").read() == life.suite.pool != former


def test_secrets_that_cannot_be_stored_leave_a_free_device_that_says_so(
    firmware: ModuleType, tmp_path: Path
) -> None:
    life_free = importlib.import_module("meshdevice.life_free")
    adoption = Adoption(str(tmp_path))
    life = life_free.FreeLife(str(tmp_path), {}, adoption)
    (tmp_path / "secrets.0").mkdir()
    told = []
    life._link.store_failed = lambda now: told.append(now) or []
    life._carry_out([("store", "pending", SECRETS), ("send", b"stored", None)])
    assert adoption.state == FREE
    assert len(told) == 1
