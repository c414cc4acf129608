"""`meshman vpn`: WireGuard tunnels of the account's devices (MMM_Application)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mathmesh.errors import PolicyError
from mathmesh.messaging.granting import canonical_roles
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.vpn import ActivationApplicationVpn, CatalogedApplicationVpn
from meshclient import devices
from meshclient.applications import granting, renewal, wireguard
from meshclient.meshman.applications import FILE, as_of_now, write_new
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.running import Flags, account_flags, on_account, role_flags
from meshclient.session import Session

RESULT = "ResultVpn"
DEFAULT_ROLE = "web"


@click.group("vpn", cls=MeshGroup)
def command() -> None:
    """WireGuard tunnels."""


@command.command(
    "create",
    example="vpn create home /address 10.8.0.2/24 /allowed 10.8.0.0/24 /endpoint vpn.example.com:51820 "
    "/peer 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=",
)
@click.argument("name")
@click.option(
    "--address", multiple=True, required=True, metavar="ADDRESS/LENGTH", help="The client's address."
)
@click.option("--peer", required=True, metavar="KEY", help="The public key of the other end.")
@click.option("--endpoint", metavar="HOST:PORT", help="Where the other end is.")
@click.option(
    "--allowed", multiple=True, required=True, metavar="NETWORK", help="What is reached through it."
)
@click.option("--dns", multiple=True, metavar="ADDRESS", help="A name server that is used with it.")
@click.option("--only", metavar="DEVICE", help="Only for this device, by its UDF or friendly name.")
@role_flags
@account_flags
def create(
    flags: Flags,
    name: str,
    roles: tuple[str, ...],
    address: tuple[str, ...],
    peer: str,
    endpoint: str | None,
    allowed: tuple[str, ...],
    dns: tuple[str, ...],
    only: str | None,
) -> Answer:
    """Make a key and the settings of a tunnel, for devices with one of the roles (web if none is given).

    Two devices that are connected with one key at the same time disturb each other: a tunnel for each of
    them is made with /only.
    """
    if only is not None and roles:
        raise click.UsageError("A tunnel is for one device or for roles.")
    tunnel = renewal.Tunnel(
        addresses=tuple(map(wireguard.parse_interface, address)),
        dns=tuple(map(wireguard.parse_address, dns)),
        peers=(wireguard.make_peer(peer, endpoint, allowed),),
    )

    async def step(session: Session) -> Answer:
        if any(
            (one.local_name or "").lower() == name.lower()
            for one in granting.of_kind(session, CatalogedApplicationVpn)
        ):
            raise PolicyError(f"there is a tunnel {name} already; choose another name")
        grant = canonical_roles(roles or (DEFAULT_ROLE,))
        if only is not None:
            grant = (granting.DEVICE_GRANT + (devices.find(session, only).device_udf or ""),)
        entry, keys = renewal.make_vpn(session, tunnel, grant, local_name=name)
        given = await granting.add(session, entry, keys)
        answer = _shown(entry)
        lines = [*answer.lines, f"Devices = {given}"]
        return Answer(lines=lines, tag=RESULT, members={**answer.members, "Devices": given})

    return on_account(flags, step, sync=True)


@command.command("get", example="vpn get home /file wg0.conf")
@click.argument("name", required=False)
@click.option("--file", type=FILE, help="Write the configuration for wg-quick, with the private key.")
@click.option("--server", is_flag=True, help="Print what the other end needs; it holds no secret.")
@account_flags
def get(flags: Flags, name: str | None, file: Path | None, server: bool) -> Answer:
    """A tunnel, by its name or the UDF of its key. The private key is shown nowhere."""
    if server and file is not None:
        raise click.UsageError("Give /file or /server.")

    def step(session: Session) -> Answer:
        entry = granting.find(session, name, CatalogedApplicationVpn)
        if server:
            text = wireguard.server_section(entry)
            return Answer(lines=text.splitlines(), tag=RESULT, members={"Text": text})
        if file is None:
            return _shown(entry)
        keys = granting.own_activation(session, entry)
        assert isinstance(keys, ActivationApplicationVpn)
        assert isinstance(keys.client_key, KeyData)
        private = keys.client_key.private_key()
        write_new(file, wireguard.configuration(entry, private).encode(), private=True)
        return Answer(lines=[f"File = {file}"], tag=RESULT, members={"File": str(file)})

    return as_of_now(flags, step)


@command.command("list", example="vpn list")
@account_flags
def list_(flags: Flags) -> Answer:
    """All tunnels."""

    async def step(session: Session) -> Answer:
        found = granting.of_kind(session, CatalogedApplicationVpn)
        lines = [f"{one.local_name} {one.key} {','.join(one.grant or ())}" for one in found]
        return Answer(lines=lines, tag=RESULT, members={"Tunnels": [_members(one) for one in found]})

    return on_account(flags, step)


@command.command("delete", example="vpn delete home")
@click.argument("name")
@account_flags
def delete(flags: Flags, name: str) -> Answer:
    """Delete a tunnel and its key from all devices; the other end takes it until its section is removed."""

    async def step(session: Session) -> Answer:
        entry = granting.find(session, name, CatalogedApplicationVpn)
        await granting.remove(session, entry)
        return Answer(lines=[f"Deleted {entry.local_name}"], tag="ResultDelete", members={"Key": entry.key})

    return on_account(flags, step, sync=True)


def _shown(entry: CatalogedApplicationVpn) -> Answer:
    members = _members(entry)
    lines = [
        f"{name} = {', '.join(value) if isinstance(value, list) else value}"
        for name, value in members.items()
    ]
    return Answer(lines=lines, tag=RESULT, members={"Tunnels": [members]})


def _members(entry: CatalogedApplicationVpn) -> dict[str, Any]:
    assert entry.client_key is not None  # verified with the entry
    return {
        "Name": entry.local_name,
        "UDF": entry.key,
        "PublicKey": wireguard.key_text(entry.client_key.public_key()),
        "Address": list(entry.addresses or ()),
        "Endpoint": [one.endpoint for one in entry.peers or () if one.endpoint],
        "Roles": list(entry.grant or ()),
    }
