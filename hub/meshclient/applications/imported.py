"""A login of another password manager, and what the readers of exports share."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from mathmesh.errors import EncodingError, PolicyError
from mathmesh.schema.cataloged import CatalogedCredential

MAXIMUM_ENTRIES = 20_000
MAXIMUM_FIELD = 64 * 1024

NOTES, TOTP, FIELDS = "Notes", "Totp", "Fields"
"""Members that the draft does not have: kept under these names beside the draft's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One login of an export; empty texts where it has nothing. `fields` are the person's own."""

    title: str = ""
    username: str = ""
    password: str = ""
    uri: str = ""
    notes: str = ""
    totp: str = ""
    folder: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        texts = (self.title, self.username, self.password, self.uri, self.notes, self.totp, self.folder)
        for text in (*texts, *(part for field in self.fields for part in field)):
            if not isinstance(text, str):
                raise EncodingError("an entry of the export holds something that is no text")
            if len(text) > MAXIMUM_FIELD:
                raise EncodingError("an entry of the export holds a text longer than 64 KiB")

    @property
    def service(self) -> str:
        """The host of the address, else the address or the title."""
        return _host(self.uri) or self.uri.strip() or self.title.strip()

    def entry(self) -> CatalogedCredential:
        """The entry of the catalog."""
        extra = {
            NOTES: self.notes,
            TOTP: self.totp,
            FIELDS: [{"Name": name, "Value": value} for name, value in self.fields],
        }
        return CatalogedCredential(
            labels=(self.folder,) if self.folder else None,
            local_name=self.title or None,
            service=self.service,
            username=self.username or None,
            password=self.password or None,
            unknown={name: value for name, value in extra.items() if value},
        )


def header_of(text: str) -> list[str]:
    """The names in the first line of a CSV file."""
    reader = csv.reader(io.StringIO(text[:MAXIMUM_FIELD], newline=""), strict=True)
    try:
        return [name.strip() for name in next(reader, [])]
    except csv.Error:
        raise EncodingError("the file is no export: its first line is malformed") from None


def rows(text: str) -> Iterable[Mapping[str, str]]:
    """Rows of a CSV file by the names in its first line; raises EncodingError for a row of another length."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if row and len(row) != len(header):
                raise EncodingError(f"line {reader.line_num} has {len(row)} columns, not {len(header)}")
            if row:
                yield dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise EncodingError(f"line {reader.line_num} is malformed: {error}") from None


def refuse_encrypted(program: str) -> None:
    """Raises PolicyError that says what to export instead."""
    raise PolicyError(f"the export is encrypted; make one in clear with {program}, and delete it afterwards")


def _host(text: str) -> str:
    """The host of an address, with its port where it names one."""
    text = text.strip()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        if "/" not in text and not re.fullmatch(r"[^\s@]+\.[^\s@]+", text):
            return ""
        text = f"//{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return f"{host}:{port}" if host and port else host


def joined(parts: Sequence[str]) -> str:
    """Names of folders as one."""
    return "/".join(part for part in parts if part)
