"""Devices of the home by friendly name: what the Device catalog says, joined with what is known at this
moment.

Names and rooms are kept in the catalog, sealed; in memory they are read from it each time, so that a
change made by any program of the account is seen. Names are compared without regard to case and spacing.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from mathmesh.schema.cataloged import CatalogedDevice, HubExtension
from mathmesh.schema.mesh_object import MeshObject
from meshhub.errors import AMBIGUOUS, UNKNOWN, VALUE, DeviceError
from meshhub.telemetry_store import Latest

CATALOG = "MMM_Device"
LONGEST_NAME = 64
SHORTEST_PREFIX = 4


class Named(Protocol):
    """A device by what people call it."""

    @property
    def udf(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def room(self) -> str: ...


def full_name(device: Named) -> str:
    """Room and name, as people say it."""
    return f"{device.room} {device.name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """A device at this moment. `values` maps (node, property) to the latest value and its time (ms);
    `over_limit` counts readings that its limit keeps out.
    """

    udf: str
    name: str
    room: str
    description: Mapping[str, object]
    online: bool = False
    last_seen: int | None = None
    over_limit: int = 0
    values: Mapping[tuple[str, str], Latest] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """Room and name, as people say it."""
        return full_name(self)

    @property
    def model(self) -> str:
        """Maker and model of the description."""
        return str(self.description.get("m", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether a device has a session, when it was heard last (ms, None for never), and how many of its
    readings are over its limit.
    """

    online: bool = False
    last_seen: int | None = None
    over_limit: int = 0


class DeviceCatalog(Protocol):
    """What the registry needs of an account: the entries of a catalog, and writing them."""

    def entries(self) -> Mapping[str, MeshObject]:
        """Entries of the Device catalog by primary key."""

    async def write(self, entry: CatalogedDevice) -> None:
        """Write an entry; durable when this returns."""


class Registry:
    """All adopted devices of the account that have a description."""

    def __init__(
        self,
        catalog: DeviceCatalog,
        *,
        presence: Callable[[str], Presence],
        latest: Callable[[str], Mapping[tuple[str, str], Latest]],
        renamed: Callable[[str], None] = lambda _udf: None,
    ):
        self._catalog = catalog
        self._presence = presence
        self._latest = latest
        self._renamed = renamed

    def devices(self) -> list[DeviceRecord]:
        """All devices, by room and name."""
        records = [self._record(entry) for entry in self._entries()]
        return sorted(records, key=lambda record: (fold(record.room), fold(record.name), record.udf))

    def get(self, udf: str) -> DeviceRecord:
        """The device with exactly this UDF; DeviceError (unknown) when there is none."""
        for entry in self._entries():
            if entry.device_udf == udf:
                return self._record(entry)
        raise DeviceError(f"there is no device {udf}", kind=UNKNOWN)

    def resolve(self, text: str) -> DeviceRecord:
        """The one device that `text` names: room and name, name alone, or the beginning of a UDF.

        Raises DeviceError: unknown (with similar names as candidates) or ambiguous (with all that fit).
        """
        wanted, devices = fold(text.replace("/", " ")), self.devices()
        for found in (
            [device for device in devices if fold(device.full_name) == wanted],
            [device for device in devices if fold(device.name) == wanted],
            [device for device in devices if _begins(device.udf, text)],
        ):
            if len(found) == 1:
                return found[0]
            if found:
                raise DeviceError(
                    f"{text!r} is the name of {len(found)} devices: say the room too",
                    kind=AMBIGUOUS,
                    candidates=_distinct(found),
                )
        names = [device.full_name for device in devices]
        similar = difflib.get_close_matches(text, names, n=3) or names[:8]
        raise DeviceError(f"there is no device called {text!r}", kind=UNKNOWN, candidates=similar)

    async def rename(self, device: str | Named, name: str, room: str | None = None) -> DeviceRecord:
        """Give a device another name and, unless None, room. DeviceError (value) when it cannot be called
        so.
        """
        udf = device if isinstance(device, str) else device.udf
        entry = self._entry(udf)
        extension = entry.mesh_hub or HubExtension()
        new_name = check_name(name)
        new_room = (extension.room or "") if room is None else check_name(room, empty=True)
        for other in self.devices():
            if other.udf != udf and fold(other.full_name) == fold(f"{new_room} {new_name}"):
                raise DeviceError(f"there is a {other.full_name} already: choose another name", kind=VALUE)
        await self._catalog.write(
            replace(entry, local_name=new_name, mesh_hub=replace(extension, room=new_room or None))
        )
        self._renamed(udf)
        return self.get(udf)

    def propose_name(self, kind: str, room: str = "") -> str:
        """A name made of the kind of device that is still free in the room."""
        taken = {fold(device.full_name) for device in self.devices()}
        base = check_name(kind.replace("_", " ") or "device")
        number, name = 1, base
        while fold(f"{room} {name}") in taken:
            number += 1
            name = f"{base} {number}"
        return name

    def _entries(self) -> Iterable[CatalogedDevice]:
        for entry in self._catalog.entries().values():
            if isinstance(entry, CatalogedDevice) and entry.device_udf and entry.mesh_hub:
                if entry.mesh_hub.description:
                    yield entry

    def _entry(self, udf: str) -> CatalogedDevice:
        for entry in self._entries():
            if entry.device_udf == udf:
                return entry
        raise DeviceError(f"there is no device {udf}", kind=UNKNOWN)

    def _record(self, entry: CatalogedDevice) -> DeviceRecord:
        udf, extension = entry.device_udf or "", entry.mesh_hub or HubExtension()
        presence = self._presence(udf)
        return DeviceRecord(
            udf=udf,
            name=entry.local_name or udf[:9],
            room=extension.room or "",
            description=extension.description or {},
            online=presence.online,
            over_limit=presence.over_limit,
            last_seen=presence.last_seen,
            values=self._latest(udf),
        )


def fold(text: str) -> str:
    """Text as names are compared: one form of each letter, no case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def check_name(text: str, *, empty: bool = False) -> str:
    """A name or room as it is kept; DeviceError (value) when it is empty, too long or not printable."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name and not empty:
        raise DeviceError("a name is needed", kind=VALUE)
    if len(name) > LONGEST_NAME:
        raise DeviceError(f"a name has at most {LONGEST_NAME} characters", kind=VALUE)
    if not all(character.isprintable() for character in name):
        raise DeviceError("a name consists of printable characters", kind=VALUE)
    return name


def _begins(udf: str, text: str) -> bool:
    prefix = text.replace("-", "").strip().upper()
    return len(prefix) >= SHORTEST_PREFIX and udf.replace("-", "").startswith(prefix)


def _distinct(devices: Sequence[DeviceRecord]) -> list[str]:
    """Names that tell these devices apart: their UDF is added where room and name are the same."""
    names = [fold(device.full_name) for device in devices]
    return [
        device.full_name
        if names.count(fold(device.full_name)) == 1
        else f"{device.full_name} ({device.udf[:9]})"
        for device in devices
    ]
