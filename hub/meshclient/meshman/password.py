"""`meshman password`: user names and passwords (MMM_Credential)."""

from __future__ import annotations

from pathlib import Path

import click

from mathmesh.errors import PolicyError
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.schema.primary_key import primary_key
from mathmesh.stores import CREDENTIAL
from meshclient import offline
from meshclient.applications.credential_choice import by_key, place, plain_service
from meshclient.meshman.entries import KEPT, EntryCommands
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.password_helpers import askpass, git_helper
from meshclient.meshman.password_import import import_
from meshclient.meshman.running import Flags, account_flags, on_account
from meshclient.meshman.secret_input import read_secret, secret_file
from meshclient.session import Session

USER = click.option("--user", metavar="NAME", help="Only the password of this user.")


class _Passwords(EntryCommands[CatalogedCredential]):
    """The credentials with a password; the keys of SSH servers lie in the same catalog."""

    def all(self, session: Session) -> list[CatalogedCredential]:
        return [entry for entry in super().all(session) if entry.password is not None]

    def of_user(self, session: Session, service: str, user: str | None) -> list[CatalogedCredential]:
        """The passwords for a service, of one user if one is named; PolicyError for none."""
        found = [entry for entry in self.find(session, service) if user in (None, entry.username or "")]
        if not found:
            raise PolicyError(f"there is no password of {user} for {service}")
        return found

    def one_of_user(self, session: Session, service: str, user: str | None) -> CatalogedCredential:
        """The only one; PolicyError for several."""
        found = self.of_user(session, service, user)
        if len(found) > 1:
            users = ", ".join(entry.username or "nobody" for entry in found)
            raise PolicyError(f"there are several passwords for {service}, of {users}; name one with /user")
        return found[0]


def _line(entry: CatalogedCredential) -> str:
    user = f"{entry.username}@" if entry.username else ""
    return f"{user}{plain_service(entry)} = [{entry.password}]"


_ENTRIES = _Passwords(
    CREDENTIAL,
    CatalogedCredential,
    what="password",
    line=_line,
    names=lambda entry: (entry.service, plain_service(entry), primary_key(entry), entry.local_name),
)


@click.group("password", cls=MeshGroup)
def command() -> None:
    """User names and passwords."""


@command.command("add", example="password add ftp.example.com alice1")
@click.argument("service")
@click.argument("username", required=False)
@click.argument("password", required=False)
@click.option("--protocol", metavar="NAME", help="The protocol that it is for, such as https or ssh-key.")
@secret_file
@account_flags
def add(
    flags: Flags,
    service: str,
    username: str | None,
    password: str | None,
    protocol: str | None,
    file: Path | None,
) -> Answer:
    """Keep a password. It is asked for, or read from standard input, which no process list shows."""
    secret, notes = read_secret("password", password, file)
    entry = CatalogedCredential(protocol=protocol, service=service, username=username, password=secret)

    def placed(session: Session) -> list[CatalogedCredential]:
        return [place(entry, by_key(offline.entries(session, CREDENTIAL).values()))]

    return _ENTRIES.put(flags, placed, newest=True, notes=notes)


@command.command("get", example="password get ftp.example.com")
@click.argument("service")
@USER
@click.option("--raw", is_flag=True, help="Print the password alone.")
@account_flags
def get(flags: Flags, service: str, user: str | None, raw: bool) -> Answer:
    """The password for a service."""

    async def step(session: Session) -> Answer:
        if not raw:
            return _ENTRIES.shown(_ENTRIES.of_user(session, service, user))
        password = _ENTRIES.one_of_user(session, service, user).password or ""
        return Answer(lines=[password], tag="ResultPassword", members={"Password": password})

    return on_account(flags, step)


@command.command("delete", example="password delete ftp.example.com")
@click.argument("service")
@USER
@account_flags
def delete(flags: Flags, service: str, user: str | None) -> Answer:
    """Forget a password."""

    async def step(session: Session) -> Answer:
        entry = _ENTRIES.one_of_user(session, service, user)
        key = primary_key(entry) or ""
        done = await offline.write(session, CREDENTIAL, [], deletes=[key])
        members = {"Key": key}
        notes = () if done else (KEPT,)
        return Answer(lines=[f"Deleted {_line(entry)}"], tag="ResultDelete", members=members, notes=notes)

    return on_account(flags, step)


@command.command("list", example="password list")
@account_flags
def list_(flags: Flags) -> Answer:
    """All passwords."""
    return _ENTRIES.listed(flags)


for _one in (import_, git_helper, askpass):
    command.add_command(_one)
