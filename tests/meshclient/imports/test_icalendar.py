"""Calendars as calendar programs write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from mathmesh.errors import EncodingError
from meshclient.imports.icalendar import is_icalendar, read_icalendar

FILE = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Example//Calendar//EN\r
BEGIN:VTIMEZONE\r
TZID:Our Own Time\r
BEGIN:STANDARD\r
TZOFFSETFROM:+0200\r
TZOFFSETTO:+0130\r
DTSTART:19701025T030000\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
UID:1@example.com\r
SUMMARY:Dentist\\, upper floor\r
DTSTART;TZID=Europe/Berlin:20310702T090000\r
DTEND;TZID=Europe/Berlin:20310702T093000\r
LOCATION:1 High Street\r
DESCRIPTION:Bring the\\nX-rays\r
RRULE:FREQ=YEARLY\r
TRANSP:TRANSPARENT\r
BEGIN:VALARM\r
ACTION:DISPLAY\r
TRIGGER:-PT15M\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2@example.com\r
SUMMARY:Call\r
DTSTART:20310702T090000Z\r
DURATION:PT1H30M\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:3@example.com\r
DTSTART;TZID=Our Own Time:20310702T090000\r
END:VEVENT\r
BEGIN:VTODO\r
UID:4@example.com\r
SUMMARY:Tax\r
DUE;VALUE=DATE:20310531\r
END:VTODO\r
END:VCALENDAR\r
"""


@pytest.fixture(autouse=True)
def _zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(*parts: int) -> datetime:
    year, month, day, hour, minute = parts
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_events_and_tasks() -> None:
    found = read_icalendar(FILE)
    dentist, call, unnamed, tax = found.tasks
    assert (dentist.title, dentist.location) == ("Dentist, upper floor", "1 High Street")
    assert (dentist.start, dentist.finish) == (at(2031, 7, 2, 7, 0), at(2031, 7, 2, 7, 30))
    assert (dentist.time_zone, dentist.repeat, dentist.trigger) == (
        "Europe/Berlin",
        "FREQ=YEARLY",
        ("-PT15M",),
    )
    assert (dentist.description, dentist.busy) == ("Bring the\nX-rays", False)
    assert (call.start, call.finish) == (at(2031, 7, 2, 9, 0), at(2031, 7, 2, 10, 30))
    assert (unnamed.title, unnamed.start) == ("(no title)", at(2031, 7, 2, 7, 30))
    assert (tax.start, tax.finish) == (at(2031, 5, 31, 4, 0), at(2031, 5, 31, 4, 0))
    assert found.zones == ("Our Own Time",)


def test_an_import_that_is_repeated_makes_no_copies() -> None:
    keys = [task.key for task in read_icalendar(FILE).tasks]
    again = read_icalendar(FILE.replace(b"20310702T093000", b"20310702T100000"))
    assert [task.key for task in again.tasks] == keys
    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"20310702T090000Z", b"yesterday", "DTSTART yesterday is no time"),
        (b"20310702T090000Z", b"20311302T090000Z", "is no time"),
        (b"20310702T090000Z", b"00010101T000000", "is no time"),
        (b"PT1H30M", b"P", "DURATION P is none"),
        (b"PT1H30M", b"P99999999999W", "is too long"),
        (b"END:VCALENDAR", b"", "cut off"),
        (b"BEGIN:VEVENT", b"BEGIN:VJOURNAL", "ends nothing"),
    ],
)
def test_what_is_malformed_is_refused(old: bytes, new: bytes, reason: str) -> None:
    octets = FILE.replace(old, new)
    assert octets != FILE
    with pytest.raises(EncodingError, match=reason):
        read_icalendar(octets)


def test_how_a_file_is_told() -> None:
    assert is_icalendar(FILE)
    assert not is_icalendar(b"BEGIN:VCARD")
    with pytest.raises(EncodingError, match="no event"):
        read_icalendar(b"BEGIN:VCALENDAR\nEND:VCALENDAR\n")
