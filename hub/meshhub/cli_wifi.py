"""Commands about the networks that devices are given while they are added: wifi add, list, import, forget."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from meshclient.applications.wifi_import import read_networks
from meshclient.meshman.secret_input import read_secret, secret_file
from meshhub.cli_output import client, common_options, console, print_json, table
from meshhub.plain_text import plain

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def wifi() -> None:
    """The Wi-Fi networks that devices learn while they are added."""


@wifi.command("add", epilog="Example: meshhub wifi add myWiFi")
@click.argument("ssid")
@click.argument("password", required=False)
@click.option("--open", "is_open", is_flag=True, help="The network asks for no password.")
@secret_file
@common_options
def add(
    ssid: str, password: str | None, is_open: bool, file: Path | None, data: Path | None, as_json: bool
) -> None:
    """Let devices join a network. The password is asked for, or read from standard input."""
    if is_open and (password is not None or file is not None):
        raise click.UsageError("An open network has no password.")
    secret, notes = (None, ()) if is_open else read_secret("password", password, file)
    answer = client(data).post("/api/networks", networks=[{"ssid": ssid, "password": secret}])
    _told(answer, as_json, f"Devices that you add from now on join {plain(ssid)}.", *notes)


@wifi.command("import", epilog="Example: meshhub wifi import /etc/wpa_supplicant/wpa_supplicant.conf")
@click.argument("file", type=EXISTING)
@common_options
def import_(file: Path, data: Path | None, as_json: bool) -> None:
    """Take networks from a keyfile of NetworkManager or a wpa_supplicant.conf."""
    read = read_networks(file.read_bytes())
    usable = [one for one in read.found if not one.username]
    notes = [f"Passed over {reason}" for reason in read.passed_over]
    notes += [f"Passed over {one.service}: devices have no user name" for one in read.found if one.username]
    networks = [{"ssid": one.service, "password": one.password} for one in usable]
    if not networks:
        raise click.ClickException("\n".join(["There is no network for devices in the file.", *notes]))
    answer = client(data).post("/api/networks", networks=networks)
    names = ", ".join(plain(one.service or "") for one in usable)
    _told(answer, as_json, f"Devices that you add from now on join {names}.", *notes)


@wifi.command("list", epilog="Example: meshhub wifi list")
@common_options
def list_(data: Path | None, as_json: bool) -> None:
    """The networks that the household knows, without their passwords."""
    answer = client(data).get("/api/networks")
    if as_json:
        print_json(answer)
        return
    if not answer["networks"]:
        click.echo("No networks yet. Add one with `meshhub wifi add SSID`.")
        return
    rows = table("Network", "Password", "Given to devices")
    for one in answer["networks"]:
        rows.add_row(
            escape(plain(one["ssid"])),
            "yes" if one["protected"] else "none",
            "yes" if one["given"] else "no",
        )
    console().print(rows)


@wifi.command("forget", epilog="Example: meshhub wifi forget myWiFi")
@click.argument("ssid")
@common_options
def forget(ssid: str, data: Path | None, as_json: bool) -> None:
    """Give a network to no more devices. Those that have it keep it until they are added anew."""
    answer = client(data).post("/api/networks/forget", ssid=ssid)
    _told(answer, as_json, f"Forgot {plain(ssid)}.")


def _told(answer: object, as_json: bool, text: str, *notes: str) -> None:
    if as_json:
        print_json(answer)
    else:
        click.echo(text)
    for note in notes:
        click.echo(note, err=True)
