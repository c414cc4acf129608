"""Senders that an account wants to hear nothing from.

A blocked address is a label of its entry in MMM_Contact, so that every device of the account knows it. What
such a sender sends is not shown as waiting and never done unasked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mathmesh.codec import uri
from mathmesh.errors import PolicyError
from mathmesh.keys import ids
from mathmesh.messaging.effects import Changes
from mathmesh.schema.cataloged import CatalogedContact
from mathmesh.schema.contact import Contact, ContactPerson, NetworkAddress
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.message_confirmation import ResponseConfirmation
from mathmesh.stores import CONTACT
from meshclient.inbox import Item
from meshclient.session import Session

LABEL = "Blocked"


def addresses(entries: Iterable[MeshObject]) -> frozenset[str]:
    """The blocked addresses among the entries of MMM_Contact, in lower case."""
    return frozenset(
        address
        for entry in entries
        if isinstance(entry, CatalogedContact) and LABEL in (entry.labels or ())
        for address in _addresses(entry)
    )


def is_blocked(session: Session, item: Item) -> bool:
    """Whether a message says that it is from a blocked sender."""
    return (item.message.sender or "").lower() in addresses(session.contacts())


def heard(session: Session, items: Iterable[Item]) -> list[Item]:
    """The messages that wait for an answer: none of blocked senders, and no answers to own questions."""
    silent = addresses(session.contacts())
    asking = [one for one in items if one.is_open and not isinstance(one.message, ResponseConfirmation)]
    return [one for one in asking if (one.message.sender or "").lower() not in silent]


async def block(session: Session, address: str, waiting: Sequence[Item]) -> int:
    """Block an address, and close what waits of it; the number of messages that were closed.

    Raises PolicyError for the account's own address.
    """
    address = uri.account_address(address)
    if address == session.address:
        raise PolicyError(f"{address} is this account itself")
    closed = [one for one in waiting if one.is_open and (one.message.sender or "").lower() == address]
    completes = (session.sender.closing([one.message_id for one in closed]),) if closed else ()
    entries = [
        replace(entry, labels=(*(entry.labels or ()), LABEL))
        for entry in _entries(session, address)
        if LABEL not in (entry.labels or ())
    ]
    if not entries and address not in addresses(session.contacts()):
        entries = [_noted(session, address)]
    await session.apply(Changes(updates={CONTACT: entries} if entries else {}, inbound=completes))
    return len(closed)


async def unblock(session: Session, address: str) -> None:
    """Hear from an address again; PolicyError when it is not blocked."""
    address = uri.account_address(address)
    found = [entry for entry in _entries(session, address) if LABEL in (entry.labels or ())]
    if not found:
        raise PolicyError(f"{address} is not blocked")
    changed = [
        replace(entry, labels=tuple(one for one in entry.labels or () if one != LABEL) or None)
        for entry in found
    ]
    noted = [entry for entry in changed if _is_note(entry)]
    kept = [entry for entry in changed if not _is_note(entry)]
    await session.context.update(CONTACT, kept, deletes=[entry.key or "" for entry in noted])


def _noted(session: Session, address: str) -> CatalogedContact:
    key = ids.nonce_id(session.context.entropy)
    contact = ContactPerson(id=key, network_addresses=(NetworkAddress(address=address),))
    return CatalogedContact(key=key, labels=(LABEL,), contact=contact)


def _is_note(entry: CatalogedContact) -> bool:
    """Whether an entry says nothing but an address."""
    return (
        entry.local_name is None
        and not entry.labels
        and entry.contact
        == ContactPerson(
            id=entry.key, network_addresses=tuple(NetworkAddress(address=one) for one in _addresses(entry))
        )
    )


def _entries(session: Session, address: str) -> list[CatalogedContact]:
    return [
        entry
        for entry in session.contacts()
        if isinstance(entry, CatalogedContact) and not entry.is_self and address in _addresses(entry)
    ]


def _addresses(entry: CatalogedContact) -> list[str]:
    contact = entry.contact
    if not isinstance(contact, Contact):
        return []
    return [one.address.lower() for one in contact.network_addresses or () if one.address]
