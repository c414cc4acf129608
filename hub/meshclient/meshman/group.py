"""`meshman group`: groups that an account administers, and their members."""

from __future__ import annotations

from typing import Any

import click

from mathmesh.messaging.group import shares_in
from mathmesh.schema.cataloged import CatalogedMember
from meshclient import groups
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.running import Flags, account_flags, on_account
from meshclient.session import Session

GROUP = click.argument("group")
MEMBER = click.argument("member")


@click.group("group", cls=MeshGroup)
def command() -> None:
    """Groups: what is encrypted to one, its members open."""


@command.command("create", example="group create groupw@example.com")
@GROUP
@account_flags
def create(flags: Flags, group: str) -> Answer:
    """Make a group that this account administers. It has no members yet, not even this account."""

    async def step(session: Session) -> Answer:
        udf = await groups.create(session, group)
        members = {"Account": group.lower(), "UDF": udf}
        return Answer(lines=[f"Account={group.lower()}", f"UDF={udf}"], tag="ResultGroup", members=members)

    return on_account(flags, step, sync=True)


@command.command("add", example="group add groupw@example.com bob@example.com")
@GROUP
@MEMBER
@click.option("--text", metavar="TEXT", help="What the new member reads with the invitation.")
@account_flags
def add(flags: Flags, group: str, member: str, text: str | None) -> Answer:
    """Make a contact a member."""

    async def step(session: Session) -> Answer:
        return _entry(await groups.add(session, group.lower(), member, text))

    return on_account(flags, step, sync=True)


@command.command("get", example="group get groupw@example.com bob@example.com")
@GROUP
@MEMBER
@account_flags
def get(flags: Flags, group: str, member: str) -> Answer:
    """One member."""

    async def step(session: Session) -> Answer:
        return _entry(await groups.get(session, group.lower(), member))

    return on_account(flags, step)


@command.command("delete", example="group delete groupw@example.com bob@example.com")
@GROUP
@MEMBER
@account_flags
def delete(flags: Flags, group: str, member: str) -> Answer:
    """Take a member out: what was encrypted to the group opens for it no more."""

    async def step(session: Session) -> Answer:
        return _entry(await groups.delete(session, group.lower(), member))

    return on_account(flags, step, sync=True)


@command.command("list", example="group list groupw@example.com")
@click.argument("group", required=False)
@account_flags
def list_(flags: Flags, group: str | None) -> Answer:
    """The members of a group that this account administers; without GROUP, its groups."""

    async def step(session: Session) -> Answer:
        if group is None:
            names = [groups.address_of(entry) for entry in groups.listed(session)]
            shares = shares_in(session.contacts(), session.now)
            joined = sorted({(profile.account_address or "").lower() for profile, _ in shares})
            lines = [*names, *(f"{one} (member)" for one in joined if one not in names)]
            return Answer(lines=lines, tag="ResultDump", members={"Groups": names, "MemberOf": joined})
        found = await groups.members(session, group.lower())
        lines = [line for entry in found for line in _lines(entry)]
        return Answer(lines=lines, tag="ResultDump", members={"Members": [_members(one) for one in found]})

    return on_account(flags, step)


def _entry(entry: CatalogedMember) -> Answer:
    return Answer(lines=_lines(entry), tag="ResultEntry", members=_members(entry))


def _lines(entry: CatalogedMember) -> list[str]:
    return [f"{name}: {value}" for name, value in _members(entry).items()]


def _members(entry: CatalogedMember) -> dict[str, Any]:
    return {
        "ContactAddress": entry.contact_address,
        "MemberCapabilityId": entry.member_capability_id,
        "ServiceCapabilityId": entry.service_capability_id,
    }
