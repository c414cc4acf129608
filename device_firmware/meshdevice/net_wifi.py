"""Wi-Fi of ESP32 and Pico W: joining as a station with a limit, and the access point for onboarding.

A failed join never changes the stored names and passwords: routers restart, and a device that forgets its
network has to be fetched from the wall.
"""

import asyncio

import network

from meshdevice import net_lan
from meshdevice.runtime import ticks_diff, ticks_ms

NO_NETWORK = 32
WRONG_PASSWORD = 33
NO_ADDRESS = 34

_JOIN_LIMIT_MS = 30000
_SETTLE_MS = 5000
_STEP = 0.2
_AUTH_WPA2 = 3
_CYW43_NO_ADDRESS = 2  # associated, and DHCP has given nothing yet; the port has no name for it


class Network:
    """Station and access point of this board's radio."""

    def __init__(self) -> None:
        self._station = network.WLAN(network.STA_IF)
        self._point = None

    async def join(self, wifi: list[list[str]]) -> int:
        """Join the first network of [[ssid, password], …] that works, 30 s each; 0, or the last code."""
        code = NO_NETWORK
        for ssid, password in wifi:
            code = await self._join_one(ssid, password)
            if not code:
                break
        return code

    async def leave(self) -> None:
        """Switch the station off."""
        self._station.disconnect()
        self._station.active(False)

    async def reach(self, hubs: list[str]) -> int:
        """0 when a broker of `hubs` accepts a TCP connection, else 35."""
        return await net_lan.reach(hubs)

    def open_point(self, ssid: str, passphrase: str) -> None:
        """Bring up the access point on which an adopter finds this device (192.168.4.1)."""
        self._point = network.WLAN(network.AP_IF)
        try:
            self._point.config(essid=ssid, password=passphrase, authmode=_AUTH_WPA2)
        except (ValueError, TypeError):
            self._point.config(ssid=ssid, key=passphrase, security=_AUTH_WPA2)
        self._point.active(True)

    def close_point(self) -> None:
        """Take the access point down."""
        if self._point is not None:
            self._point.active(False)
            self._point = None

    async def _join_one(self, ssid: str, password: str) -> int:
        station = self._station
        station.active(True)
        if station.isconnected() and station.config("ssid") == ssid:
            return 0
        station.connect(ssid, password)
        status = await self._wait()
        if status is None:
            return 0
        station.disconnect()
        return error_code(status)

    async def _wait(self) -> int | None:
        """None when joined; else the status at the limit, or one that meant failure for 5 s on end."""
        started = settled = ticks_ms()
        status = self._station.status()
        while ticks_diff(ticks_ms(), started) < _JOIN_LIMIT_MS:
            if self._station.isconnected():
                return None
            status = self._station.status()
            if status not in _FAILURES:
                settled = ticks_ms()
            elif ticks_diff(ticks_ms(), settled) > _SETTLE_MS:
                break
            await asyncio.sleep(_STEP)
        return status


def _states(*names: str) -> tuple[int, ...]:
    return tuple(getattr(network, name) for name in names if hasattr(network, name))


_PASSWORD_STATES = _states("STAT_WRONG_PASSWORD", "STAT_HANDSHAKE_TIMEOUT")
_FAILURES = _PASSWORD_STATES + _states("STAT_NO_AP_FOUND", "STAT_CONNECT_FAIL")


def error_code(status: int) -> int:
    """The protocol book's code 32 to 34 for a station status of either chip."""
    if status in _PASSWORD_STATES:
        return WRONG_PASSWORD
    if status in _states("STAT_CONNECTING") or status == _CYW43_NO_ADDRESS:
        return NO_ADDRESS
    return NO_NETWORK
