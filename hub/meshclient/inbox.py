"""The spools of an account as a person sees them: messages, their states, and what each one is verified by.

The state of a message is what the account's own signed messages say of it; what others send changes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mathmesh.dare.content_meta import parse_time
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import MeshError, PolicyError
from mathmesh.keys import ids
from mathmesh.keys.keyring import Keyring
from mathmesh.messaging import contact as contacts
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.message import CLOSED, OPEN, Message, MessageComplete
from mathmesh.schema.message_connection import MessagePin
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.signed import object_in
from mathmesh.schema.verify import verify_message, verify_message_pin
from mathmesh.stores import INBOUND, LOCAL, OUTBOUND
from meshclient.session import Session

LEAST_CHARACTERS = 16
"""80 bits of an identifier, dashes not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A message of a spool. `message` is what it says of itself: verify it before anything is done on it."""

    index: int
    envelope: Envelope
    message: Message
    keyring: Keyring
    state: str

    @property
    def message_id(self) -> str:
        """The id of the message."""
        return self.message.message_id or ""

    @property
    def is_open(self) -> bool:
        """Whether the message still waits to be dealt with."""
        return self.state != CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolView:
    """The messages of a spool that can be read, the newest first, and how many could not."""

    items: tuple[Item, ...]
    unreadable: int

    def find(self, name: str) -> Item:
        """The message with an id, or the only one whose id begins with 16 characters or more of it.

        Shorter beginnings of a witness can be found by trying. PolicyError for none or several.
        """
        exact = [item for item in self.items if same_udf(item.message_id, name)]
        wanted = name.upper().replace("-", "")
        begins = [item for item in self.items if item.message_id.replace("-", "").startswith(wanted)]
        begins = begins if len(wanted) >= LEAST_CHARACTERS else []
        found = exact[:1] or begins
        if len(found) != 1:
            many = "several messages are" if found else "there is no message"
            short = f"; an id is given by its first {LEAST_CHARACTERS} letters at least"
            hint = short if len(wanted) < LEAST_CHARACTERS else ""
            raise PolicyError(f"{many} {name}{hint}; see `message pending`")
        return found[0]

    def of_kind(self, kind: type[Message]) -> Iterable[Item]:
        """The messages of one type."""
        return (item for item in self.items if isinstance(item.message, kind))


async def read_spool(session: Session, name: str) -> SpoolView:
    """Open all messages of a spool."""
    context = session.context
    opened: list[tuple[int, Envelope, Message, Keyring]] = []
    unreadable = 0
    for index, envelope in context.spooled(name):
        try:
            keyring = await context.keyring_for(envelope.header)
            opened.append((index, envelope, object_in(envelope, Message, keyring=keyring), keyring))
        except MeshError:
            unreadable += 1
    states = _states(session, opened)
    items = tuple(
        Item(
            index=index,
            envelope=envelope,
            message=message,
            keyring=keyring,
            state=states.get(message.message_id or "", OPEN),
        )
        for index, envelope, message, keyring in opened
        if not isinstance(message, MessageComplete)
    )
    return SpoolView(items=items, unreadable=unreadable)


async def inbound(session: Session) -> SpoolView:
    """The messages that were received."""
    return await read_spool(session, INBOUND)


async def outbound(session: Session) -> SpoolView:
    """The messages that were sent."""
    return await read_spool(session, OUTBOUND)


async def find_pin(session: Session, pin_id: str, action: str) -> MessagePin:
    """The verified PIN of the account that a message names by `pin_id`.

    Raises PolicyError when the account gave out no such PIN, VerificationError when it is used or expired.
    """
    view = await read_spool(session, LOCAL)
    for item in view.of_kind(MessagePin):
        if same_udf(item.message_id, pin_id):
            return verify_message_pin(
                item.envelope,
                account=session.context.profile_user,
                action=action,
                state=item.state,
                now=session.now,
                keyring=item.keyring,
                pin_id=pin_id,
            )
    raise PolicyError("the message names a PIN that this account did not give out")


async def find_response(session: Session, request_id: str) -> Item | None:
    """The answer that was received to the own message `request_id`."""
    view = await inbound(session)
    wanted = ids.response_id(request_id)
    return next((item for item in view.items if same_udf(item.message_id, wanted)), None)


def _states(session: Session, opened: Iterable[tuple[int, Envelope, Message, Keyring]]) -> Mapping[str, str]:
    """By id; what the account's own key has signed counts, also under an address that it had before, and
    with a key that was renewed since for what arrived before that.
    """
    states: dict[str, str] = {}
    own = _own_profiles(session)
    for _, envelope, message, keyring in opened:
        if isinstance(message, MessageComplete):
            complete = _own_statement(session, own, envelope, message, keyring)
            for reference in (complete.references or ()) if complete is not None else ():
                if reference.message_id and reference.relationship:
                    states.setdefault(reference.message_id, reference.relationship)
    return states


def _own_profiles(session: Session) -> list[tuple[ProfileUser, datetime | None]]:
    """The account's profiles, the newest first, and when each was followed by another one."""
    former = [
        source.account
        for entry, source in contacts.sources(session.contacts(), session.now)
        if entry.is_self and isinstance(source.account, ProfileUser)
    ]
    current = session.context.profile_user
    found = {one.updated: one for one in (*former, current) if one.updated is not None}
    result: list[tuple[ProfileUser, datetime | None]] = []
    until = None
    for updated in sorted(found, reverse=True):
        result.append((found[updated], until))
        until = updated
    return result


def _own_statement(
    session: Session,
    own: Iterable[tuple[ProfileUser, datetime | None]],
    envelope: Envelope,
    message: MessageComplete,
    keyring: Keyring,
) -> MessageComplete | None:
    received = envelope.header.get("Received")
    for profile, until in own:
        try:
            if until is not None and (not isinstance(received, str) or parse_time(received) > until):
                continue
            return verify_message(
                envelope,
                MessageComplete,
                sender=replace(profile, account_address=message.sender),
                recipient=None,
                now=session.now,
                keyring=keyring,
            )
        except MeshError:
            continue
    return None
