"""Exports of KeePass 2 and KeePassXC in clear: XML (of both) and CSV (each its own).

XML is read event by event; a document type or entity is refused before it could be expanded. The recycle bin
and the history of entries are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from mathmesh.errors import EncodingError
from meshclient.applications.imported import (
    MAXIMUM_ENTRIES,
    MAXIMUM_FIELD,
    Imported,
    joined,
    refuse_encrypted,
    rows,
)

COLUMNS_1 = ("Account", "Login Name", "Password", "Web Site", "Comments")
COLUMNS_XC = ("Group", "Title", "Username", "Password", "URL", "Notes")
MAXIMUM_DEPTH = 64

_STANDARD = {"Title": "title", "UserName": "username", "Password": "password", "URL": "uri", "Notes": "notes"}
_TOTP = ("otp", "TOTP", "TOTP Seed")
PROGRAM = "KeePass (File, Export, XML) or KeePassXC (Database, Export, XML or CSV)"


def read_csv(text: str) -> Iterator[Imported]:
    """The entries of a CSV export of KeePass."""
    for row in rows(text):
        yield Imported(
            title=row["Account"],
            username=row["Login Name"],
            password=row["Password"],
            uri=row["Web Site"],
            notes=row["Comments"],
        )


def read_csv_xc(text: str) -> Iterator[Imported]:
    """The entries of a CSV export of KeePassXC."""
    for row in rows(text):
        if "Recycle Bin" in row["Group"].split("/")[:2]:
            continue
        yield Imported(
            title=row["Title"],
            username=row["Username"],
            password=row["Password"],
            uri=row["URL"],
            notes=row["Notes"],
            totp=row.get("TOTP", ""),
            folder=row["Group"].removeprefix("Root").removeprefix("/"),
        )


TABLES = ((COLUMNS_1, read_csv), (COLUMNS_XC, read_csv_xc))


def read_xml(text: str) -> list[Imported]:
    """The entries of an XML export."""
    document = _Document()
    parser = expat.ParserCreate()
    parser.StartElementHandler = document.start
    parser.EndElementHandler = document.end
    parser.CharacterDataHandler = document.characters
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise EncodingError(f"the export is no XML: line {error.lineno}") from None
    if not document.is_keepass:
        raise EncodingError("the export is XML, but not one of KeePass")
    return document.entries


def _refuse(*_: object) -> None:
    raise EncodingError("the export has a document type, which no export of KeePass has")


class _Document:
    """What of the document is open at the moment."""

    def __init__(self) -> None:
        self.entries: list[Imported] = []
        self.is_keepass = False
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._groups: list[dict[str, str]] = []
        self._bin = ""
        self._fields: list[tuple[str, str]] = []
        self._key = ""
        self._history = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path:
            self.is_keepass = name == "KeePassFile"
        if len(self._path) >= MAXIMUM_DEPTH:
            raise EncodingError("the export is nested too deeply")
        self._path.append(name)
        self._text, self._length = [], 0
        if name == "Group":
            self._groups.append({})
        elif name == "History":
            self._history += 1
        elif name == "Entry" and not self._history:
            self._fields = []
        elif name == "Value" and attributes.get("Protected", "").lower() == "true":
            refuse_encrypted(PROGRAM)

    def characters(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAXIMUM_FIELD and self._path[-1] in ("Key", "Value", "Name", "UUID"):
            raise EncodingError("an entry of the export holds a text longer than 64 KiB")
        if self._length <= MAXIMUM_FIELD:
            self._text.append(text)

    def end(self, name: str) -> None:
        text = "".join(self._text)
        self._text, self._length = [], 0
        self._path.pop()
        parent = self._path[-1] if self._path else ""
        if name == "History":
            self._history -= 1
        elif name == "RecycleBinUUID":
            self._bin = text.strip()
        elif name == "Group":
            self._groups.pop()
        elif parent == "Group" and name in ("Name", "UUID"):
            self._groups[-1][name] = text.strip()
        elif self._history:
            return
        elif parent == "String" and name == "Key":
            self._key = text
        elif parent == "String" and name == "Value":
            self._fields.append((self._key, text))
        elif name == "Entry":
            self._entry()

    def _entry(self) -> None:
        if self._bin and any(group.get("UUID") == self._bin for group in self._groups):
            return
        if len(self.entries) > MAXIMUM_ENTRIES:
            raise EncodingError(f"the file holds more than {MAXIMUM_ENTRIES} entries")
        known = {_STANDARD[name]: value for name, value in self._fields if name in _STANDARD}
        totp = next((value for name, value in self._fields if name in _TOTP), "")
        own = tuple(
            (name, value) for name, value in self._fields if name not in _STANDARD and name not in _TOTP
        )
        folder = joined([group.get("Name", "") for group in self._groups[1:]])
        self.entries.append(Imported(totp=totp, folder=folder, fields=own, **known))
