"""`meshman device`: joining an account with this machine, and the devices of an account."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import click

from mathmesh.dare.content_meta import format_time
from mathmesh.errors import PolicyError
from meshclient import devices, inbox, qr, withdrawal
from meshclient.account_keys import SeedKeys
from meshclient.context import utc_now
from meshclient.machine import Machine
from meshclient.meshman.applications import after_removal
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.running import (
    Flags,
    account_flags,
    home_flag,
    on_account,
    role_flags,
    until_flag,
    with_directory,
)
from meshclient.private_file import write_private
from meshclient.session import ServiceDirectory, Session

MEDK = ".medk"


@click.group("device", cls=MeshGroup)
def command() -> None:
    """Devices of an account."""


@command.command("request", example="device request alice@example.com /pin ADKW-…")
@click.argument("account")
@click.option("--pin", metavar="PIN", help="The PIN that the account's administrator gave out.")
@click.option("--name", "local_name", metavar="NAME", help="A local name for the account.")
@role_flags
@home_flag
def request(
    machine: Machine, account: str, pin: str | None, local_name: str | None, roles: tuple[str, ...]
) -> Answer:
    """Ask for the connection of this machine to an account; its administrator compares the witness."""

    async def step(directory: ServiceDirectory) -> Answer:
        requested = await devices.request_connection(
            machine,
            account,
            directory,
            pin=pin,
            roles=roles,
            entropy=os.urandom,
            clock=utc_now,
            local_name=local_name,
        )
        device = requested.pending.device_udf
        lines = [f"Device UDF = {device}", f"Witness value = {requested.witness}"]
        members = {
            "DeviceUDF": device,
            "Witness": requested.witness,
            "Account": requested.profile.account_address,
            "AccountUDF": requested.profile.udf,
        }
        return Answer(lines=lines, tag="ResultConnect", members=members)

    return with_directory(machine, step)


@command.command("join", example="device join mcu://alice@example.com/ADKW-…")
@click.argument("code")
@click.option("--name", "local_name", metavar="NAME", help="A local name for the account.")
@home_flag
@click.pass_context
def join(ctx: click.Context, machine: Machine, code: str, local_name: str | None) -> Answer:
    """Ask for the connection of this machine with the code that the account's administrator shows."""

    async def step(directory: ServiceDirectory) -> Answer:
        requested = await devices.request_connection(
            machine, code, directory, entropy=os.urandom, clock=utc_now, local_name=local_name
        )
        device = requested.pending.device_udf
        lines = [f"Device UDF = {device}", f"Witness value = {requested.witness}"]
        members = {"DeviceUDF": device, "Witness": requested.witness}
        return Answer(lines=lines, tag="ResultConnect", members=members)

    return with_directory(machine, step)


@command.command("complete", example="device complete")
@click.argument("account", required=False)
@home_flag
def complete(machine: Machine, account: str | None) -> Answer:
    """Fetch the answer to this machine's request; accepted, it is a device of the account."""
    file = machine.waiting(account)

    async def step(directory: ServiceDirectory) -> Answer:
        found = await devices.complete(machine, file, directory, clock=utc_now)
        if found is None:
            raise PolicyError("there is no answer yet; ask again later")
        answer, made = found
        if answer.device is None or made is None:
            raise PolicyError(f"the request was answered with {answer.message.result}")
        lines = [
            f"Device UDF = {answer.device.profile_device.udf}",
            f"Account = {made.keys.address}",
            f"Account UDF = {made.keys.id}",
        ]
        members = {
            "DeviceUDF": answer.device.profile_device.udf,
            "Account": made.keys.address,
            "AccountUDF": made.keys.id,
        }
        return Answer(lines=lines, tag="ResultConnect", members=members)

    done = with_directory(machine, step)
    on_account(Flags(home=machine.home, account=str(done.members["Account"])), _nothing, sync=True)
    return done


def _until(expires: datetime | None) -> str:
    return f" until {format_time(expires)}" if expires is not None else ""


def _time(expires: datetime | None) -> str | None:
    return format_time(expires) if expires is not None else None


def _told(session: Session, renewed: bool) -> list[str]:
    """What is to be said of keys that must be renewed on a machine with the account's seed."""
    if not renewed or isinstance(session.context.keys, SeedKeys):
        return []
    return ["Keys that it had are renewed when the account's first administrator syncs next."]


async def _nothing(session: Session) -> Answer:
    return Answer(members={"Account": session.address})


@command.command("pending", example="device pending")
@account_flags
def pending(flags: Flags) -> Answer:
    """The requests for connection that wait for an answer."""

    async def step(session: Session) -> Answer:
        lines: list[str] = []
        found = []
        for one in await devices.pending(session):
            device = one.acknowledged.requested.profile_device.udf
            sender = one.item.message.sender or device
            lines += [
                f"MessageID: {one.item.message_id}",
                "        Connection Request::",
                f"        MessageID: {one.item.message_id}",
                f"        To: {session.address} From: {sender}",
                f"        Device:  {device}",
                f"        Witness: {one.acknowledged.witness}",
            ]
            found.append(
                {
                    "MessageID": one.item.message_id,
                    "Device": device,
                    "Witness": one.acknowledged.witness,
                    "To": session.address,
                    "From": sender,
                }
            )
        return Answer(lines=lines, tag="ResultPending", members={"Messages": found})

    return on_account(flags, step, sync=True)


@command.command("accept", example="device accept NCXL-… /message /web")
@click.argument("witness")
@click.option("--name", metavar="NAME", help="A friendly name for the device.")
@role_flags
@until_flag
@account_flags
def accept(
    flags: Flags, witness: str, roles: tuple[str, ...], name: str | None, expires: datetime | None
) -> Answer:
    """Take a device in whose witness, compared with what it shows, is this one."""

    async def step(session: Session) -> Answer:
        item = (await inbox.inbound(session)).find(witness)
        if not item.is_open:
            raise PolicyError("this request was answered already")
        acknowledged = await devices.acknowledged(session, item)
        granted = roles or acknowledged.roles or ("device",)
        entry = await devices.accept(session, acknowledged, granted, name, expires=expires)
        lines = ["Result: Accept", f"Added device: {entry.device_udf}"]
        members = {"Result": "Accept", "DeviceUDF": entry.device_udf}
        return Answer(lines=lines, tag="ResultConnectProcess", members=members)

    return on_account(flags, step, sync=True)


@command.command("reject", example="device reject NCXL-…")
@click.argument("witness")
@account_flags
def reject(flags: Flags, witness: str) -> Answer:
    """Refuse a device."""

    async def step(session: Session) -> Answer:
        item = (await inbox.inbound(session)).find(witness)
        await devices.reject(session, await devices.acknowledged(session, item))
        return Answer(lines=["Result: Reject"], tag="ResultConnectProcess", members={"Result": "Reject"})

    return on_account(flags, step, sync=True)


@command.command("list", example="device list")
@account_flags
def list_(flags: Flags) -> Answer:
    """The devices of the account."""

    async def step(session: Session) -> Answer:
        lines, found = [], []
        for entry in devices.listed(session):
            one = devices.standing(session, entry)
            name = f" {entry.local_name}" if entry.local_name else ""
            ends = " ended" if one.has_ended(session.now) else _until(one.expires)
            lines.append(f"{entry.device_udf} {','.join(one.roles) or 'null'}{name}{ends}")
            found.append(
                {
                    "DeviceUDF": entry.device_udf,
                    "LocalName": entry.local_name,
                    "Roles": list(one.roles),
                    "Expires": _time(one.expires),
                }
            )
        return Answer(lines=lines, tag="ResultList", members={"Devices": found})

    return on_account(flags, step)


@command.command("auth", example="device auth MCWL-… /web /until=30d")
@click.argument("device")
@role_flags
@until_flag
@account_flags
def auth(flags: Flags, device: str, roles: tuple[str, ...], expires: datetime | None) -> Answer:
    """Give a device these roles and no others; the keys that it loses are renewed."""

    async def step(session: Session) -> Answer:
        entry = devices.find(session, device)
        renewed = await withdrawal.change_roles(session, entry, roles or ("null",), expires)
        lines = [f"Device {entry.device_udf}: {','.join(roles) or 'null'}{_until(expires)}"]
        members = {"DeviceUDF": entry.device_udf, "Roles": list(roles), "Expires": _time(expires)}
        return Answer(lines=lines, tag="ResultAuthorize", members=members, notes=_told(session, renewed))

    return on_account(flags, step, sync=True)


@command.command("delete", example="device delete MCWL-…")
@click.argument("device")
@account_flags
def delete(flags: Flags, device: str) -> Answer:
    """Take a device out of the account: it is refused from now on, and keys that it had are renewed."""

    async def step(session: Session) -> Answer:
        entry = devices.find(session, device)
        removed = await withdrawal.delete(session, entry)
        renewed = bool(withdrawal.keys_of(removed.roles))
        return Answer(
            lines=[f"Deleted {entry.device_udf}"],
            tag="ResultDelete",
            members={"DeviceUDF": entry.device_udf},
            notes=[*_told(session, renewed), *after_removal(entry)],
        )

    return on_account(flags, step, sync=True)


@command.command("preconfig", example="device preconfig /hailing=mmm-wifi://MyDevice /qr label.svg")
@click.option("--hailing", multiple=True, metavar="URI", help="A local transport of the device.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder.")
@click.option("--qr", "picture", type=click.Path(dir_okay=False, path_type=Path), help="Picture of the code.")
@account_flags
def preconfig(flags: Flags, hailing: tuple[str, ...], out: Path, picture: Path | None) -> Answer:
    """Make a device: its file with the seed, and the publication that its label opens."""

    async def step(session: Session) -> Answer:
        made = await devices.preconfigure(session, hailing)
        path = out / (made.connect_uri.rpartition("/")[2] + MEDK)
        write_private(path, made.private.encode())
        if picture is not None:
            qr.write(picture, made.connect_uri)
        members = {"DeviceUDF": made.device_udf, "File": str(path), "URI": made.connect_uri}
        lines = [
            f"Device UDF = {made.device_udf}",
            f"File = {path}",
            f"Connect URI = {made.connect_uri}",
        ]
        return Answer(lines=lines, tag="ResultPreconfigure", members=members)

    return on_account(flags, step, sync=True)


@command.command("install", example="device install EDRL-….medk")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@home_flag
def install(machine: Machine, file: Path) -> Answer:
    """Install the file that its maker wrote for this device; its owner then connects it by the label."""
    made = devices.install(machine, file, now=utc_now())
    lines = [f"Device UDF = {made.keys.id}", "Ready to be connected by its label"]
    return Answer(lines=lines, tag="ResultInstall", members={"DeviceUDF": made.keys.id})
