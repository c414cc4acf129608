"""Calendars: the events and tasks of an iCalendar file as engagements (RFC 5545).

Times are kept in UTC beside the name of their zone; a time without zone is one of this machine's zone, a
whole day begins at midnight there. Repetitions and alarms are kept as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mathmesh.errors import EncodingError
from mathmesh.schema.engagement import Engagement
from meshclient.imports.content_lines import Component, Line, read_components, stable_key

MEDIA_TYPE = "text/calendar"
MARK = b"BEGIN:VCALENDAR"

_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?")
_DURATION = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(?:\d\d)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a file holds; `zones` are names of zones that are not known here, whose times may be wrong."""

    tasks: tuple[Engagement, ...]
    zones: tuple[str, ...]


def is_icalendar(octets: bytes) -> bool:
    """Whether a file begins as calendars do."""
    return octets.lstrip(b"\xef\xbb\xbf \t\r\n")[: len(MARK)].upper() == MARK


def read_icalendar(octets: bytes) -> Found:
    """The events and tasks of a file; EncodingError for a malformed file and one without any."""
    tasks: dict[str, Engagement] = {}
    unknown: set[str] = set()
    for calendar in read_components(octets):
        zones = _Zones(calendar.components, unknown)
        for component in calendar.components:
            if component.name in ("VEVENT", "VTODO"):
                task = _task(component, zones)
                tasks[task.key or ""] = task
    if not tasks:
        raise EncodingError("the file holds no event and no task")
    return Found(tasks=tuple(tasks.values()), zones=tuple(sorted(unknown)))


class _Zones:
    """Time zones by name: those of this machine, else what the file says of its own."""

    def __init__(self, components: Iterable[Component], unknown: set[str]) -> None:
        self._stated = {one.text("TZID") or "": one for one in components if one.name == "VTIMEZONE"}
        self._unknown = unknown

    def named(self, name: str) -> tzinfo:
        """The zone; where only the file knows it, its standard time."""
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._unknown.add(name)
        stated = self._stated.get(name)
        for part in stated.components if stated is not None else ():
            match = _OFFSET.fullmatch(part.text("TZOFFSETTO") or "")
            if part.name == "STANDARD" and match is not None:
                minutes = int(match.group(2)) * 60 + int(match.group(3))
                if minutes < 24 * 60:
                    return timezone(timedelta(minutes=minutes if match.group(1) == "+" else -minutes))
        return UTC


def _task(component: Component, zones: _Zones) -> Engagement:
    title = component.text("SUMMARY") or "(no title)"
    begins = component.first("DTSTART") or component.first("DUE")
    ends = component.first("DTEND") or component.first("DUE")
    start = _moment(begins, zones) if begins is not None else None
    finish = _moment(ends, zones) if ends is not None else None
    duration = component.text("DURATION")
    if finish is None and start is not None and duration is not None:
        finish = _after(start, duration)
    repeated = component.text("RECURRENCE-ID")
    identity = component.text("UID") or f"{title}\n{start}\n{finish}"
    return Engagement(
        key=stable_key(identity + (f"\n{repeated}" if repeated else ""), MEDIA_TYPE),
        title=" ".join(title.split()),
        start=start,
        finish=finish,
        time_zone=begins.parameter("TZID") if begins is not None else None,
        description=component.text("DESCRIPTION"),
        location=component.text("LOCATION"),
        repeat=component.text("RRULE"),
        trigger=tuple(_triggers(component)) or None,
        conference=tuple(line.text for line in component.all("CONFERENCE")) or None,
        busy=False if (component.text("TRANSP") or "").upper() == "TRANSPARENT" else None,
    )


def _moment(line: Line, zones: _Zones) -> datetime:
    match = _TIME.fullmatch(line.value.strip())
    if match is None:
        raise EncodingError(f"{line.name} {line.value.strip()[:40]} is no time")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, min(second, 59))
        if match.group(7):
            return local.replace(tzinfo=UTC)
        name = line.parameter("TZID")
        zoned = local.replace(tzinfo=zones.named(name)) if name else local.astimezone()
        return zoned.astimezone(UTC)
    except (ValueError, OverflowError):
        raise EncodingError(f"{line.name} {line.value.strip()[:40]} is no time") from None


def _after(start: datetime, text: str) -> datetime:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()[1:]):
        raise EncodingError(f"DURATION {text[:40]} is none")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    try:
        return start + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise EncodingError(f"DURATION {text[:40]} is too long") from None


def _triggers(component: Component) -> Iterator[str]:
    for alarm in component.components:
        trigger = alarm.text("TRIGGER") if alarm.name == "VALARM" else None
        if trigger:
            yield trigger
