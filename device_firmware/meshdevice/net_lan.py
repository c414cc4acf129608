"""Network of a unit that is already on the LAN: the simulator, or a board with a cable."""

import asyncio

from meshdevice import hub_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HUB_UNREACHABLE = 35
_LIMIT = 5
_REFUSAL = 0.3


class Network:
    """What the rest of the firmware asks of any network; a LAN is always joined."""

    async def join(self, wifi: list[list[str]]) -> int:
        """0 when joined, else an error code 32 to 34. wifi: [[ssid, password], …], not needed here."""
        return 0

    async def leave(self) -> None:
        """Nothing to leave."""

    async def reach(self, hubs: list[str]) -> int:
        """0 when a broker of `hubs` (URIs) accepts a TCP connection within 5 s each, else 35."""
        return await reach(hubs)

    def open_point(self, ssid: str, passphrase: str) -> None:
        """No access point: the adopter is on the same LAN."""

    def close_point(self) -> None:
        """No access point."""


async def reach(hubs: list[str]) -> int:
    """0 when one of the brokers accepts a TCP connection, else 35."""
    for hub in hubs:
        try:
            host, port, _ = hub_address.parse(hub)
            reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _LIMIT)
        except (OSError, ValueError, asyncio.TimeoutError):
            continue
        accepted = await _is_open(reader)
        writer.close()
        if accepted:
            return 0
    return HUB_UNREACHABLE


async def _is_open(reader: "Any") -> bool:
    """MicroPython takes a refused connection for an open one until it is read; a broker waits in silence."""
    try:
        return bool(await asyncio.wait_for(reader.read(1), _REFUSAL))
    except asyncio.TimeoutError:
        return True
    except OSError:
        return False
