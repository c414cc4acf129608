"""Attacks by a device that was adopted properly and then turns on its hub: it holds all its keys."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mathmesh.errors import MeshError
from meshclient.store_files import SequenceFile
from meshhub import telemetry as telemetry_module
from meshhub.disk import DiskReserve
from meshhub.events import EventBus
from meshhub.link_suite import HubSuite
from meshhub.quota import Limits
from meshhub.reported import Reported
from meshhub.telemetry import Telemetry
from meshhub.telemetry_intake import Intake
from meshlink import description as descriptions
from meshlink import messages
from meshlink.record import LinkError
from meshlink.ring import Ring
from meshlink.run_device import DeviceRun
from meshlink.run_hub import HubRun

NOW = 1_795_346_000_000
DESCRIPTION: dict[str, Any] = {
    "d": 1,
    "v": 1,
    "m": "maker/box",
    "n": {
        "light": {"k": "light", "p": {"on": ["b", "w"], "level": ["i", "w", "0:100", "%"]}},
        "air": {"k": "sensor", "p": {"temperature": ["f", "r", "", "°C"]}},
    },
}
KEYS: dict[str, Any] = {
    "account_udf": bytes(range(64)),
    "topic_id": b"0123456789",
    "psk": bytes(range(100, 132)),
    "description": DESCRIPTION,
}


class Pair:
    """The device's end, which says anything at all, and the hub's, with a confirmed session."""

    def __init__(self) -> None:
        suite = HubSuite(os.urandom)
        udf = bytes(range(1, 65))
        ring = Ring(1)
        self.hub = HubRun(suite, device_udf=udf, **KEYS)
        self.device = DeviceRun(suite, udf=udf, boot=1, ring=ring, state="CLAIMED", now=0, **KEYS)
        [(_, init, _)] = self.device.start(0)
        [(_, reply, _)] = self.hub.receive(init, NOW)
        for effect in self.device.receive(reply, 0):
            if effect[0] == "send":
                self.hub.receive(effect[1], NOW)
        assert self.hub.online

    def says(self, t: str, members: dict[str, Any]) -> list[tuple[Any, ...]]:
        """What the hub makes of a message."""
        [(_, octets, _)] = self.device._say(t, members, 1000)
        return list(self.hub.receive(octets, NOW + 1000))


@pytest.mark.parametrize(
    "entry",
    [
        [10**39, 1, 2, None],
        [1, 10**39, 10**39, None],
        [1, 1, 2, 10**39],
        [1, 1, 2, -1],
        [True, 1, 2, None],
        [1, 1, 2],
        ["1", 1, 2, None],
        [1, 1, 2, 0.5],
    ],
)
def test_numbers_beyond_all_limits_in_what_a_device_holds_are_malformed(entry: list[object]) -> None:
    """Such a number once reached the index on disk, which cannot hold it, and stopped the hub for ever."""
    pair = Pair()
    effects = pair.says("ready", {"st": "CLAIMED", "up": 5, "ring": [entry]})
    assert [effect[0] for effect in effects] == ["send"]
    [answer] = [
        event[2] for event in pair.device.receive(effects[0][1], 1001) if event[:2] == ("event", "err")
    ]
    assert answer["c"] == messages.FORMAT


def test_what_is_known_of_boots_does_not_grow_with_what_a_device_says() -> None:
    pair = Pair()
    for first in range(0, 5_000, 100):
        ring = [[boot, 1, 1, NOW] for boot in range(first, first + 100)]
        assert pair.says("ready", {"st": "CLAIMED", "up": 5, "ring": ring})[0][:2] == ("event", "ready")
    assert len(pair.hub._origins) <= 101


def test_the_start_of_the_present_boot_is_told_once() -> None:
    pair = Pair()
    pair.says("ready", {"st": "CLAIMED", "up": 5, "ring": []})
    pair.says("ready", {"st": "CLAIMED", "up": 900, "ring": []})
    [(_, _, told)] = pair.says("tel", {"b": 1, "s": 1, "r": [[0, "air", "temperature", 1.0]]})
    assert told["t0"] == NOW


def test_a_device_that_is_served_no_longer_gets_no_answer_and_breaks_nothing() -> None:
    pair = Pair()
    other = Pair()
    [(_, init, _)] = other.device._begin_try(5)
    pair.hub.erase()
    assert pair.hub.receive(init, NOW + 2000) == []


def _described(kind: object = "sensor", **changes: Any) -> dict[str, Any]:
    prop = changes.get("prop", ["f", "r", "", "°C"])
    node = {"k": kind, "p": {"temperature": prop}}
    return {"d": 1, "v": 1, "m": changes.get("model", "maker/box"), "n": {"air": node}}


@pytest.mark.parametrize(
    "description",
    [
        _described(prop=["f", "r", "nan:nan"]),
        _described(prop=["f", "r", "0:inf"]),
        _described(prop=["f", "r", "0:1e999"]),
        _described(prop=["f", "r", "5:1"]),
        _described(prop=["f", "r", "", "\x1b[2J"]),
        _described(prop=["f", "r", "", "\x9b2J"]),
        _described(model="box\x07"),
        _described(kind=["sensor"]),
        _described(kind=None),
    ],
    ids=["nan", "inf", "too large", "upside down", "escape", "8-bit escape", "bell", "list", "none"],
)
def test_a_description_that_would_break_who_shows_it_is_refused(description: dict[str, Any]) -> None:
    """A limit that is no number made every answer of the API unreadable to the page."""
    with pytest.raises(LinkError):
        descriptions.check(description)


@pytest.mark.parametrize(
    "row",
    [
        [0, "air", "humidity", 1.0],
        [0, "\x1b[2J", "temperature", 1.0],
        [0, "air", "temperature", "warm"],
        [0, "air", "temperature", True],
        [0, "light", "on", 1],
        [0, "light", "on", "<b>"],
    ],
)
def test_readings_of_what_the_device_does_not_have_are_not_taken(row: list[object]) -> None:
    """Else each new name took memory for good, and reached the terminal as it came."""
    reported = Reported(DESCRIPTION)
    reported.check(
        [[0, "air", "temperature", 21.5], [1, "air", "temperature", None], [2, "light", "on", True]]
    )
    with pytest.raises(MeshError):
        reported.check([row])


@pytest.fixture
async def telemetry(tmp_path: Path) -> AsyncIterator[Telemetry]:
    opened = []

    def open_sequence(name: str) -> SequenceFile:
        opened.append(SequenceFile.create(tmp_path / f"{name}.dcon", entropy=os.urandom))
        return opened[-1]

    async def receipt(*_: object) -> None: ...

    events = EventBus()
    made = Telemetry(
        index=tmp_path / "index.sqlite",
        open_sequence=open_sequence,
        events=events,
        receipt=receipt,
        is_event=lambda *_: False,
        clock=lambda: NOW,
        batch_seconds=60,
        batch_readings=64,
        intake=Intake(events, DiskReserve(tmp_path, 0), Limits(), clock=lambda: NOW),
    )
    yield made
    await made.close()
    for sequence in opened:
        sequence.close()


async def test_losses_that_a_device_invents_do_not_fill_the_memory(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry_module, "MOST_PENDING", 50)
    device = "MAKA-ZJVW-RQHG-L36U-JVQX-JVCB-IEZY"
    await telemetry.open(device)
    for boot in range(200):
        await telemetry.lost(device, boot, 1, 1)
    assert len(telemetry._devices[device].gaps) <= 50
