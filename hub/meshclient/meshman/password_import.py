"""`meshman password import`: the passwords of another manager, all of them or none."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import click

from mathmesh.errors import PolicyError
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.stores import CREDENTIAL
from meshclient import offline
from meshclient.applications.credential_choice import plain_service
from meshclient.applications.credential_import import Plan, plan, read_export
from meshclient.meshman.applications import EXISTING
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.meshman.running import Flags, account_flags, on_account
from meshclient.session import Session

REQUEST_OCTETS = 14 * 1024 * 1024
"""What one transaction may hold: services take requests of 16 MiB."""
ENTRY_OCTETS = 1600
"""More than what surrounds the content of one entry in a request."""


@click.command("import", cls=MeshCommand, example="password import bitwarden.json")
@click.argument("file", type=EXISTING)
@click.option("--replace", is_flag=True, help="Where another password is kept, take the one in the file.")
@click.option("--check", is_flag=True, help="Only say what would be done.")
@account_flags
def import_(flags: Flags, file: Path, replace: bool, check: bool) -> Answer:
    """Take in an export of Bitwarden (JSON, CSV) or KeePass (XML, CSV): all of it, or nothing if it fails."""
    found = read_export(file.read_bytes())

    async def step(session: Session) -> Answer:
        await offline.merge(session)
        present = session.context.catalog(CREDENTIAL).entries().values()
        made = plan(found, present, replace_passwords=replace)
        if made.write and not check:
            await session.context.transact(updates={CREDENTIAL: _one_request(made.write, file)})
        return _answer(made, file, check=check)

    return on_account(flags, step, sync=True)


def _one_request(entries: Sequence[CatalogedCredential], file: Path) -> _Counted:
    """`entries` to be written at once, told on the terminal while they are sealed."""
    octets = sum(ENTRY_OCTETS + len(entry.encode()) * 4 // 3 for entry in entries)
    if octets > REQUEST_OCTETS:
        raise PolicyError(f"{file} holds more than one transaction can; export the folders one by one")
    return _Counted(entries)


class _Counted(Sequence[MeshObject]):
    """Entries that tell how many of them were taken, where somebody looks on."""

    def __init__(self, entries: Sequence[MeshObject]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> MeshObject: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[MeshObject]: ...
    def __getitem__(self, index: int | slice) -> MeshObject | Sequence[MeshObject]:
        return self._entries[index]

    def __iter__(self) -> Iterator[MeshObject]:
        with click.progressbar(
            self._entries, label="Sealing", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as entries:
            yield from entries


def _answer(made: Plan, file: Path, *, check: bool) -> Answer:
    lines = [
        f"Imported = {len(made.write)}",
        f"Present = {made.present}",
        f"Different = {len(made.different)}",
    ]
    different = [f"{one.username or ''}@{plain_service(one)}".lstrip("@") for one in made.different]
    lines += [f"Kept as it was: {name}" for name in different]
    notes = ["/replace takes the passwords of the file where others are kept."] if different else []
    notes += ["Nothing was written."] if check else [f"Delete {file}: it holds passwords in clear."]
    members = {
        "Imported": len(made.write),
        "Present": made.present,
        "Different": different,
        "Checked": check or None,
    }
    return Answer(lines=lines, tag="ResultImport", members=members, notes=notes)
