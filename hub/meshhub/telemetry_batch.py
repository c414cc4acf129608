"""A batch: the readings of one device that came in together, as one frame of its sequence holds them.

The payload is compact JSON under zlib:

    {"v":1, "t":<first time>, "p":[[node, property], …], "r":[[boot, [[s, time, p, value], …]], …],
     "g":[[boot, first, last, time], …], "e":[[boot, first, last, time], …]}

`t` and times in `g` and `e` are milliseconds since 1970; in `r`, s and time are differences to the reading
before (the first s of a boot to 0, the first time to `t`) and p is an index into "p". `g` lists entries that
are lost, `e` those that only told again what was known, when a session began. ContentMeta says the kind of
segment, so that rewritten ones (hourly, statistics) can lie in the same form of store.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.errors import StoreError

RAW = "TelemetryRaw"
"""Kind of segment: readings as they came. Rewritten segments have a kind of their own."""
VERSION = 1
SLACK = 60_000
LONGEST = 16 * 1024 * 1024

_VALUES = (int, float, bool, str, type(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value of one property. `time` is hub time in ms since 1970; (boot, s) numbers it at the device."""

    time: int
    node: str
    property: str
    value: object
    boot: int
    s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Entries first..last of a boot without a value; `time` is when the hub learnt it."""

    time: int
    boot: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Readings in the order in which they came, gaps learnt meanwhile, and entries that repeated a value."""

    readings: tuple[Reading, ...] = ()
    gaps: tuple[Gap, ...] = ()
    repeats: tuple[Gap, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.readings or self.gaps or self.repeats)

    def times(self) -> tuple[int, int]:
        """First and last time of anything in it."""
        times = [reading.time for reading in self.readings]
        times += [gap.time for gap in (*self.gaps, *self.repeats)]
        return min(times), max(times)

    def numbers(self) -> Iterator[tuple[int, int, int]]:
        """(boot, first, last) of entries that this batch accounts for, gaps included; adjacent ones
        joined.
        """
        boot = first = last = -1
        for reading in self.readings:
            if (reading.boot, reading.s) == (boot, last + 1):
                last = reading.s
                continue
            if boot >= 0:
                yield boot, first, last
            boot, first, last = reading.boot, reading.s, reading.s
        if boot >= 0:
            yield boot, first, last
        for gap in (*self.gaps, *self.repeats):
            yield gap.boot, gap.first, gap.last


def in_order(readings: Iterable[Reading]) -> list[Reading]:
    """Readings by time, those of one boot never against their numbers.

    Each session of a device tells anew when its boot began, within some milliseconds; that must not swap
    readings. Where times differ by more than `SLACK`, the clock was set, and they stay as they are.
    """
    ordered = []
    boot = time = -1
    for reading in sorted(readings, key=lambda reading: (reading.boot, reading.s)):
        if reading.boot == boot and 0 < time - reading.time <= SLACK:
            reading = replace(reading, time=time)
        boot, time = reading.boot, reading.time
        ordered.append(reading)
    return sorted(ordered, key=lambda reading: (reading.time, reading.boot, reading.s))


def content_meta(kind: str = RAW) -> ContentMeta:
    """ContentMeta of a frame that holds a segment of this kind. It lies in clear: no name, no time."""
    return ContentMeta(message_type=kind)


def encode(batch: Batch) -> bytes:
    """Payload of a frame."""
    start = batch.readings[0].time if batch.readings else 0
    names: dict[tuple[str, str], int] = {}
    boots: list[tuple[int, list[list[object]]]] = []
    s, time = 0, start
    for reading in batch.readings:
        if not boots or boots[-1][0] != reading.boot:
            boots.append((reading.boot, []))
            s = 0
        number = names.setdefault((reading.node, reading.property), len(names))
        boots[-1][1].append([reading.s - s, reading.time - time, number, reading.value])
        s, time = reading.s, reading.time
    value = {"v": VERSION, "t": start, "p": [list(name) for name in names], "r": boots}
    for name, gaps in (("g", batch.gaps), ("e", batch.repeats)):
        if gaps:
            value[name] = [[gap.boot, gap.first, gap.last, gap.time] for gap in gaps]
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return zlib.compress(text.encode(), 9)


def decode(payload: bytes) -> Batch:
    """The batch in a payload. Raises StoreError when it is none."""
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(payload, LONGEST)
        if not unpacker.eof:
            raise StoreError("a telemetry batch is longer than any that is written")
        value = json.loads(text, parse_float=_finite, parse_constant=_finite)
        if value["v"] != VERSION:
            raise StoreError(f"a telemetry batch has version {value['v']}; this program reads {VERSION}")
        return Batch(
            readings=tuple(_readings(value)),
            gaps=tuple(_gaps(value, "g")),
            repeats=tuple(_gaps(value, "e")),
        )
    except (zlib.error, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise StoreError("a telemetry batch cannot be read: it is not in our form") from error


def _readings(value: dict[str, Any]) -> Iterator[Reading]:
    names: Sequence[tuple[str, str]] = [(_text(node), _text(prop)) for node, prop in value["p"]]
    time = _whole(value["t"])
    for boot, rows in value["r"]:
        s = 0
        _whole(boot)
        for s_step, time_step, name, item in rows:
            if not type(s_step) is type(time_step) is type(name) is int or type(item) not in _VALUES:
                raise TypeError("a row of a batch has another form")
            s += s_step
            time += time_step
            node, prop = names[name]
            yield Reading(time=time, node=node, property=prop, value=item, boot=boot, s=s)


def _gaps(value: dict[str, Any], name: str) -> Iterator[Gap]:
    for row in value.get(name, ()):
        boot, first, last, time = map(_whole, row)
        yield Gap(boot=boot, first=first, last=last, time=time)


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a whole number is expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError("a number that is not finite")
    return value
