"""Bookmarks as browsers export them: an HTML file of the form that Netscape began with."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

from mathmesh.errors import EncodingError
from mathmesh.schema.cataloged import CatalogedBookmark
from meshclient.imports.content_lines import read_text, stable_key

MEDIA_TYPE = "text/uri-list"
MARK = "NETSCAPE-BOOKMARK-FILE"
MAXIMUM_DEPTH = 64

_LEFT_OUT = frozenset({"", "javascript", "data", "place", "about", "chrome"})
_TEXTS = frozenset({"a", "h3", "dd"})


def is_bookmark_file(octets: bytes) -> bool:
    """Whether a file begins as exports of browsers do."""
    return MARK.encode() in octets[:1024].upper()


def read_bookmarks(octets: bytes) -> list[CatalogedBookmark]:
    """The bookmarks of a file; their folders and tags become labels, `Holidays/Italy` for a folder in one.

    Left out are scripts, searches and pages of the browser itself. Raises EncodingError for a file that is
    none, or holds no bookmark.
    """
    text = read_text(octets)
    if not is_bookmark_file(octets):
        raise EncodingError("the file is no export of a browser's bookmarks")
    reader = _Reader()
    try:
        reader.feed(text)
        reader.close()
    except AssertionError as error:  # html.parser has no other word for some malformed declarations
        raise EncodingError("the file is no HTML that can be read") from error
    found: dict[str, CatalogedBookmark] = {}
    for page in reader.pages:
        if not _is_page(page.address):
            continue
        uid = stable_key(page.address, MEDIA_TYPE)
        before = found.get(uid)
        labels = (*(before.labels or () if before is not None else ()), *page.labels)
        comment = " ".join(page.comment.split())
        found[uid] = CatalogedBookmark(
            uid=uid,
            uri=page.address,
            title=" ".join(page.title.split()) or None,
            labels=tuple(dict.fromkeys(labels)) or None,
            comments=(comment,) if comment else None,
        )
    if not found:
        raise EncodingError("the file holds no bookmark")
    return list(found.values())


@dataclass(slots=True, kw_only=True)
class _Page:
    address: str
    labels: tuple[str, ...]
    title: str = ""
    comment: str = ""


@dataclass(slots=True)
class _Folder:
    name: str = ""


class _Reader(HTMLParser):
    """Collects pages. Elements such as DT and P are not closed in these files, so only lists nest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pages: list[_Page] = []
        self._folders: list[_Folder] = []
        self._next = _Folder()
        self._within: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Lists nest folders; an anchor is a page."""
        self._within = tag if tag in _TEXTS else None
        values = {name: value or "" for name, value in attrs}
        if tag == "dl":
            if len(self._folders) >= MAXIMUM_DEPTH:
                raise EncodingError("folders are nested too deeply")
            self._folders.append(self._next)
            self._next = _Folder()
        elif tag == "h3":
            self._next = _Folder()
        elif tag == "a":
            tags = tuple(one.strip() for one in values.get("tags", "").split(",") if one.strip())
            path = "/".join(folder.name for folder in self._folders if folder.name)
            self.pages.append(
                _Page(address=values.get("href", "").strip(), labels=(*((path,) if path else ()), *tags))
            )

    def handle_endtag(self, tag: str) -> None:
        """The end of a list is the end of its folder."""
        self._within = None
        if tag == "dl" and self._folders:
            self._folders.pop()

    def handle_data(self, data: str) -> None:
        """Texts of the element that was begun last."""
        if self._within == "h3":
            self._next.name = " ".join((self._next.name + data).split())
        elif self._within == "a" and self.pages:
            self.pages[-1].title += data
        elif self._within == "dd" and self.pages:
            self.pages[-1].comment += data


def _is_page(address: str) -> bool:
    try:
        return urlsplit(address).scheme.lower() not in _LEFT_OUT
    except ValueError:
        return False
