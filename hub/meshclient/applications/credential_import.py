"""Passwords of other managers as entries of MMM_Credential: exports of Bitwarden and KeePass.

The form is told from the content. Every reader is strict and limited: what is malformed is refused as a
whole, since half an import would be taken for all of it. An encrypted export is refused with a word on how to
make one in clear; delete that file afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mathmesh.errors import EncodingError
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.schema.primary_key import primary_key
from meshclient.applications import bitwarden, keepass
from meshclient.applications.credential_choice import by_key, place
from meshclient.applications.imported import MAXIMUM_ENTRIES, Imported, header_of, refuse_encrypted

MAXIMUM_FILE = 16 * 1024 * 1024
KDBX = bytes.fromhex("03d9a29a")
"""How databases of KeePass begin, whatever their version."""


Reader = Callable[[str], Iterable[Imported]]


def read_export(octets: bytes) -> list[Imported]:
    """The logins in an export of whatever known form; those without service and password are left out.

    Raises EncodingError for a malformed, unknown or too large file, PolicyError for an encrypted one.
    """
    if len(octets) > MAXIMUM_FILE:
        raise EncodingError("the file is larger than 16 MiB")
    if octets.startswith(KDBX):
        refuse_encrypted(keepass.PROGRAM)
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise EncodingError("the file is no export: it is not UTF-8 text") from None
    found = []
    for one in _reader(text)(text):
        if one.service and (one.password or one.totp):
            found.append(one)
        if len(found) > MAXIMUM_ENTRIES:
            raise EncodingError(f"the file holds more than {MAXIMUM_ENTRIES} entries")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an import comes to: entries to write, how many are there already, and those for which the catalog
    has another password, which stays unless it is to be replaced.
    """

    write: tuple[CatalogedCredential, ...]
    present: int
    different: tuple[CatalogedCredential, ...]


def plan(found: Iterable[Imported], catalog: Iterable[Any], *, replace_passwords: bool = False) -> Plan:
    """How to take `found` into a catalog with these entries; none of `found` replaces another of them."""
    before = by_key(catalog)
    held = dict(before)
    taken: set[str | None] = set()
    made: list[CatalogedCredential] = []
    different: list[CatalogedCredential] = []
    present = 0
    for one in found:
        entry = place(one.entry(), held, taken)
        key = primary_key(entry)
        old = before.get(key)
        if held.get(key) == entry:
            present += 1
        elif old is not None and old.password != entry.password and not replace_passwords:
            different.append(entry)
        else:
            made.append(entry)
            held[key] = entry
        taken.add(key)
    return Plan(write=tuple(made), present=present, different=tuple(different))


def _reader(text: str) -> Reader:
    start = text.lstrip()[:1]
    if start == "{":
        return bitwarden.read_json
    if start == "<":
        return keepass.read_xml
    header = header_of(text)
    for columns, reader in ((bitwarden.COLUMNS, bitwarden.read_csv), *keepass.TABLES):
        if set(columns) <= set(header):
            return reader
    raise EncodingError("the file is no export of Bitwarden or KeePass that is known here")
