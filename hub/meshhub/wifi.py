"""The household's Wi-Fi networks (MMM_Network) in the hands of the hub: kept for its devices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mathmesh.stores import NETWORK
from meshclient.applications import wifi
from meshclient.context import AccountContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network without its passphrase: whether it has one, and whether devices are given it."""

    ssid: str
    protected: bool
    given: bool


class Networks:
    """The networks of an account."""

    def __init__(self, account: AccountContext) -> None:
        self._account = account

    def listed(self) -> list[Network]:
        """All Wi-Fi networks."""
        entries = self._account.catalog(NETWORK).entries()
        given = [one.service for one in wifi.given(entries)]
        return [
            Network(ssid=one.service or "", protected=bool(one.password), given=one.service in given)
            for one in wifi.wifi_networks(entries.values())
        ]

    def given(self) -> list[list[str]]:
        """[[ssid, passphrase]] as devices are given them; the passphrase of an open network is empty."""
        entries = self._account.catalog(NETWORK).entries()
        return [[one.service or "", one.password or ""] for one in wifi.given(entries)]

    async def add(self, networks: Iterable[tuple[str, str | None]]) -> None:
        """Keep networks for devices, by SSID and passphrase (None for an open one), all or none.

        Raises EncodingError for one that there cannot be.
        """
        made = [wifi.make_network(ssid, password, for_devices=True) for ssid, password in networks]
        present = list(self._account.catalog(NETWORK).entries().values())
        await self._account.update(NETWORK, [wifi.place(one, present) for one in made])

    async def forget(self, ssid: str) -> None:
        """Delete a network; raises PolicyError when there is none of that name."""
        entry = wifi.find(self._account.catalog(NETWORK).entries().values(), ssid)
        await self._account.update(NETWORK, [], deletes=[wifi.key_of(entry)])
