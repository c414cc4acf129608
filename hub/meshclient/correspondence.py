"""Contacts, confirmations and the other messages of an account: sending them, and answering what came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError, VerificationError
from mathmesh.keys import ids
from mathmesh.messaging import confirmation, group
from mathmesh.messaging import contact as contacts
from mathmesh.messaging.effects import Changes
from mathmesh.schema.message_confirmation import RequestConfirmation, ResponseConfirmation
from mathmesh.schema.message_connection import CONTACT as CONTACT_ACTION
from mathmesh.schema.message_connection import AcknowledgeConnection, MessagePin
from mathmesh.schema.message_contact import GroupInvitation, MessageContact
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.verify import (
    VerifiedContact,
    VerifiedInvitation,
    VerifiedMessageContact,
    verify_group_invitation,
    verify_message_contact,
    verify_request_confirmation,
    verify_response_confirmation,
)
from mathmesh.service.client import converse
from meshclient import blocked, devices, inbox
from meshclient.inbox import Item
from meshclient.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that was sent, by its identifiers."""

    message_id: str
    envelope_id: str
    response_id: str

    @classmethod
    def of(cls, envelope: Envelope, message_id: str) -> Sent:
        """The identifiers of a message in its envelope."""
        return cls(
            message_id=message_id,
            envelope_id=envelope.envelope_id or ids.envelope_id(message_id),
            response_id=ids.response_id(message_id),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a message that was dealt with; `text` says it in a few words."""

    item: Item
    text: str


def own_contact(session: Session) -> Envelope:
    """The account's own signed contact, as it stands in MMM_Contact, else a new one."""
    for entry, source in contacts.sources(session.contacts(), session.now):
        if entry.is_self:
            return source.envelope
    return contacts.own_contact(session.sender)


async def request_contact(session: Session, recipient: str, subject: str | None = None) -> Sent:
    """Send the own contact to an address and ask for that one's."""
    known = session.account_at(recipient)
    envelope, changes = contacts.request(
        session.sender,
        own_contact(session),
        recipient.lower(),
        known if isinstance(known, ProfileUser) else None,
        subject=subject,
    )
    await session.apply(changes)
    return Sent.of(envelope, _message_id(envelope, session))


async def ask_confirmation(session: Session, recipient: str, text: str) -> Sent:
    """Ask a contact to confirm `text`."""
    envelope, changes = confirmation.ask(session.sender, session.user_at(recipient), text)
    await session.apply(changes)
    return Sent.of(envelope, _message_id(envelope, session))


async def publish_contact(session: Session, life: timedelta | None) -> str:
    """A code by which whoever reads it exchanges contacts with this account."""
    expires = (session.now + life).replace(microsecond=0) if life is not None else None
    code, changes = contacts.publish(session.sender, own_contact(session), expires=expires)
    await session.apply(changes)
    return code


async def read_contact_code(session: Session, code: str, *, exchange: bool) -> VerifiedContact:
    """Take in the contact behind a code; with `exchange` the own one is sent back."""
    account = contacts.account_of_code(code)
    found = await converse(session.directory.stranger(account), contacts.fetch(session.sender, code))
    changes = contacts.answer_code(
        session.sender, own_contact(session), session.contacts(), code, found, reply=exchange
    )
    await session.apply(changes)
    return found


# -- what came in --------------------------------------------------------------------------------
async def verified_contact(session: Session, item: Item) -> VerifiedMessageContact:
    """The verified contact in a message, and whether it answers a PIN of this account."""
    message = item.message
    pin: MessagePin | None = None
    if isinstance(message, MessageContact) and message.pin_id is not None:
        pin = await inbox.find_pin(session, message.pin_id, CONTACT_ACTION)
    return verify_message_contact(
        item.envelope, recipient=session.address, now=session.now, keyring=item.keyring, pin=pin
    )


def verified_request(session: Session, item: Item) -> RequestConfirmation:
    """The verified question in a message from a contact."""
    return verify_request_confirmation(
        item.envelope,
        sender=session.user_at(item.message.sender or ""),
        recipient=session.address,
        now=session.now,
        keyring=item.keyring,
    )


def verified_invitation(session: Session, item: Item) -> VerifiedInvitation:
    """The verified invitation of a contact to a group."""
    return verify_group_invitation(
        item.envelope,
        sender=session.user_at(item.message.sender or ""),
        recipient=session.address,
        now=session.now,
        keyring=item.keyring,
    )


async def accept(session: Session, item: Item, roles: tuple[str, ...] = ()) -> Done:
    """Do what a message asks for, after its verification."""
    message = item.message
    if isinstance(message, AcknowledgeConnection):
        acknowledged = await devices.acknowledged(session, item)
        await devices.accept(session, acknowledged, roles or acknowledged.roles)
        return Done(item=item, text="device connected")
    if isinstance(message, MessageContact):
        received = await verified_contact(session, item)
        await session.apply(
            contacts.accept(session.sender, own_contact(session), session.contacts(), received)
        )
        return Done(item=item, text=f"contact {message.sender} added")
    if isinstance(message, RequestConfirmation):
        await _answer(session, item, accept=True)
        return Done(item=item, text="confirmed")
    if isinstance(message, GroupInvitation):
        invitation = verified_invitation(session, item)
        await session.apply(group.join(session.sender, session.contacts(), invitation))
        return Done(item=item, text=f"member of {invitation.profile_group.account_address}")
    raise PolicyError(f"a {message.tag} cannot be accepted")


async def reject(session: Session, item: Item) -> Done:
    """Refuse what a message asks for."""
    message = item.message
    if isinstance(message, AcknowledgeConnection):
        await devices.reject(session, await devices.acknowledged(session, item))
    elif isinstance(message, RequestConfirmation):
        await _answer(session, item, accept=False)
    else:
        await session.apply(Changes(inbound=(session.sender.closing([item.message_id]),)))
    return Done(item=item, text="rejected")


async def process_automatic(session: Session) -> list[Done]:
    """Do what was agreed to beforehand: devices and contacts that prove a PIN, invitations of contacts.

    What does not hold up to verification stays for a person to see.
    """
    done = []
    for item in reversed((await inbox.inbound(session)).items):
        if not item.is_open or blocked.is_blocked(session, item):
            continue
        try:
            if await _is_automatic(session, item):
                done.append(await accept(session, item))
        except (VerificationError, PolicyError):
            continue
    return done


async def answer_to(session: Session, name: str) -> tuple[str, str | None]:
    """What became of an own question: `Accept`, `Reject` or `Pending`, and who signed the answer.

    `name` is the id of the question or of its answer.
    """
    view = await inbox.outbound(session)
    asked = [
        item
        for item in view.of_kind(RequestConfirmation)
        if name.upper() in (item.message_id, ids.response_id(item.message_id))
    ]
    if not asked:
        raise PolicyError(f"this account has asked no question {name}")
    request = asked[0].message
    if not isinstance(request, RequestConfirmation):
        raise PolicyError(f"{name} is no question")
    responder = session.user_at(request.recipient or "")
    found = await inbox.find_response(session, request.message_id or "")
    if found is None or not isinstance(found.message, ResponseConfirmation):
        return "Pending", None
    response = verify_response_confirmation(
        found.envelope,
        request=request,
        request_envelope=asked[0].envelope,
        responder=responder,
        now=session.now,
        keyring=found.keyring,
    )
    return "Accept" if response.accept else "Reject", responder.account_address


async def _is_automatic(session: Session, item: Item) -> bool:
    message = item.message
    if isinstance(message, AcknowledgeConnection):
        return (
            session.context.keys.administrator is not None
            and (await devices.acknowledged(session, item)).automatic
        )
    if isinstance(message, MessageContact):
        received = await verified_contact(session, item)
        return received.pin_proven or (not message.reply and _is_known(session, received.contact))
    if isinstance(message, GroupInvitation):
        return bool(verified_invitation(session, item))
    return False


def _is_known(session: Session, contact: VerifiedContact) -> bool:
    """Whether the account that signed a contact is a contact already: it tells what has changed since."""
    known = [
        source
        for _, source in contacts.sources(session.contacts(), session.now)
        if source.account.udf == contact.account.udf
    ]
    return bool(known) and not any(contacts.is_older(contact, source) for source in known)


async def _answer(session: Session, item: Item, *, accept: bool) -> None:
    request = verified_request(session, item)
    requester = session.user_at(request.sender or "")
    await session.apply(confirmation.answer(session.sender, request, item.envelope, requester, accept=accept))


def _message_id(envelope: Envelope, session: Session) -> str:
    found = envelope.content_meta.unique_id
    if not found:
        raise PolicyError(f"a message of {session.address} has no id")
    return found
