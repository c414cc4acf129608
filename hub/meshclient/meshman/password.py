"""`meshman password`: user names and passwords (MMM_Credential)."""

from __future__ import annotations

import sys

import click

from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.stores import CREDENTIAL
from meshclient.meshman.entries import EntryCommands
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.running import Flags, account_flags

STANDARD_INPUT = "-"


def _line(entry: CatalogedCredential) -> str:
    return f"{entry.username}@{entry.service} = [{entry.password}]"


_ENTRIES = EntryCommands(
    CREDENTIAL,
    CatalogedCredential,
    what="password",
    line=_line,
    names=lambda entry: (entry.service, f"{entry.protocol or ''}:{entry.service or ''}", entry.local_name),
)


@click.group("password", cls=MeshGroup)
def command() -> None:
    """User names and passwords."""


@command.command("add", example="password add ftp.example.com alice1 password")
@click.argument("service")
@click.argument("username")
@click.argument("password")
@click.option("--protocol", metavar="NAME", help="The protocol that it is for.")
@account_flags
def add(flags: Flags, service: str, username: str, password: str, protocol: str | None) -> Answer:
    """Keep a password; `-` reads it from standard input, where no process list shows it."""
    secret = sys.stdin.read().rstrip("\n") if password == STANDARD_INPUT else password
    entry = CatalogedCredential(protocol=protocol, service=service, username=username, password=secret)
    return _ENTRIES.put(flags, lambda _: [entry])


@command.command("get", example="password get ftp.example.com")
@click.argument("service")
@account_flags
def get(flags: Flags, service: str) -> Answer:
    """The password for a service."""
    return _ENTRIES.get(flags, service)


@command.command("delete", example="password delete ftp.example.com")
@click.argument("service")
@account_flags
def delete(flags: Flags, service: str) -> Answer:
    """Forget a password."""
    return _ENTRIES.delete(flags, service)


@command.command("list", example="password list")
@account_flags
def list_(flags: Flags) -> Answer:
    """All passwords."""
    return _ENTRIES.listed(flags)
