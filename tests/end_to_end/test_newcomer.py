"""What a newcomer does with the demo: look, switch, add, rename, pull the plug, go on."""

import re
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import RunningHub  # type: ignore[import-not-found]

pytestmark = pytest.mark.slow


def _values(device: dict[str, Any]) -> dict[str, Any]:
    return {one["property"]: one["value"] for one in device["properties"]}


def test_from_first_start_to_power_cut_and_back(hub: "RunningHub") -> None:
    hub.start("--demo")
    with urllib.request.urlopen(hub.dashboard.split("#")[0]) as page:  # noqa: S310
        assert page.status == 200

    lamp = hub.wait_online("lamp")
    assert lamp["room"] == "Kitchen"
    answer = hub.json("set", "kitchen lamp", "on=true", "level=40")
    assert answer["values"] == {"light.on": True, "light.level": 40}
    hub.json("get", "lamp")

    picture = hub.data / "demo" / "climate" / "label.png"
    hub.run("add", str(picture), "--yes", "--name", "zebrafish", "--room", "Kitchen")
    hub.wait_online("zebrafish")
    hub.run("rename", "zebrafish", "window", "--room", "Hall")
    assert hub.device("window")["room"] == "Hall"

    def readings() -> list[Any]:
        return hub.json("history", "window", "--since", "1h")["readings"]

    end = time.monotonic() + 30
    while not readings():
        assert time.monotonic() < end
        time.sleep(0.5)
    before = readings()
    hub.kill()
    time.sleep(3)
    assert not [line for line in hub.processes() if "mosquitto" in line or "meshhub" in line]

    hub.start("--demo")
    hub.wait_online("lamp")
    hub.wait_online("window")
    assert hub.device("window")["room"] == "Hall"
    after = readings()
    assert [one for one in before if not any(_same(one, other) for other in after)] == []
    assert hub.json("set", "lamp", "on=false")["values"] == {"light.on": False}

    told = _told_to_processes(hub)
    assert "MQTT" not in told, "no password is handed over by environment"
    assert [word for word in ("zebrafish", "window", "Hall", *_secrets(hub)) if word in told] == []

    assert hub.stop() == 0
    time.sleep(1)
    assert hub.processes() == []
    plain = [path for path in _readable(hub) if b"zebrafish" in path.read_bytes()]
    assert plain == []


def _told_to_processes(hub: "RunningHub") -> str:
    """Command lines and environments of the hub and everything it started."""
    told = ""
    for pid in hub.pids():
        for name in ("cmdline", "environ"):
            told += Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
    assert "mosquitto" in told or "amqtt" in hub.json("status")["broker"]
    return told


def _secrets(hub: "RunningHub") -> list[str]:
    return re.findall(r"ZAA[A-Z][-A-Z2-7]{20,}", (hub.data / "keys.json").read_text())


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """The same reading; what was not on disk yet comes again, dated by a new exchange of clocks."""
    return (one["property"], one["value"]) == (other["property"], other["value"]) and abs(
        one["time"] - other["time"]
    ) < 500


def _readable(hub: "RunningHub") -> list[Any]:
    """Everything of the hub on disk; demo/ is the flash of the devices themselves."""
    files = [path for path in hub.data.rglob("*") if path.is_file() and "demo" not in path.parts]
    return [*files, hub.log]
