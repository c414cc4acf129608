"""`meshman contact`: the contacts of an account, and their exchange by message or code."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError
from mathmesh.keys import ids
from mathmesh.messaging import contact as contacts
from mathmesh.schema.cataloged import CatalogedContact
from mathmesh.schema.contact import Contact, ContactPerson, NetworkAddress, PersonName
from mathmesh.schema.verify import VerifiedContact
from mathmesh.stores import CONTACT
from meshclient import correspondence, qr
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.message import send_contact
from meshclient.meshman.running import Flags, account_flags, on_account
from meshclient.session import Session

HOURS = click.option("--expire", type=click.IntRange(1, 24 * 30), default=1, show_default=True, help="Hours.")
PICTURE = click.option(
    "--qr", "file", type=click.Path(dir_okay=False, path_type=Path), help="Picture of the code."
)


@click.group("contact", cls=MeshGroup)
def command() -> None:
    """Contacts of an account."""


@command.command("request", example="contact request alice@example.com")
@click.argument("recipient")
@click.option("--subject", metavar="TEXT", help="What the recipient reads with it.")
@account_flags
def request(flags: Flags, recipient: str, subject: str | None) -> Answer:
    """Send the own contact to an address and ask for that one's; the same as `message contact`."""
    return send_contact(flags, recipient, subject)


@command.command("list", example="contact list")
@account_flags
def list_(flags: Flags) -> Answer:
    """The contacts, the own one included."""

    async def step(session: Session) -> Answer:
        entries = [one for one in session.contacts() if isinstance(one, CatalogedContact)]
        return Answer(
            lines=[line for one in entries for line in _lines(one)],
            tag="ResultDump",
            members={"Contacts": [_members(one) for one in entries]},
        )

    return on_account(flags, step)


@command.command("get", example="contact get bob@example.com")
@click.argument("name")
@account_flags
def get(flags: Flags, name: str) -> Answer:
    """One contact, by address, key or UDF."""

    async def step(session: Session) -> Answer:
        entry = _find(session, name)
        members = {**_members(entry), "Entry": entry.to_json()}
        return Answer(lines=_lines(entry), tag="ResultEntry", members=members)

    return on_account(flags, step)


@command.command("static", example="contact static /qr card.svg")
@PICTURE
@account_flags
def static(flags: Flags, file: Path | None) -> Answer:
    """A code for print: whoever reads it exchanges contacts with this account."""
    return _published(flags, None, file)


@command.command("dynamic", example="contact dynamic /expire=1")
@HOURS
@PICTURE
@account_flags
def dynamic(flags: Flags, expire: int, file: Path | None) -> Answer:
    """A code for the screen, valid for a while."""
    return _published(flags, timedelta(hours=expire), file)


@command.command("fetch", example="contact fetch mcu://alice@example.com/EEBH-…")
@click.argument("code")
@account_flags
def fetch(flags: Flags, code: str) -> Answer:
    """Take in the contact behind a code; the own one is not sent."""
    return _read(flags, code, exchange=False)


@command.command("exchange", example="contact exchange mcu://alice@example.com/EEBH-…")
@click.argument("code")
@account_flags
def exchange(flags: Flags, code: str) -> Answer:
    """Take in the contact behind a code and send the own one back."""
    return _read(flags, code, exchange=True)


@command.command("accept", example="contact accept NBXV-…")
@click.argument("message")
@account_flags
def accept(flags: Flags, message: str) -> Answer:
    """Accept a contact that was sent; the same as `message accept`."""
    from meshclient import inbox

    async def step(session: Session) -> Answer:
        item = (await inbox.inbound(session)).find(message)
        done = await correspondence.accept(session, item)
        return Answer(lines=["Result: Accept", done.text], tag="ResultProcess", members={"Result": "Accept"})

    return on_account(flags, step, sync=True)


@command.command("add", example="contact add carol@example.org /name Carol")
@click.argument("address")
@click.option("--name", metavar="NAME", help="The person's name.")
@account_flags
def add(flags: Flags, address: str, name: str | None) -> Answer:
    """Write an address down. It has no keys: nothing can be encrypted to it, nothing is verified."""

    async def step(session: Session) -> Answer:
        key = ids.nonce_id(session.context.entropy)
        entry = CatalogedContact(
            key=key,
            local_name=name,
            contact=ContactPerson(
                id=key,
                common_names=(PersonName(full_name=name),) if name else None,
                network_addresses=(NetworkAddress(address=address),),
            ),
        )
        await session.context.update(CONTACT, [entry])
        return Answer(lines=_lines(entry), tag="ResultEntry", members=_members(entry))

    return on_account(flags, step, sync=True)


@command.command("import", example="contact import bob.dare")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@account_flags
def import_(flags: Flags, file: Path) -> Answer:
    """Take in the signed contact in a file."""

    envelope = Envelope.from_bytes(file.read_bytes())

    async def step(session: Session) -> Answer:
        entry = contacts.entry_for(session.contacts(), envelope, session.sender)
        await session.context.update(CONTACT, [entry])
        return Answer(lines=_lines(entry), tag="ResultEntry", members=_members(entry))

    return on_account(flags, step, sync=True)


@command.command("delete", example="contact delete bob@example.com")
@click.argument("name")
@account_flags
def delete(flags: Flags, name: str) -> Answer:
    """Forget a contact."""

    async def step(session: Session) -> Answer:
        entry = _find(session, name)
        if entry.is_self:
            raise PolicyError("this is the account's own contact")
        await session.context.update(CONTACT, [], deletes=[entry.key or ""])
        return Answer(lines=[f"Deleted {entry.key}"], tag="ResultDelete", members={"Key": entry.key})

    return on_account(flags, step, sync=True)


def _published(flags: Flags, life: timedelta | None, file: Path | None) -> Answer:
    async def step(session: Session) -> Answer:
        code = await correspondence.publish_contact(session, life)
        if file is not None:
            qr.write(file, code)
        lines = [code, qr.terminal(code)] if file is None else [code, f"File={file}"]
        return Answer(lines=lines, tag="ResultPublish", members={"URI": code})

    return on_account(flags, step, sync=True)


def _read(flags: Flags, code: str, *, exchange: bool) -> Answer:
    async def step(session: Session) -> Answer:
        found: VerifiedContact = await correspondence.read_contact_code(session, code, exchange=exchange)
        address = found.account.account_address
        members = {"Address": address, "UDF": found.account.udf}
        lines = [f"Anchor {found.account.udf}", f"Address {address}"]
        return Answer(lines=lines, tag="ResultEntry", members=members)

    return on_account(flags, step, sync=True)


def _find(session: Session, name: str) -> CatalogedContact:
    for one in session.contacts():
        if isinstance(one, CatalogedContact) and name.lower() in [text.lower() for text in _names(one)]:
            return one
    raise PolicyError(f"there is no contact {name}")


def _names(entry: CatalogedContact) -> list[str]:
    names = [entry.key or "", entry.local_name or ""]
    if isinstance(entry.contact, Contact):
        names += [one.address or "" for one in entry.contact.network_addresses or ()]
        names += [one.udf or "" for one in entry.contact.anchors or ()]
    return [name for name in names if name]


def _lines(entry: CatalogedContact) -> list[str]:
    contact = entry.contact
    if not isinstance(contact, Contact):
        return [f"Contact {entry.key}"]
    kind = contact.tag.removeprefix("Contact")
    lines = [f"{kind} {entry.key}" + (" (self)" if entry.is_self else "")]
    lines += [f"  Anchor {anchor.udf}" for anchor in contact.anchors or ()]
    lines += [f"  Address {one.address}" for one in contact.network_addresses or ()]
    return lines


def _members(entry: CatalogedContact) -> dict[str, Any]:
    contact = entry.contact
    if not isinstance(contact, Contact):
        return {"Key": entry.key}
    return {
        "Key": entry.key,
        "Self": bool(entry.is_self),
        "Anchors": [anchor.udf for anchor in contact.anchors or ()],
        "Addresses": [one.address for one in contact.network_addresses or ()],
    }
