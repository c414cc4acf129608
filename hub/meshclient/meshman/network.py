"""`meshman network`: wireless networks and their passwords (MMM_Network)."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.schema.mesh_object import parse
from mathmesh.stores import NETWORK
from meshclient.meshman.entries import EntryCommands
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.running import Flags, account_flags

STANDARD_INPUT = "-"

_ENTRIES = EntryCommands(
    NETWORK,
    CatalogedNetwork,
    what="network",
    line=lambda entry: f"{entry.service} = [{entry.password}]",
    names=lambda entry: (entry.service, f"{entry.protocol or ''}:{entry.service or ''}", entry.local_name),
)


@click.group("network", cls=MeshGroup)
def command() -> None:
    """Networks and their passwords."""


@command.command("add", example="network add myWiFi password")
@click.argument("ssid")
@click.argument("password")
@click.option("--username", metavar="NAME", help="The user's name, where the network asks for one.")
@account_flags
def add(flags: Flags, ssid: str, password: str, username: str | None) -> Answer:
    """Keep a network's password; `-` reads it from standard input."""
    secret = sys.stdin.read().rstrip("\n") if password == STANDARD_INPUT else password
    entry = CatalogedNetwork(service=ssid, username=username, password=secret)
    return _ENTRIES.put(flags, lambda _: [entry])


@command.command("import", example="network import network.json")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@account_flags
def import_(flags: Flags, file: Path) -> Answer:
    """Take in the CatalogedNetwork in a JSON file."""
    entry = parse(file.read_bytes())
    if not isinstance(entry, CatalogedNetwork):
        raise click.UsageError(f"{file} holds a {entry.tag}, not a network.")
    return _ENTRIES.put(flags, lambda _: [entry])


@command.command("get", example="network get myWiFi")
@click.argument("ssid")
@account_flags
def get(flags: Flags, ssid: str) -> Answer:
    """The password of a network."""
    return _ENTRIES.get(flags, ssid)


@command.command("delete", example="network delete myWiFi")
@click.argument("ssid")
@account_flags
def delete(flags: Flags, ssid: str) -> Answer:
    """Forget a network."""
    return _ENTRIES.delete(flags, ssid)


@command.command("list", example="network list")
@account_flags
def list_(flags: Flags) -> Answer:
    """All networks."""
    return _ENTRIES.listed(flags)
