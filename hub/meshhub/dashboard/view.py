"""Devices, readings and adoptions as the JSON that dashboard and command line are given.

A device is `{udf, name, room, full_name, kind, model, state, online, last_seen, over_limit, properties}`,
`over_limit` the number of its readings that its limit keeps from being stored, a property
`{node, kind, name, key, type, access, writable, hold, range, choices, unit, value, time}`; times are
milliseconds since 1970. `state` is live, stale (online, yet nothing reported for `STALE_SECONDS`) or offline;
`key` is the shortest name that `set` takes; `hold` marks what a touch by mistake must not do.
"""

from collections import Counter
from collections.abc import Sequence

from meshhub.dashboard.ports import Adoption, Device, Reading
from meshhub.dashboard.properties import path, properties
from meshhub.dashboard.wording import sentence
from meshlink.kinds import Property

STALE_SECONDS = 300


def device_json(device: Device, now: int) -> dict[str, object]:
    """`device` for a card, `now` in milliseconds since 1970."""
    known = properties(device.description)
    counts = Counter(one.name for one in known)
    return {
        "udf": device.udf,
        "name": device.name,
        "room": device.room,
        "full_name": f"{device.room} {device.name}".strip(),
        "kind": main_kind(known),
        "model": str(device.description.get("m", "")),
        "state": state(device, now),
        "online": device.online,
        "last_seen": device.last_seen,
        "over_limit": device.over_limit,
        "properties": [
            _property_json(one, device, one.name if counts[one.name] == 1 else path(one)) for one in known
        ],
    }


def state(device: Device, now: int) -> str:
    """live, stale or offline."""
    if not device.online:
        return "offline"
    fresh = device.last_seen is not None and now - device.last_seen < STALE_SECONDS * 1000
    return "live" if fresh else "stale"


def main_kind(known: Sequence[Property]) -> str:
    """The kind that names the device: its first one that can be acted on, else its first."""
    acting = [one.kind for one in known if one.writable]
    return (acting or [one.kind for one in known] or ["device"])[0]


def reading_json(reading: Reading) -> dict[str, object]:
    """One stored reading."""
    return {"time": reading.time, "property": f"{reading.node}.{reading.property}", "value": reading.value}


def adoption_json(adoption: Adoption) -> dict[str, object]:
    """An attempt to add a device, with its steps in order; `device` is there once it is done."""
    return {
        "id": adoption.id,
        "state": adoption.state,
        "error": sentence(adoption.error) if adoption.error else "",
        "question": adoption.question,
        "steps": [{"name": step.name, "state": step.state, "text": step.text} for step in adoption.steps],
        "device": adoption.device,
    }


def _property_json(one: Property, device: Device, key: str) -> dict[str, object]:
    known = device.values.get((one.node, one.name))
    limits = one.limits()
    return {
        "node": one.node,
        "kind": one.kind,
        "name": one.name,
        "key": key,
        "type": one.type,
        "access": one.access,
        "writable": one.writable,
        "hold": one.needs_go,
        "range": list(limits) if limits else None,
        "choices": one.choices(),
        "unit": one.unit,
        "value": known.value if known else None,
        "time": known.time if known else None,
    }
