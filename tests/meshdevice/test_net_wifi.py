"""Joining a Wi-Fi network: every status of either chip becomes its error code within the limit.

No radio is to be had here: the `network` module is a double with the constants of the two ports' documents.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

ESP32 = {
    "STAT_CONNECTING": 1001,
    "STAT_NO_AP_FOUND": 201,
    "STAT_WRONG_PASSWORD": 202,
    "STAT_HANDSHAKE_TIMEOUT": 204,
    "STAT_GOT_IP": 1010,
}
CYW43 = {
    "STAT_CONNECTING": 1,
    "STAT_NO_AP_FOUND": -2,
    "STAT_WRONG_PASSWORD": -3,
    "STAT_CONNECT_FAIL": -1,
    "STAT_GOT_IP": 3,
}


class Radio:
    """A station whose status for each network is given; -> joined when it is STAT_GOT_IP."""

    def __init__(self, outcomes: dict[str, int], got_ip: int) -> None:
        self.outcomes = outcomes
        self.got_ip = got_ip
        self.current = ""
        self.calls: list[str] = []

    def active(self, on: bool) -> None:
        self.calls.append(f"active {on}")

    def connect(self, ssid: str, password: str) -> None:
        self.current = ssid
        self.calls.append(f"connect {ssid} {password}")

    def disconnect(self) -> None:
        self.calls.append("disconnect")
        self.current = ""

    def status(self) -> int:
        return self.outcomes.get(self.current, 0)

    def isconnected(self) -> bool:
        return self.status() == self.got_ip

    def config(self, name: str = "", **values: object) -> str:
        if values:
            self.calls.append(f"config {sorted(values)}")
        return self.current


@pytest.fixture
def wifi(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, int], dict[str, int]], Any]:
    """net_wifi on a radio with these constants and outcomes; time passes only while it sleeps."""

    def make(constants: dict[str, int], outcomes: dict[str, int]) -> Any:
        radio = Radio(outcomes, constants["STAT_GOT_IP"])
        module = ModuleType("network")
        for name, value in constants.items():
            setattr(module, name, value)
        module.STA_IF, module.AP_IF = 0, 1  # type: ignore[attr-defined]
        module.WLAN = lambda interface: radio  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "network", module)
        monkeypatch.delitem(sys.modules, "meshdevice.net_wifi", raising=False)
        net_wifi = importlib.import_module("meshdevice.net_wifi")
        clock = [0]
        monkeypatch.setattr(net_wifi, "ticks_ms", lambda: clock[0])

        async def sleep(seconds: float) -> None:
            clock[0] += int(seconds * 1000)

        monkeypatch.setattr(net_wifi.asyncio, "sleep", sleep)
        return net_wifi.Network(), radio, clock

    return make


@pytest.mark.parametrize(
    ("constants", "status", "code", "at_most"),
    [
        (ESP32, 1010, 0, 0),
        (ESP32, 201, 32, 5300),
        (ESP32, 202, 33, 5300),
        (ESP32, 204, 33, 5300),
        (ESP32, 1001, 34, 30000),
        (CYW43, 3, 0, 0),
        (CYW43, -2, 32, 5300),
        (CYW43, -1, 32, 5300),
        (CYW43, -3, 33, 5300),
        (CYW43, 2, 34, 30000),
        (CYW43, 1, 34, 30000),
        (CYW43, 0, 32, 30000),
    ],
)
async def test_status_codes(
    wifi: Any, constants: dict[str, int], status: int, code: int, at_most: int
) -> None:
    network, radio, clock = wifi(constants, {"home": status})
    assert await network.join([["home", "secret"]]) == code
    assert clock[0] <= at_most
    assert radio.calls[:2] == ["active True", "connect home secret"]
    assert ("disconnect" in radio.calls) == bool(code)


async def test_the_second_network_is_tried_and_the_credentials_are_left_alone(wifi: Any) -> None:
    known = [["old", "a"], ["home", "b"]]
    network, _, _ = wifi(ESP32, {"old": 201, "home": 1010})
    assert await network.join(known) == 0
    assert known == [["old", "a"], ["home", "b"]]


async def test_a_station_that_is_still_joined_is_not_joined_again(wifi: Any) -> None:
    network, radio, _ = wifi(ESP32, {"home": 1010})
    await network.join([["home", "b"]])
    radio.calls.clear()
    assert await network.join([["home", "b"]]) == 0
    assert radio.calls == ["active True"]


async def test_no_network_at_all_is_no_network(wifi: Any) -> None:
    network, _, _ = wifi(ESP32, {})
    assert await network.join([]) == 32
