"""Cards, calendars and bookmarks that other programs wrote."""

from collections.abc import Iterable

from mathmesh.errors import EncodingError, PolicyError
from meshclient.imports.bookmark_file import is_bookmark_file, read_bookmarks
from meshclient.imports.icalendar import is_icalendar, read_icalendar
from meshclient.imports.vcard import is_vcard, read_vcards


def seeds() -> Iterable[bytes]:
    """One of each, with foldings, parameters, escapes and zones."""
    yield (
        b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Alice\\, A\r\nN:A;Alice;;Dr;\r\nEMAIL;TYPE=home:a@example.com\r\n"
        b"TEL:+1\r\nADR;TYPE=work:;;1 Way;Town;;1;X\r\nUID:urn:uuid:1\r\nNOTE:long\r\n er\r\nEND:VCARD\r\n"
    )
    yield (b"BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=A9;B\nFN:B\nEND:VCARD\n")
    yield (
        b"BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Z\r\nX-LIC-LOCATION:Europe/Berlin\r\nEND:VTIMEZONE\r\n"
        b"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:S\r\nDTSTART;TZID=Z:20260101T100000\r\nDURATION:P1DT2H\r\n"
        b"RRULE:FREQ=DAILY\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n"
        b"BEGIN:VTODO\r\nUID:2\r\nDUE;VALUE=DATE:20260102\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    )
    yield (
        b"<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p><DT><H3>F</H3><DL><p>"
        b'<DT><A HREF="https://e.com/?a=1&amp;b" TAGS="x,y">T &eacute;</A><DD>note</DL></DL>'
    )


def one(data: bytes) -> None:
    """What is read can be stored, and is the same when it is read again; the rest is refused."""
    written = [entry.encode() for entry in _read(data)]
    assert all(written)
    assert [entry.encode() for entry in _read(data)] == written


def _read(data: bytes) -> list:  # type: ignore[type-arg]
    found = []
    for fits, read in (
        (is_vcard, read_vcards),
        (is_icalendar, lambda octets: list(read_icalendar(octets).tasks)),
        (is_bookmark_file, read_bookmarks),
    ):
        fits(data)
        try:
            found += read(data)
        except (EncodingError, PolicyError):
            pass
    return found
