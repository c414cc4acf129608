"""Bookmarks as Firefox and Chromium export them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.errors import EncodingError
from meshclient.imports.bookmark_file import read_bookmarks

FILE = b"""<!DOCTYPE NETSCAPE-Bookmark-file-1>
<!-- This is an automatically generated file. -->
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
<TITLE>Bookmarks</TITLE>
<H1>Bookmarks Menu</H1>
<DL><p>
    <DT><A HREF="https://example.com/" ADD_DATE="1600000000" TAGS="home,start">Example &amp; Co</A>
    <DD>The page to
begin with
    <DT><H3 ADD_DATE="1600000000">Holidays</H3>
    <DL><p>
        <DT><A HREF="https://example.org/beach">Beach</A>
        <DT><H3>Italy</H3>
        <DL><p>
            <DT><A HREF="https://example.org/rome">Rome</A>
        </DL><p>
        <DT><A HREF="https://example.org/lake">Lake</A>
    </DL><p>
    <DT><A HREF="javascript:alert(1)">Script</A>
    <DT><A HREF="place:sort=8">Most visited</A>
    <DT><A HREF="https://example.com/">Example again</A>
</DL>
"""


def test_pages_with_their_folders() -> None:
    found = {entry.title: entry for entry in read_bookmarks(FILE)}
    assert {title: entry.labels for title, entry in found.items()} == {
        "Example again": ("home", "start"),
        "Beach": ("Holidays",),
        "Rome": ("Holidays/Italy",),
        "Lake": ("Holidays",),
    }
    assert found["Rome"].uri == "https://example.org/rome"
    assert len({entry.uid for entry in found.values()}) == 4


def test_titles_and_comments() -> None:
    [entry] = read_bookmarks(FILE[: FILE.index(b"<DT><H3")])
    assert (entry.title, entry.comments) == ("Example & Co", ("The page to begin with",))


def test_what_is_no_export_is_refused() -> None:
    for octets, reason in (
        (b"<html><a href='https://example.com/'>x</a>", "no export"),
        (FILE[:35], "holds no bookmark"),
        (FILE[:60] + b"<DL>" * 100, "nested too deeply"),
        (FILE + b"\xff", "UTF-8"),
    ):
        with pytest.raises(EncodingError, match=reason):
            read_bookmarks(octets)


@settings(max_examples=60)
@given(st.text(alphabet="<>/ADLHT3=\"'&; \n", max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_bookmarks(FILE[:36] + text.encode())
    except EncodingError:
        pass
