"""`meshman contact`: the contacts of an account, and their exchange by message or code."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError, PolicyError
from mathmesh.keys import ids
from mathmesh.messaging import contact as contacts
from mathmesh.schema.cataloged import CatalogedContact
from mathmesh.schema.contact import (
    Contact,
    ContactOrganization,
    ContactPerson,
    NetworkAddress,
    PersonName,
)
from mathmesh.schema.verify import VerifiedContact
from mathmesh.stores import CONTACT
from meshclient import blocked, correspondence, offline, qr
from meshclient.imports.vcard import is_vcard, read_vcards
from meshclient.meshman.entries import KEPT, imported, write_all
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.message import accept_message, send_contact
from meshclient.meshman.running import Flags, account_flags, on_account
from meshclient.session import Session


def _picture(ctx: click.Context, param: click.Parameter, file: Path | None) -> Path | None:
    """A file that a picture can be written to."""
    if file is not None and file.suffix.lower() not in qr.SUFFIXES:
        raise click.BadParameter(f"{file} ends neither in {' nor in '.join(qr.SUFFIXES)}.")
    return file


HOURS = click.option("--expire", type=click.IntRange(1, 24 * 30), default=1, show_default=True, help="Hours.")
PICTURE = click.option(
    "--qr",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_picture,
    help="Write the code as a picture, .svg or .png.  [default: show it here]",
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
        entries = _all(session)
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
    return accept_message(flags, message, ())


@command.command("add", example='contact add carol@example.org /name="Carol Example"')
@click.argument("address")
@click.option("--name", metavar="NAME", help="The person's name.")
@account_flags
def add(flags: Flags, address: str, name: str | None) -> Answer:
    """Write an address down, or with /name call a contact that is there by that name.

    An address has no keys: nothing can be encrypted to it, nothing is verified. To exchange keys: `contact
    request`, or `contact exchange` with the code that the other one shows.
    """
    if not address.strip():
        raise click.UsageError("ADDRESS is empty.")

    async def step(session: Session) -> Answer:
        known = [one for one in _all(session) if address.strip().lower() in _addresses(one)]
        if known and name is None:
            raise PolicyError(f"{address.strip()} is a contact already; /name gives it a name")
        noted = _noted(address.strip(), name, ids.nonce_id(session.context.entropy))
        entry = replace(known[0], local_name=name) if known else noted
        done = await offline.write(session, CONTACT, [entry])
        notes = () if done else (KEPT,)
        return Answer(lines=_lines(entry), tag="ResultEntry", members=_members(entry), notes=notes)

    return on_account(flags, step)


@command.command("import", example="contact import contacts.vcf")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@account_flags
def import_(flags: Flags, file: Path) -> Answer:
    """Take in an address book, a file of vCards, or the signed contact in a DARE envelope.

    An import that is repeated makes no copies. What a vCard says is verified by nothing.
    """
    octets = file.read_bytes()
    cards = read_vcards(octets) if is_vcard(octets) else None
    envelope = _envelope(file, octets) if cards is None else None

    async def step(session: Session) -> Answer:
        entries = cards or []
        if envelope is not None:
            entries = [contacts.entry_for(session.contacts(), envelope, session.sender)]
        done = await write_all(session, CONTACT, entries)
        lines = [line for entry in entries for line in _lines(entry)]
        members = [_members(entry) for entry in entries]
        return imported("contact", len(entries), lines, members, done=done)

    return on_account(flags, step)


@command.command("delete", example="contact delete bob@example.com")
@click.argument("name")
@account_flags
def delete(flags: Flags, name: str) -> Answer:
    """Forget a contact."""

    async def step(session: Session) -> Answer:
        entry = _find(session, name)
        if entry.is_self:
            raise PolicyError("this is the account's own contact; it stays")
        done = await offline.write(session, CONTACT, [], deletes=[entry.key or ""])
        members = {"Key": entry.key}
        notes = () if done else (KEPT,)
        return Answer(lines=[f"Deleted {entry.key}"], tag="ResultDelete", members=members, notes=notes)

    return on_account(flags, step)


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


def _noted(address: str, name: str | None, key: str) -> CatalogedContact:
    names = (PersonName(full_name=name),) if name else None
    places = (NetworkAddress(address=address),)
    contact = ContactPerson(id=key, common_names=names, network_addresses=places)
    return CatalogedContact(key=key, local_name=name, contact=contact)


def _addresses(entry: CatalogedContact) -> list[str]:
    contact = entry.contact
    places = contact.network_addresses if isinstance(contact, Contact) else None
    return [one.address.lower() for one in places or () if one.address]


def _envelope(file: Path, octets: bytes) -> Envelope:
    try:
        return Envelope.from_bytes(octets)
    except EncodingError:
        raise EncodingError(f"the file {file} is neither a file of vCards nor a signed contact") from None


def _all(session: Session) -> list[CatalogedContact]:
    found = offline.entries(session, CONTACT).values()
    return [one for one in found if isinstance(one, CatalogedContact)]


def _find(session: Session, name: str) -> CatalogedContact:
    wanted = name.lower()
    found = [one for one in _all(session) if wanted in [text.lower() for text in _names(one)]]
    if not found:
        raise PolicyError(f"there is no contact {name}; `contact list` shows all")
    if len(found) > 1:
        keys = ", ".join(one.key or "" for one in found)
        raise PolicyError(f"there are several contacts {name}; name one by its key: {keys}")
    return found[0]


def _names(entry: CatalogedContact) -> list[str]:
    names = [entry.key or "", entry.local_name or "", _name(entry) or ""]
    if isinstance(entry.contact, Contact):
        names += [one.address or "" for one in entry.contact.network_addresses or ()]
        names += [one.udf or "" for one in entry.contact.anchors or ()]
    return [name for name in names if name]


def _name(entry: CatalogedContact) -> str | None:
    """The name that a person reads: the own one for the contact, else what the contact says of itself."""
    contact = entry.contact
    stated: list[str | None] = [entry.local_name]
    if isinstance(contact, ContactPerson):
        stated += [one.full_name for one in contact.common_names or ()]
    elif isinstance(contact, ContactOrganization):
        stated += [one.dba or one.registered_name for one in contact.common_names or ()]
    return next((one for one in stated if one), None)


def _lines(entry: CatalogedContact) -> list[str]:
    contact = entry.contact
    if not isinstance(contact, Contact):
        return [f"Contact {entry.key}"]
    kind = contact.tag.removeprefix("Contact")
    marks = [" (self)"] if entry.is_self else []
    marks += [" (blocked)"] if blocked.LABEL in (entry.labels or ()) else []
    lines = [f"{kind} {entry.key}{''.join(marks)}"]
    name = _name(entry)
    lines += [f"  Name {name}"] if name else []
    lines += [f"  Anchor {anchor.udf}" for anchor in contact.anchors or ()]
    lines += [f"  Address {one.address}" for one in contact.network_addresses or ()]
    return lines


def _members(entry: CatalogedContact) -> dict[str, Any]:
    contact = entry.contact if isinstance(entry.contact, Contact) else Contact()
    return {
        "Key": entry.key,
        "Self": bool(entry.is_self),
        "Name": _name(entry),
        "Labels": list(entry.labels or ()),
        "Anchors": [anchor.udf for anchor in contact.anchors or ()],
        "Addresses": [one.address for one in contact.network_addresses or ()],
    }
