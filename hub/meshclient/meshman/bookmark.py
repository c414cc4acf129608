"""`meshman bookmark`: pages to find again (MMM_Bookmark)."""

from __future__ import annotations

from pathlib import Path

import click

from mathmesh.keys import ids
from mathmesh.schema.cataloged import CatalogedBookmark
from mathmesh.stores import BOOKMARK
from meshclient.imports.bookmark_file import is_bookmark_file, read_bookmarks
from meshclient.meshman.entries import EntryCommands, one_object
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.running import Flags, account_flags


def _line(entry: CatalogedBookmark) -> str:
    labels = f" [{', '.join(entry.labels)}]" if entry.labels else ""
    return f"{entry.uid} {entry.uri} {entry.title or ''}".rstrip() + labels


_ENTRIES = EntryCommands(
    BOOKMARK,
    CatalogedBookmark,
    what="bookmark",
    line=_line,
    names=lambda entry: (entry.uid, entry.uri, entry.title, entry.local_name),
)


@click.group("bookmark", cls=MeshGroup)
def command() -> None:
    """Bookmarks."""


@command.command("add", example="bookmark add http://example.com/ Example")
@click.argument("address")
@click.argument("title", required=False)
@click.option("--id", "uid", metavar="ID", help="Its key.  [default: a new one]")
@click.option("--comment", multiple=True, metavar="TEXT", help="A comment.")
@account_flags
def add(flags: Flags, address: str, title: str | None, uid: str | None, comment: tuple[str, ...]) -> Answer:
    """Keep a bookmark."""
    return _ENTRIES.put(
        flags,
        lambda session: [
            CatalogedBookmark(
                uid=uid or ids.nonce_id(session.context.entropy),
                uri=address,
                title=title,
                comments=comment or None,
            )
        ],
    )


@command.command("import", example="bookmark import bookmarks.html")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@account_flags
def import_(flags: Flags, file: Path) -> Answer:
    """Take in the bookmarks that a browser exported as HTML, or a CatalogedBookmark in a JSON file.

    Folders and tags become labels. An import that is repeated makes no copies.
    """
    octets = file.read_bytes()
    if is_bookmark_file(octets):
        pages = read_bookmarks(octets)
        return _ENTRIES.take_in(flags, lambda _: pages)
    entry = one_object(file, octets, CatalogedBookmark, "export of a browser's bookmarks")
    return _ENTRIES.take_in(flags, lambda _: [entry])


@command.command("get", example="bookmark get Example")
@click.argument("name")
@account_flags
def get(flags: Flags, name: str) -> Answer:
    """A bookmark, by key, address or title."""
    return _ENTRIES.get(flags, name)


@command.command("delete", example="bookmark delete Example")
@click.argument("name")
@account_flags
def delete(flags: Flags, name: str) -> Answer:
    """Forget a bookmark."""
    return _ENTRIES.delete(flags, name)


@command.command("list", example="bookmark list")
@account_flags
def list_(flags: Flags) -> Answer:
    """All bookmarks."""
    return _ENTRIES.listed(flags)
