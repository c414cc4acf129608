"""Wi-Fi networks in MMM_Network: how an entry is made, and which of them devices are given.

An entry has protocol `wifi`, the SSID as service and the passphrase as password; an open network has none.
One with a user name (WPA-Enterprise) is kept for people's machines: constrained devices cannot join it.
Networks labelled DEVICES are those for devices; where no network is, all are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mathmesh.errors import EncodingError, PolicyError
from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.schema.primary_key import primary_key

PROTOCOL = "wifi"
DEVICES = "devices"
"""The label of networks that the hub gives to devices."""
MAXIMUM_GIVEN = 8
"""Networks that a device is given: it tries each for 30 seconds, and what it is told fits into one record."""
MAXIMUM_SSID = 32

_PASSPHRASE = re.compile(r"[ -~]{8,63}|[0-9A-Fa-f]{64}")


def make_network(
    ssid: str, password: str | None, *, username: str | None = None, for_devices: bool = False
) -> CatalogedNetwork:
    """The entry of a network; raises EncodingError for a name or passphrase that no network can have."""
    if not 0 < len(ssid.encode()) <= MAXIMUM_SSID or not ssid.isprintable():
        raise EncodingError("the name of a network has 1 to 32 octets and no control characters")
    if password is not None and username is None and not _PASSPHRASE.fullmatch(password):
        raise EncodingError("a Wi-Fi passphrase has 8 to 63 ASCII characters, or is a key of 64 hex digits")
    if username is not None and not password:
        raise EncodingError("a network that asks for a user's name asks for a password too")
    return CatalogedNetwork(
        labels=(DEVICES,) if for_devices else None,
        protocol=PROTOCOL,
        service=ssid,
        username=username,
        password=password,
    )


def wifi_networks(entries: Iterable[Any]) -> list[CatalogedNetwork]:
    """Those of `entries` that are Wi-Fi networks, in the order in which they were first written."""
    return [
        one
        for one in entries
        if isinstance(one, CatalogedNetwork) and one.service and one.protocol in (None, "", PROTOCOL)
    ]


def place(entry: CatalogedNetwork, present: Iterable[Any]) -> CatalogedNetwork:
    """`entry` under the key and with the labels of the entry that the same network has until now."""
    for old in wifi_networks(present):
        if old.service == entry.service:
            labels = tuple(dict.fromkeys((*(old.labels or ()), *(entry.labels or ())))) or None
            return replace(entry, protocol=old.protocol, labels=labels, local_name=old.local_name)
    return entry


def find(entries: Iterable[Any], ssid: str) -> CatalogedNetwork:
    """The network with this SSID; raises PolicyError when the account does not know it."""
    for one in wifi_networks(entries):
        if one.service == ssid:
            return one
    raise PolicyError(f"there is no network {ssid}")


def key_of(entry: CatalogedNetwork) -> str:
    """The key of a network in the catalog."""
    return primary_key(entry) or ""


def given(catalog: Mapping[str, Any]) -> list[CatalogedNetwork]:
    """The networks that devices are given, at most MAXIMUM_GIVEN."""
    known = [one for one in wifi_networks(catalog.values()) if not one.username]
    marked = [one for one in known if DEVICES in (one.labels or ())]
    return (marked or known)[:MAXIMUM_GIVEN]
