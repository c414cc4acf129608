"""Files of other programs, taken in as typed; imports that are repeated, and long ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VCARDS = "BEGIN:VCARD\nVERSION:3.0\nFN:Carol Example\nEMAIL:carol@example.org\nEND:VCARD\n"
CALENDAR = (
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Dentist\nDTSTART:20310702T090000\n"
    "END:VEVENT\nEND:VCALENDAR\n"
)
PAGE = '<DT><A HREF="https://example.com/{0}">Page {0}</A>\n'
BOOKMARKS = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><DT><H3>Home</H3><DL>\n{}</DL></DL>"

CASES = [
    ("contact", "friends.vcf", VCARDS, "Carol Example", "  Address carol@example.org"),
    ("calendar", "family.ics", CALENDAR, "Dentist", "2031-07-02 09:00 Dentist"),
    ("bookmark", "pages.html", BOOKMARKS.format(PAGE.format(7)), "Page 7", "com/7 Page 7 [Home]"),
]


@pytest.mark.parametrize(("group", "name", "content", "found_by", "line"), CASES)
def test_a_file_is_taken_in_once(
    alice: Callable[..., Any], group: str, name: str, content: str, found_by: str, line: str
) -> None:
    Path(name).write_text(content)
    before = len(alice(f"{group} list").out.splitlines())
    assert alice(f"{group} import {name}").out.splitlines()[-1].startswith("Imported 1 ")
    once = alice(f"{group} list").out
    assert len(once.splitlines()) > before
    made = alice(f"{group} import {name} /json").json()["ResultImport"]
    assert (made["Success"], made["Imported"], len(made["Entries"])) == (True, 1, 1)
    assert alice(f"{group} list").out == once
    assert line in alice(f"{group} get", found_by).out


@pytest.mark.parametrize("group", ["contact", "calendar", "bookmark"])
@pytest.mark.parametrize("content", ["", "{}", "[]", "nothing that anybody knows", '{"MessageContact":{}}'])
def test_another_file_is_refused(alice: Callable[..., Any], group: str, content: str) -> None:
    Path("file").write_text(content)
    refused = alice(f"{group} import file")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("ERROR - The file file is neither ")
    assert refused.err.count("\n") == 1


def test_a_long_file(alice: Callable[..., Any]) -> None:
    Path("pages.html").write_text(BOOKMARKS.format("".join(PAGE.format(n) for n in range(450))))
    assert alice("bookmark import pages.html").out == "Imported 450 bookmarks\n"
    assert len(alice("bookmark list").out.splitlines()) == 450
