"""Exports of Bitwarden in clear, JSON and CSV: logins are read; cards, identities and notes are not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mathmesh.errors import EncodingError
from meshclient.applications.imported import Imported, refuse_encrypted, rows

COLUMNS = ("type", "name", "login_uri", "login_username", "login_password")

_LOGIN = 1
_PROGRAM = "Bitwarden (export as .json, not .json encrypted)"


def read_json(text: str) -> Iterator[Imported]:
    """The logins of a JSON export."""
    try:
        export: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise EncodingError("the export is no JSON") from None
    if not isinstance(export, dict):
        raise EncodingError("the export is no JSON object")
    if export.get("encrypted") or "encKeyValidation_DO_NOT_EDIT" in export:
        refuse_encrypted(_PROGRAM)
    folders = {
        folder.get("id"): _text(folder.get("name"))
        for folder in _objects(export.get("folders") or export.get("collections"))
        if isinstance(folder.get("id"), str)
    }
    items = export.get("items")
    if not isinstance(items, list):
        raise EncodingError("the export is not one of Bitwarden: it has no items")
    for item in _objects(items):
        if item.get("type") == _LOGIN and isinstance(item.get("login"), dict):
            folder = item.get("folderId")
            yield _login(item, item["login"], folders.get(folder, "") if isinstance(folder, str) else "")


def read_csv(text: str) -> Iterator[Imported]:
    """The logins of a CSV export."""
    for row in rows(text):
        if row["type"] != "login":
            continue
        lines = [line.partition(": ") for line in row.get("fields", "").split("\n") if ": " in line]
        yield Imported(
            title=row["name"],
            username=row["login_username"],
            password=row["login_password"],
            uri=row["login_uri"].split(",")[0],
            notes=row.get("notes", ""),
            totp=row.get("login_totp", ""),
            folder=row.get("folder", ""),
            fields=tuple((name, value) for name, _, value in lines),
        )


def _login(item: dict[str, Any], login: dict[str, Any], folder: str) -> Imported:
    uris = [_text(one.get("uri")) for one in _objects(login.get("uris"))]
    own = [(_text(one.get("name")), _text(one.get("value"))) for one in _objects(item.get("fields"))]
    return Imported(
        title=_text(item.get("name")),
        username=_text(login.get("username")),
        password=_text(login.get("password")),
        uri=uris[0] if uris else "",
        notes=_text(item.get("notes")),
        totp=_text(login.get("totp")),
        folder=folder,
        fields=(*own, *(("URI", uri) for uri in uris[1:])),
    )


def _objects(value: object) -> Iterator[dict[str, Any]]:
    if value is None:
        return
    if not isinstance(value, list):
        raise EncodingError("the export holds something else where a list should be")
    for item in value:
        if not isinstance(item, dict):
            raise EncodingError("the export holds something else where an object should be")
        yield item


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise EncodingError("an entry of the export holds something that is no text")
    return value
