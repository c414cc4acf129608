"""What the commands on applications share: the newest state where it can be had, and files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from mathmesh.schema.application_entry import ApplicationEntryMail, ApplicationEntrySsh
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.vpn import ApplicationEntryVpn
from meshclient.meshman.frame import Answer
from meshclient.meshman.running import Flags, on_account
from meshclient.output_file import OutputFile
from meshclient.session import Session
from meshclient.unreachable import ServiceUnreachable

STALE = "The service cannot be reached: this is as of the last sync."
FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


def as_of_now(flags: Flags, step: Callable[[Session], Answer]) -> Answer:
    """The answer of `step` on the newest state; a note says so where the service cannot be reached."""

    async def run(session: Session) -> Answer:
        notes: tuple[str, ...] = ()
        try:
            await session.sync()
        except ServiceUnreachable:
            notes = (STALE,)
        answer = step(session)
        return replace(answer, notes=(*notes, *answer.notes))

    return on_account(flags, run)


def after_removal(entry: CatalogedDevice) -> list[str]:
    """What a person has to do yet about keys of applications that a removed device had."""
    notes = []
    for one in entry.application_entries or ():
        if isinstance(one, ApplicationEntrySsh):
            notes.append(
                f"It had the SSH key {one.identifier}, which was renewed: run `meshman ssh client` where it "
                "is accepted and `meshman ssh setup` where it is used."
            )
        elif isinstance(one, ApplicationEntryVpn):
            notes.append(
                f"It had the VPN key {one.identifier}, which was renewed: `meshman vpn get /server` shows "
                "what the other end needs."
            )
        elif isinstance(one, ApplicationEntryMail):
            notes.append(
                f"It had the keys of {one.identifier}: revoke them; `meshman mail add /replace` makes others."
            )
    return notes


def write_new(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file that does not exist yet, for its owner alone where it is `private`."""
    with OutputFile(path, private=private) as file:
        file.write(content)
        file.commit()
