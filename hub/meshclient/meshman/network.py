"""`meshman network`: wireless networks and their passwords (MMM_Network)."""

from __future__ import annotations

from pathlib import Path

import click

from mathmesh.errors import EncodingError
from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.stores import NETWORK
from meshclient import offline
from meshclient.applications import wifi
from meshclient.applications.wifi_import import read_networks
from meshclient.meshman.applications import EXISTING
from meshclient.meshman.entries import EntryCommands
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.running import Flags, account_flags
from meshclient.meshman.secret_input import read_secret, secret_file
from meshclient.session import Session


def _line(entry: CatalogedNetwork) -> str:
    user = f"{entry.username}@" if entry.username else ""
    return f"{user}{entry.service} = [{entry.password or ''}]"


_ENTRIES = EntryCommands(
    NETWORK,
    CatalogedNetwork,
    what="network",
    line=_line,
    names=lambda entry: (entry.service, f"{entry.protocol or ''}:{entry.service or ''}", entry.local_name),
)


@click.group("network", cls=MeshGroup)
def command() -> None:
    """Wi-Fi networks and their passwords."""


@command.command("add", example="network add myWiFi")
@click.argument("ssid")
@click.argument("password", required=False)
@click.option("--username", metavar="NAME", help="The user's name, where the network asks for one.")
@click.option("--open", "is_open", is_flag=True, help="The network asks for no password.")
@click.option("--devices", is_flag=True, help="A hub gives it to devices; without any, all are given.")
@secret_file
@account_flags
def add(
    flags: Flags,
    ssid: str,
    password: str | None,
    username: str | None,
    is_open: bool,
    devices: bool,
    file: Path | None,
) -> Answer:
    """Keep a network's password. It is asked for, or read from standard input."""
    if is_open and (password is not None or file is not None):
        raise click.UsageError("An open network has no password.")
    secret, notes = (None, ()) if is_open else read_secret("password", password, file)
    entry = wifi.make_network(ssid, secret, username=username, for_devices=devices)
    return _ENTRIES.put(flags, lambda session: _placed(session, [entry]), newest=True, notes=notes)


@command.command("import", example="network import Home.nmconnection")
@click.argument("files", nargs=-1, required=True, type=EXISTING)
@account_flags
def import_(flags: Flags, files: tuple[Path, ...]) -> Answer:
    """Take in networks: keyfiles of NetworkManager, wpa_supplicant.conf, or a CatalogedNetwork in JSON."""
    found: dict[str | None, CatalogedNetwork] = {}
    notes: list[str] = []
    for file in files:
        try:
            read = read_networks(file.read_bytes())
        except EncodingError as wrong:
            raise EncodingError(f"{file}: {wrong}") from None
        found |= {entry.service: entry for entry in read.found}
        notes += [f"Passed over {reason}" for reason in read.passed_over]
    return _ENTRIES.take_in(flags, lambda session: _placed(session, list(found.values())), notes)


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


def _placed(session: Session, entries: list[CatalogedNetwork]) -> list[CatalogedNetwork]:
    present = list(offline.entries(session, NETWORK).values())
    return [wifi.place(entry, present) for entry in entries]
