"""`meshman mail`: mail accounts and their keys for OpenPGP and S/MIME (MMM_Application)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mathmesh.codec import uri
from mathmesh.dare.content_meta import format_time
from mathmesh.errors import PolicyError
from mathmesh.messaging.granting import canonical_roles
from mathmesh.schema.application import CatalogedApplicationMail
from meshclient.applications import granting, mail, smime
from meshclient.meshman.applications import EXISTING, as_of_now
from meshclient.meshman.entries import one_object
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.mail_keys import RESULT, find, openpgp_, smime_
from meshclient.meshman.running import Flags, account_flags, on_account, role_flags
from meshclient.session import Session

DEFAULT_ROLE = "web"


@click.group("mail", cls=MeshGroup)
def command() -> None:
    """Mail accounts and their keys."""


@command.command("add", example='mail add alice@example.com /name "Alice Example" /web')
@click.argument("address")
@click.option("--name", metavar="NAME", help="The person's name in the OpenPGP key.")
@click.option("--inbound", metavar="URI", help="Where mail is fetched, such as imaps://mail.example.com.")
@click.option("--outbound", metavar="URI", help="Where mail is sent, such as smtps://mail.example.com.")
@click.option("--only", type=click.Choice(mail.KINDS), help="Only keys of this kind.  [default: both]")
@click.option(
    "--replace",
    is_flag=True,
    help="Make new keys in place of the old ones; old mail opens with those alone.",
)
@role_flags
@account_flags
def add(
    flags: Flags,
    address: str,
    roles: tuple[str, ...],
    name: str | None,
    inbound: str | None,
    outbound: str | None,
    only: str | None,
    replace: bool,
) -> Answer:
    """Make keys for a mail account. Devices with one of the roles (web if none is given) are given them."""

    async def step(session: Session) -> Answer:
        return await _add(
            session,
            address,
            (only,) if only else mail.KINDS,
            grant=canonical_roles(roles or (DEFAULT_ROLE,)),
            replace=replace,
            inbound=inbound,
            outbound=outbound,
            local_name=name,
        )

    return on_account(flags, step, sync=True)


@command.command("get", example="mail get alice@example.com")
@click.argument("address", required=False)
@account_flags
def get(flags: Flags, address: str | None) -> Answer:
    """A mail account: its servers, and the fingerprints of its keys."""
    return as_of_now(flags, lambda session: _shown([find(session, address)]))


@command.command("list", example="mail list")
@account_flags
def list_(flags: Flags) -> Answer:
    """All mail accounts."""

    async def step(session: Session) -> Answer:
        found = granting.of_kind(session, CatalogedApplicationMail)
        lines = [f"{one.account_address}{f' {one.local_name}' if one.local_name else ''}" for one in found]
        return Answer(lines=lines, tag=RESULT, members={"Accounts": [_members(one) for one in found]})

    return on_account(flags, step)


@command.command("import", example="mail import alice.crt alice@example.com")
@click.argument("file", type=EXISTING)
@click.argument("address", required=False)
@account_flags
def import_(flags: Flags, file: Path, address: str | None) -> Answer:
    """Take in an authority's certificate for an S/MIME key (PEM), or a CatalogedApplicationMail in JSON.

    Of the latter the address and the servers are taken; its keys are made here.
    """
    octets = file.read_bytes()

    async def step(session: Session) -> Answer:
        if b"-----BEGIN CERTIFICATE-----" in octets:
            made, keys, use = mail.with_certificates(session, find(session, address), octets)
            await granting.add(session, made, keys)
            answer = _shown([made])
            return Answer(
                lines=[f"Certificate for = {use}", *answer.lines], tag=RESULT, members=answer.members
            )
        stated = one_object(file, octets, CatalogedApplicationMail, "S/MIME certificate")
        return await _add(
            session,
            stated.account_address or address or "",
            mail.KINDS,
            grant=canonical_roles(stated.grant or (DEFAULT_ROLE,)),
            inbound=stated.inbound_connect,
            outbound=stated.outbound_connect,
            local_name=stated.local_name,
        )

    return on_account(flags, step, sync=True)


@command.command("delete", example="mail delete alice@example.com")
@click.argument("address")
@account_flags
def delete(flags: Flags, address: str) -> Answer:
    """Delete a mail account and its keys from all devices: mail encrypted to them opens no more."""

    async def step(session: Session) -> Answer:
        entry = find(session, address)
        await granting.remove(session, entry)
        return Answer(
            lines=[f"Deleted {entry.account_address}"], tag="ResultDelete", members={"Key": entry.key}
        )

    return on_account(flags, step, sync=True)


async def _add(
    session: Session,
    address: str,
    kinds: tuple[str, ...],
    *,
    grant: tuple[str, ...],
    replace: bool = False,
    inbound: str | None = None,
    outbound: str | None = None,
    local_name: str | None = None,
) -> Answer:
    address = uri.account_address(address)
    before = next(
        (
            one
            for one in granting.of_kind(session, CatalogedApplicationMail)
            if one.account_address == address
        ),
        None,
    )
    if before is not None and not replace:
        raise PolicyError(f"there are keys of {address} already; /replace makes others")
    keys = mail.make_keys(address, kinds, entropy=session.context.entropy, now=session.now)
    made = mail.make_entry(
        session,
        address,
        keys,
        grant=grant,
        inbound=inbound or (before.inbound_connect if before else None),
        outbound=outbound or (before.outbound_connect if before else None),
        local_name=local_name or (before.local_name if before else None),
    )
    mail.user_id(made)
    given = await granting.add(session, made, keys)
    answer = _shown([made])
    members = {**answer.members, "Devices": given}
    return Answer(lines=[*answer.lines, f"Devices = {given}"], tag=RESULT, members=members)


def _shown(entries: list[CatalogedApplicationMail]) -> Answer:
    lines = []
    for members in map(_members, entries):
        for name, value in members.items():
            shown = ",".join(value) if isinstance(value, list) else value
            if isinstance(shown, dict):
                lines += [f"{name} {part} = {text}" for part, text in shown.items()]
            elif shown is not None:
                lines.append(f"{name} = {shown}")
    return Answer(lines=lines, tag=RESULT, members={"Accounts": [_members(one) for one in entries]})


def _members(entry: CatalogedApplicationMail) -> dict[str, Any]:
    members: dict[str, Any] = {
        "Address": entry.account_address,
        "Name": entry.local_name,
        "Inbound": entry.inbound_connect,
        "Outbound": entry.outbound_connect,
        "Roles": list(entry.grant or ()),
        "OpenPGP": mail.openpgp_fingerprint(entry),
    }
    for name, data in (("SmimeSign", entry.smime_sign), ("SmimeEncrypt", entry.smime_encrypt)):
        if data is not None:
            issuer, digest, end = smime.certificate_facts(data)
            members[name] = {"SHA256": digest, "Issuer": issuer, "NotOnOrAfter": format_time(end)}
    return {name: value for name, value in members.items() if value is not None}


for _one in (smime_, openpgp_):
    command.add_command(_one)
