"""`meshman account`: making, looking at, syncing, sharing out and recovering accounts."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from mathmesh.dare.content_meta import format_time
from mathmesh.errors import PolicyError
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.stores import CATALOGS, SPOOLS
from meshclient import account_setup, blocked, devices, inbox, offline, qr, withdrawal
from meshclient.context import utc_now
from meshclient.correspondence import process_automatic
from meshclient.machine import Machine
from meshclient.meshman.account_copies import export, import_
from meshclient.meshman.account_recovery import account_answer, escrow, purge, recover
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
from meshclient.rehost import rehost
from meshclient.repair import repair
from meshclient.session import ServiceDirectory, Session

CHARACTER_BITS = 5


@click.group("account", cls=MeshGroup)
def command() -> None:
    """Accounts of this machine."""


@command.command("create", example="account create alice@example.com")
@click.argument("address")
@click.option("--name", "local_name", metavar="NAME", help="A local name for the account.")
@click.option("--invitation", metavar="CODE", help="The service's invitation, where it wants one.")
@click.option("--devicename", "device_name", metavar="NAME", help="A friendly name for this machine.")
@home_flag
def create(
    machine: Machine, address: str, local_name: str | None, invitation: str | None, device_name: str | None
) -> Answer:
    """Make a new account, with this machine as its first device and administrator."""

    async def step(directory: ServiceDirectory) -> Answer:
        file = await account_setup.create_account(
            machine,
            address,
            directory,
            entropy=os.urandom,
            clock=utc_now,
            local_name=local_name,
            device_name=device_name,
            invitation=invitation,
        )
        return account_answer(file.keys.address, file.keys.id)

    return with_directory(machine, step)


@command.command("hello", example="account hello alice@example.com")
@click.argument("address")
@home_flag
def hello(machine: Machine, address: str) -> Answer:
    """What the service of an address says of itself."""

    async def step(directory: ServiceDirectory) -> Answer:
        profile, said = await account_setup.service_of(directory, address)
        version = said.version or {}
        number = f"{version.get('Major')}.{version.get('Minor')}"
        members = {"Service": profile.udf, "Version": number}
        return Answer(
            lines=[f"MeshService {number}", f"   UDF = {profile.udf}"], tag="ResultHello", members=members
        )

    return with_directory(machine, step)


@command.command("status", example="account status")
@account_flags
def status(flags: Flags) -> Answer:
    """The stores of the account as they stand at the service."""

    async def step(session: Session) -> Answer:
        return Answer(
            lines=[*_lines(session), *_stores(session)], tag="ResultStatus", members=_members(session)
        )

    return on_account(flags, step, sync=True)


@command.command("info", example="account info")
@account_flags
def info(flags: Flags) -> Answer:
    """The account as it stands on this machine."""

    async def step(session: Session) -> Answer:
        return Answer(
            lines=[*_lines(session), *_stores(session)], tag="ResultInfo", members=_members(session)
        )

    return on_account(flags, step)


@command.command("sync", example="account sync /auto")
@click.option("--repair", "mend", is_flag=True, help="Give a service that was set back what it lost.")
@click.option("--invitation", metavar="CODE", help="With /repair, where the service forgot the account.")
@account_flags
def sync(flags: Flags, mend: bool, invitation: str | None) -> Answer:
    """Fetch what is new; with /auto also do what was agreed to beforehand."""
    quiet = Flags(home=flags.home, account=flags.account)
    if mend:
        return on_account(quiet, lambda session: _repair(session, invitation))

    async def step(session: Session) -> Answer:
        conflicts = await offline.merge(session)
        await withdrawal.finish(session)
        done = await process_automatic(session) if flags.auto else []
        lines = [f"{item.item.message.tag} {item.item.message_id}: {item.text}" for item in done]
        ended = await _delete_ended(session) if flags.auto else []
        lines += [f"Device {name}: its rights have ended; taken out" for name in ended]
        notes = [f"Conflict about {one.key}: choose with `account resolve`" for one in conflicts]
        waiting = len(blocked.heard(session, (await inbox.inbound(session)).items))
        if waiting:
            notes.append(f"Messages that wait for an answer: {waiting}; see `message pending`")
        members = {
            "Account": session.address,
            "Waiting": waiting,
            "Processed": len(done),
            "Ended": ended,
            "Conflicts": [one.key for one in conflicts],
        }
        return Answer(lines=lines, tag="ResultSync", members=members, notes=notes)

    return on_account(quiet, step, sync=True)


async def _repair(session: Session, invitation: str | None) -> Answer:
    done = await repair(session, invitation)
    lines = [f"{session.address}: made again at the service"] if done.bound_again else []
    lines += [f"{name}: {frames} frames given back" for name, frames in done.given_back.items()]
    lines += [f"{name}: brought together with what the service has" for name in done.merged]
    members = {
        "Account": session.address,
        "GivenBack": done.given_back,
        "Merged": done.merged,
        "Conflicts": [one.key for one in done.conflicts],
    }
    notes = [f"Conflict about {one.key}: choose with `account resolve`" for one in done.conflicts]
    return Answer(lines=lines or ["Nothing was missing."], tag="ResultRepair", members=members, notes=notes)


async def _delete_ended(session: Session) -> list[str]:
    if session.context.keys.administrator is None:
        return []
    return [one.entry.device_udf or "" for one in await withdrawal.delete_ended(session)]


@command.command("resolve", example="account resolve :ftp.example.com /mine")
@click.argument("key", required=False)
@click.option("--mine", is_flag=True, help="Write what was written on this machine.")
@click.option("--theirs", is_flag=True, help="Keep what the service has.")
@account_flags
def resolve(flags: Flags, key: str | None, mine: bool, theirs: bool) -> Answer:
    """Decide a conflict of work done offline with that of others; without KEY, list what is kept here."""
    if key is not None and mine == theirs:
        raise click.UsageError("Say /mine or /theirs.")

    async def step(session: Session) -> Answer:
        if key is None:
            lines = []
            for one in offline.kept(session):
                theirs_now = session.context.catalog(one.store).get(one.key)
                lines += [f"{one.store} {one.key}{' conflict' if one.conflict else ''}"]
                lines += [f"   mine:   {_short(one.entry)}", f"   theirs: {_short(theirs_now)}"]
            return Answer(lines=lines, tag="ResultResolve", members={"Lines": lines})
        change = await offline.resolve(session, key, mine=mine)
        return Answer(lines=[f"{change.store} {change.key}: {'mine' if mine else 'theirs'}"])

    return on_account(flags, step, sync=key is not None)


def _short(entry: MeshObject | None) -> str:
    return "deleted" if entry is None else json.dumps(entry.write(), ensure_ascii=False)


@command.command("list", example="account list")
@home_flag
def list_(machine: Machine) -> Answer:
    """The accounts that this machine is in."""
    found = machine.contexts()
    lines = [
        f"{one.keys.address} {one.keys.id} {one.keys.kind}"
        + (f" ({one.keys.local_name})" if one.keys.local_name else "")
        for one in found
    ]
    members = {
        "Accounts": [
            {"Account": one.keys.address, "UDF": one.keys.id, "Kind": one.keys.kind} for one in found
        ]
    }
    return Answer(lines=lines, tag="ResultList", members=members)


@command.command("get", example="account get")
@account_flags
def get(flags: Flags) -> Answer:
    """The profile of the account."""

    async def step(session: Session) -> Answer:
        members = {**_members(session), "Profile": session.context.profile.to_json()}
        return Answer(lines=_lines(session), tag="ResultGet", members=members)

    return on_account(flags, step)


@command.command("rehost", example="account rehost alice@example.net")
@click.argument("address")
@account_flags
def rehost_(flags: Flags, address: str) -> Answer:
    """Move the account to another service: its UDF, contacts and devices stay.

    At the old service it remains until all devices have asked there once and moved too.
    """

    async def step(session: Session) -> Answer:
        udf = session.context.udf
        return account_answer(await rehost(session, address), udf)

    return on_account(flags, step, sync=True)


@command.command("delete", example="account delete alice@example.com")
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@account_flags
def delete(flags: Flags, address: str, yes: bool) -> Answer:
    """Delete an account at its service, or its remains at the one that it has moved from.

    What the service kept is gone, and this machine forgets the account too.
    """
    place = address.lower()
    machine = flags.machine
    if not yes and not click.confirm(f"Delete {place} with everything in it?", err=True):
        raise PolicyError("nothing was deleted")

    async def step(session: Session) -> Answer:
        await account_setup.delete_account(session, place)
        return Answer(lines=[f"Deleted {place}"], tag="ResultDelete", members={"Account": place})

    here = any(one.keys.connected and one.keys.address == place for one in machine.contexts())
    done = on_account(replace(flags, account=flags.account or (place if here else None)), step)
    if here:
        machine.remove(machine.select(place))
    return done


@command.command("default", example="account default alice@example.com")
@click.argument("address")
@home_flag
def default(machine: Machine, address: str) -> Answer:
    """Choose the account that is meant when none is named."""
    file = machine.select(address)
    machine.set_default(file.keys.address)
    return account_answer(file.keys.address, file.keys.id)


@command.command("pin", example="account pin /web /qr invitation.svg")
@role_flags
@click.option("--length", type=click.IntRange(24, 40), default=24, show_default=True, help="Characters.")
@click.option("--expire", type=click.IntRange(1, 30 * 24), default=24, show_default=True, help="Hours.")
@click.option("--ask", is_flag=True, help="Do not accept the device without asking.")
@click.option("--qr", "file", type=click.Path(dir_okay=False, path_type=Path), help="Picture of the URI.")
@click.option("--uri", is_flag=True, help="Show the URI as a QR code.")
@account_flags
def pin(
    flags: Flags, roles: tuple[str, ...], length: int, expire: int, ask: bool, file: Path | None, uri: bool
) -> Answer:
    """A PIN that lets one device into the account, with the roles given."""

    async def step(session: Session) -> Answer:
        octets = length * CHARACTER_BITS // 8
        made, address, expires = await devices.issue_pin(
            session,
            roles or ("device",),
            octets=octets,
            life=timedelta(hours=expire),
            automatic=not ask,
        )
        if file is not None:
            qr.write(file, address)
        members = {"PIN": made, "URI": address, "Expires": format_time(expires)}
        lines = [f"{name}={value}" for name, value in members.items()]
        if file is not None:
            lines.append(f"File={file}")
        if uri:
            lines.append(qr.terminal(address))
        return Answer(lines=lines, tag="ResultPIN", members=members)

    return on_account(flags, step, sync=True)


@command.command("connect", example="account connect mcu://maker@example.com/EDRL-… /web")
@click.argument("code")
@click.option("--name", metavar="NAME", help="A friendly name for the device.")
@role_flags
@until_flag
@account_flags
def connect(
    flags: Flags, code: str, roles: tuple[str, ...], name: str | None, expires: datetime | None
) -> Answer:
    """Connect the device whose label shows this code."""

    async def step(session: Session) -> Answer:
        entry = await devices.claim(session, code, roles or ("device",), name, expires=expires)
        return Answer(
            lines=[f"Device UDF = {entry.device_udf}", f"Account = {session.address}"],
            tag="ResultConnect",
            members={"DeviceUDF": entry.device_udf, "Account": session.address},
        )

    return on_account(flags, step, sync=True)


command.add_command(export)
command.add_command(import_)
command.add_command(escrow)
command.add_command(recover)
command.add_command(purge)


def _lines(session: Session) -> list[str]:
    context = session.context
    return [
        f"Account={session.address}",
        f"UDF={context.udf}",
        f"Service={context.profile.service_udf}",
        f"Device={context.device.profile.udf}",
        f"Roles={','.join(context.keys.roles)}",
    ]


def _members(session: Session) -> dict[str, Any]:
    context = session.context
    return {
        "Account": session.address,
        "UDF": context.udf,
        "Service": context.profile.service_udf,
        "Device": context.device.profile.udf,
        "Roles": list(context.keys.roles),
        "Stores": context.frame_counts(),
    }


def _stores(session: Session) -> list[str]:
    counts = session.context.frame_counts()
    return [f"   {name}: {counts[name]}" for name in (*SPOOLS, *CATALOGS) if name in counts]
