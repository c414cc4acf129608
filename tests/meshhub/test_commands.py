import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from meshhub.commands import Commander
from meshhub.errors import OFFLINE, REFUSED, TIMEOUT, VALUE, DeviceError
from meshhub.registry import DeviceRecord
from meshlink.record import LinkError

DESCRIPTION = {
    "d": 1,
    "v": 1,
    "m": "mesh/x",
    "n": {
        "left": {"k": "light", "p": {"on": ["b", "w"], "level": ["i", "w"]}},
        "right": {"k": "switch", "p": {"on": ["b", "w"]}},
        "air": {"k": "sensor", "p": {"temperature": ["f", "r"]}},
        "blind": {"k": "cover", "p": {"move": ["e", "w"]}},
    },
}
DEVICE = DeviceRecord(udf="MAKA", name="lamp", room="Kitchen", description=DESCRIPTION)


class Wire:
    """A device that answers as told; `sent` is what it got."""

    def __init__(self, answer: Any = 0):
        self.answer = answer
        self.sent: list[tuple[str, str, object]] = []
        self.notes: list[Mapping[str, object]] = []
        self.commander = Commander(self.send, self.record, seconds=0.2)

    async def send(
        self, device: str, node: str, prop: str, value: object, *, expires: int, allow: bool
    ) -> bytes:
        assert (device, expires, allow) == ("MAKA", 10_000, True)
        if isinstance(self.answer, Exception):
            raise self.answer
        self.sent.append((node, prop, value))
        identifier = bytes([len(self.sent)]) * 8
        if self.answer is not None:
            result = {"id": identifier, "c": self.answer, "v": value}
            asyncio.get_running_loop().call_soon(self.commander.result, "MAKA", result)
        return identifier

    async def record(self, who: str, what: str, device: str, detail: Mapping[str, object]) -> None:
        self.notes.append({"who": who, "what": what, "device": device} | dict(detail))


async def test_results_are_the_devices_own() -> None:
    wire = Wire()
    assert await wire.commander.set(DEVICE, {"left.on": True, "level": 40}) == {
        "left.on": True,
        "left.level": 40,
    }
    assert wire.sent == [("left", "on", True), ("left", "level", 40)]
    assert wire.notes[0] == {
        "who": "owner",
        "what": "set",
        "device": "MAKA",
        "property": "left.on",
        "value": True,
        "outcome": "done",
    }


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"on": True}, "left.on, right.on"),
        ({"colour": 1}, "colour is not a property"),
        ({"left.on": 1}, "true or false"),
        ({"left.level": 101}, "0:100"),
        ({"left.level": True}, "whole number"),
        ({"temperature": 20.0}, "read only"),
        ({"move": "sideways"}, "open,close,stop"),
        ({"left.on": True, "move": "sideways"}, "open,close,stop"),
    ],
)
async def test_what_does_not_fit_is_not_sent(values: dict[str, object], says: str) -> None:
    wire = Wire()
    with pytest.raises(DeviceError, match=says) as caught:
        await wire.commander.set(DEVICE, values)
    assert caught.value.kind == VALUE
    assert "left.on" in caught.value.candidates
    assert wire.sent == []


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (None, TIMEOUT, None),
        (53, REFUSED, 53),
        (999, REFUSED, 999),
        (LinkError(4, "used up"), OFFLINE, None),
        (DeviceError("away", kind=OFFLINE), OFFLINE, None),
    ],
)
async def test_failures_have_a_kind(answer: Any, kind: str, code: int | None) -> None:
    wire = Wire(answer)
    with pytest.raises(DeviceError) as caught:
        await wire.commander.set(DEVICE, {"left.on": True})
    assert (caught.value.kind, caught.value.code) == (kind, code)
    assert wire.notes[-1]["outcome"] == kind


async def test_a_late_or_foreign_result_is_nobodys() -> None:
    wire = Wire(None)
    waiting = asyncio.create_task(wire.commander.set(DEVICE, {"left.on": True}))
    await asyncio.sleep(0.05)
    wire.commander.result("OTHER", {"id": bytes([1]) * 8, "c": 0, "v": False})
    wire.commander.result("MAKA", {"id": bytes(8), "c": 0, "v": False})
    assert not waiting.done()
    wire.commander.result("MAKA", {"id": bytes([1]) * 8, "c": 0, "v": True})
    wire.commander.result("MAKA", {"id": bytes([1]) * 8, "c": 0, "v": False})
    assert await waiting == {"left.on": True}
    wire.commander.result("MAKA", {"id": bytes([1]) * 8, "c": 0, "v": False})
