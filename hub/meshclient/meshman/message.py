"""`meshman message`: messages that were received and sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from mathmesh.errors import MeshError, PolicyError
from mathmesh.keys import ids
from mathmesh.schema.message import CLOSED
from mathmesh.schema.message_access import MessageUndelivered
from mathmesh.schema.message_confirmation import RequestConfirmation, ResponseConfirmation
from mathmesh.schema.message_connection import AcknowledgeConnection
from mathmesh.schema.message_contact import GroupInvitation, MessageContact
from meshclient import blocked, correspondence, inbox
from meshclient.correspondence import Sent
from meshclient.inbox import Item
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.running import Flags, account_flags, on_account, role_flags
from meshclient.session import Session
from meshclient.unreachable import ServiceUnreachable

TITLES = {
    AcknowledgeConnection: "Connection Request",
    MessageContact: "Contact Request",
    RequestConfirmation: "Confirmation Request",
    ResponseConfirmation: "Confirmation Response",
    GroupInvitation: "Group Invitation",
    MessageUndelivered: "Undelivered",
}


@click.group("message", cls=MeshGroup)
def command() -> None:
    """Messages that were received and sent."""


@command.command("contact", example="message contact alice@example.com")
@click.argument("recipient")
@click.option("--subject", metavar="TEXT", help="What the recipient reads with it.")
@account_flags
def contact(flags: Flags, recipient: str, subject: str | None) -> Answer:
    """Send the own contact to an address and ask for that one's."""
    return send_contact(flags, recipient, subject)


def send_contact(flags: Flags, recipient: str, subject: str | None) -> Answer:
    """What `message contact` and `contact request` do."""

    async def step(session: Session) -> Answer:
        return _sent(await correspondence.request_contact(session, recipient, subject))

    return on_account(flags, step, sync=True)


@command.command("confirm", example="message confirm alice@example.com start")
@click.argument("recipient")
@click.argument("text")
@account_flags
def confirm(flags: Flags, recipient: str, text: str) -> Answer:
    """Ask a contact to confirm something; `message status` tells the answer."""

    async def step(session: Session) -> Answer:
        return _sent(await correspondence.ask_confirmation(session, recipient, text))

    return on_account(flags, step, sync=True)


@command.command("pending", example="message pending /read")
@click.option("--unread", is_flag=True, help="Only what waits for an answer (the default).")
@click.option("--read", is_flag=True, help="Only what was dealt with; with /unread all.")
@click.option("--raw", is_flag=True, help="The messages as JSON objects.")
@account_flags
def pending(flags: Flags, unread: bool, read: bool, raw: bool) -> Answer:
    """The messages that were received and wait for an answer."""

    async def step(session: Session) -> Answer:
        notes = await _refreshed(session)
        view = await inbox.inbound(session)
        silent = blocked.addresses(session.contacts())
        heard = [one for one in view.items if (one.message.sender or "").lower() not in silent]
        items = [one for one in heard if (unread or not read if one.is_open else read)]
        objects = [item.message.to_json() for item in items]
        lines = [line for item in items for line in _lines(item, session)]
        if raw:
            lines = [json.dumps(one, ensure_ascii=False) for one in objects]
        members: dict[str, Any] = {"Messages": objects if raw else [_members(item) for item in items]}
        notes += _left_out(view, heard)
        return Answer(lines=lines, tag="ResultPending", members=members, notes=notes)

    return on_account(flags, step)


async def _refreshed(session: Session) -> list[str]:
    """Fetch what is new; where the service cannot be reached, what to say of that."""
    try:
        await session.sync()
    except ServiceUnreachable:
        return ["The service cannot be reached: this is how it was at the last sync."]
    return []


def _left_out(view: inbox.SpoolView, heard: Sequence[Item]) -> list[str]:
    silent = len(view.items) - len(heard)
    notes = [f"{view.unreadable} messages cannot be read on this device"] if view.unreadable else []
    return notes + ([f"{silent} messages of blocked senders are not shown"] if silent else [])


@command.command("status", example="message status MAQT-…")
@click.argument("response", required=False)
@account_flags
def status(flags: Flags, response: str | None) -> Answer:
    """What became of a question, by the id of the answer; the signature of the answer is verified.

    Without RESPONSE, all questions that were asked, the newest first.
    """

    async def step(session: Session) -> Answer:
        if response is None:
            return await _asked(session)
        verdict, signer = await correspondence.answer_to(session, response)
        notes = [f"Signed by {signer}"] if signer else []
        members = {"Result": verdict, "SignedBy": signer}
        return Answer(lines=[verdict], tag="ResultStatus", members=members, notes=notes)

    return on_account(flags, step, sync=True)


async def _asked(session: Session) -> Answer:
    lines, found = [], []
    for item in (await inbox.outbound(session)).of_kind(RequestConfirmation):
        message, answer_id = item.message, ids.response_id(item.message_id)
        try:
            verdict, _ = await correspondence.answer_to(session, answer_id)
        except MeshError as refused:
            verdict = f"Unknown: {refused}"
        text = message.text if isinstance(message, RequestConfirmation) else ""
        lines.append(f"{answer_id} {verdict} {message.recipient}: {text}")
        found.append({"ResponseID": answer_id, "To": message.recipient, "Text": text, "Result": verdict})
    return Answer(lines=lines, tag="ResultStatus", members={"Questions": found})


@command.command("accept", example="message accept NBXV-…")
@click.argument("message")
@role_flags
@account_flags
def accept(flags: Flags, message: str, roles: tuple[str, ...]) -> Answer:
    """Do what a message asks for. Roles are for a device that asks to be connected."""
    return accept_message(flags, message, roles)


def accept_message(flags: Flags, message: str, roles: tuple[str, ...]) -> Answer:
    """What `message accept` and `contact accept` do."""

    async def step(session: Session) -> Answer:
        item = _waiting(await inbox.inbound(session), message)
        if blocked.is_blocked(session, item):
            raise PolicyError(f"{item.message.sender} is blocked; `message unblock` hears from it again")
        done = await correspondence.accept(session, item, roles)
        members = {"Result": "Accept", "MessageID": item.message_id}
        return Answer(lines=["Result: Accept", done.text], tag="ResultProcess", members=members)

    return on_account(flags, step, sync=True)


@command.command("reject", example="message reject NBXV-…")
@click.argument("message")
@account_flags
def reject(flags: Flags, message: str) -> Answer:
    """Refuse what a message asks for."""

    async def step(session: Session) -> Answer:
        item = _waiting(await inbox.inbound(session), message)
        await correspondence.reject(session, item)
        members = {"Result": "Reject", "MessageID": item.message_id}
        return Answer(lines=["Result: Reject"], tag="ResultProcess", members=members)

    return on_account(flags, step, sync=True)


@command.command("block", example="message block mallory@example.com")
@click.argument("sender")
@account_flags
def block(flags: Flags, sender: str) -> Answer:
    """Hear no more from SENDER, an address or the id of a message; what waits of it is closed.

    Nothing is answered. `contact list` shows who is blocked.
    """

    async def step(session: Session) -> Answer:
        view = await inbox.inbound(session)
        address = sender if "@" in sender else view.find(sender).message.sender
        if not address:
            raise PolicyError("this message is from the service; reject it with `message reject`")
        closed = await blocked.block(session, address, view.items)
        members = {"Result": "Block", "Address": address.lower(), "Closed": closed}
        return Answer(
            lines=["Result: Block", f"{address.lower()} blocked"], tag="ResultBlock", members=members
        )

    return on_account(flags, step, sync=True)


@command.command("unblock", example="message unblock mallory@example.com")
@click.argument("address")
@account_flags
def unblock(flags: Flags, address: str) -> Answer:
    """Hear from an address again."""

    async def step(session: Session) -> Answer:
        await blocked.unblock(session, address)
        members = {"Result": "Unblock", "Address": address.lower()}
        return Answer(lines=["Result: Unblock"], tag="ResultBlock", members=members)

    return on_account(flags, step, sync=True)


def _waiting(view: inbox.SpoolView, name: str) -> Item:
    item = view.find(name)
    if item.state == CLOSED:
        raise PolicyError(f"message {item.message_id} was dealt with already")
    return item


def _sent(sent: Sent) -> Answer:
    lines = [
        f"Envelope ID: {sent.envelope_id}",
        f"Message ID: {sent.message_id}",
        f"Response ID: {sent.response_id}",
    ]
    members = {
        "EnvelopeID": sent.envelope_id,
        "MessageID": sent.message_id,
        "ResponseID": sent.response_id,
    }
    return Answer(lines=lines, tag="ResultSent", members=members)


def _lines(item: Item, session: Session) -> list[str]:
    message = item.message
    lines = [
        f"MessageID: {item.message_id}",
        f"        {TITLES.get(type(message), message.tag)}::",
        f"        MessageID: {item.message_id}",
        f"        To: {message.recipient or session.address} From: {message.sender or 'the service'}",
    ]
    for name, value in _details(item).items():
        lines.append(f"        {name}: {value}")
    return lines


def _details(item: Item) -> dict[str, Any]:
    message = item.message
    if isinstance(message, AcknowledgeConnection):
        return {"Witness": message.witness}
    if isinstance(message, MessageContact):
        details = {"PIN": message.pin, "Subject": message.subject}
        return {name: value for name, value in details.items() if value}
    if isinstance(message, RequestConfirmation):
        return {"Text": message.text}
    if isinstance(message, ResponseConfirmation):
        return {"Result": "Accept" if message.accept else "Reject"}
    if isinstance(message, GroupInvitation):
        return {"Text": message.text} if message.text else {}
    if isinstance(message, MessageUndelivered):
        return {"Reference": message.reference, "Account": message.account, "Reason": message.reason}
    return {}


def _members(item: Item) -> dict[str, Any]:
    return {
        "MessageID": item.message_id,
        "Type": item.message.tag,
        "To": item.message.recipient,
        "From": item.message.sender,
        "State": item.state,
        **_details(item),
    }
