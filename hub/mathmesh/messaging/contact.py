"""Exchange of contacts: by message to an address, and by a code that one shows and the other reads
(mesh-schema §8, §10).
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from mathmesh.codec import udf, uri
from mathmesh.dare.envelope import Envelope, open_envelope, seal
from mathmesh.errors import EncodingError, PolicyError, ProtocolError, VerificationError
from mathmesh.keys import earl
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.messaging.effects import Changes
from mathmesh.messaging.sender import Sender, encryption_key
from mathmesh.schema.build import (
    make_cataloged_contact,
    make_contact,
    make_message_contact,
    make_message_pin,
)
from mathmesh.schema.build.message import make_message_claim
from mathmesh.schema.cataloged import SHARED, CatalogedContact, CatalogedPublication
from mathmesh.schema.contact import Contact
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.message_connection import CONTACT as CONTACT_ACTION
from mathmesh.schema.pin import CONTACT_PIN_OCTETS, new_pin
from mathmesh.schema.profile import ProfileAccount, ProfileUser
from mathmesh.schema.validity import check_not_expired
from mathmesh.schema.verify import (
    VerifiedContact,
    VerifiedMessageContact,
    verify_cataloged_contact,
    verify_contact,
)
from mathmesh.service import messages as wire
from mathmesh.stores import CONTACT, PUBLICATION

CODE_OCTETS = 20
"""Not 16: a key of that size may look like the identifier of one."""
PIN_LIFE = timedelta(days=7)
PRINTED_LIFE = timedelta(days=3650)
"""How long the answer to a printed code is let in unasked."""


def own_contact(sender: Sender, contact: Contact | None = None) -> Envelope:
    """The signed contact of the account; `contact` holds the names and places that go into it."""
    return make_contact(sender.profile_envelope, contact, signer=sender.signature, now=sender.now)


def self_entry(
    sender: Sender, contact: Contact | None = None, before: MeshObject | None = None
) -> CatalogedContact:
    """The account's own entry of MMM_Contact.

    `before` is the entry that it takes the place of: its sources are kept behind the new one, since what
    the account has signed under a former profile is verified with that.
    """
    made = make_cataloged_contact(own_contact(sender, contact), now=sender.now, is_self=True)
    former = before.contact if isinstance(before, CatalogedContact) else None
    if not isinstance(former, Contact) or not isinstance(made.contact, Contact):
        return made
    sources = (*(made.contact.sources or ()), *(former.sources or ()))
    return replace(made, contact=replace(made.contact, sources=sources))


def sources(
    entries: Iterable[MeshObject], now: datetime
) -> Iterable[tuple[CatalogedContact, VerifiedContact]]:
    """The contacts among entries of MMM_Contact that hold up to verification, with what was verified."""
    for entry in entries:
        if isinstance(entry, CatalogedContact):
            try:
                for source in verify_cataloged_contact(entry, now=now):
                    yield entry, source
            except (EncodingError, VerificationError):
                continue


def account_at(entries: Iterable[MeshObject], name: str, now: datetime) -> ProfileAccount | None:
    """The verified profile of the account with an address or a UDF, from entries of MMM_Contact.

    The entry that was written last counts.
    """
    found = None
    for _, source in sources(entries, now):
        for profile in source.profiles:
            if (profile.account_address or "").lower() == name.lower() or same_udf(profile.udf, name):
                found = profile
    return found


def entry_for(entries: Collection[MeshObject], contact: Envelope, sender: Sender) -> CatalogedContact:
    """The entry that takes `contact` in: a new one, or the one that the same account has already.

    Raises PolicyError when another account is known under the same address, or a newer profile of this one.
    """
    verified = verify_contact(contact, now=sender.now)
    known = account_at(entries, verified.account.account_address or "", sender.now)
    if known is not None and not same_udf(known.udf, verified.account.udf):
        raise PolicyError(
            f"{known.account_address} is known as account {known.udf}, this one is {verified.account.udf}: "
            "ask which of them is right, and delete the contact if it is the new one"
        )
    for _, source in sources(entries, sender.now):
        if same_udf(source.account.udf, verified.account.udf) and is_older(verified, source):
            raise PolicyError(
                f"this contact of {verified.account.account_address} is older than the known one"
            )
    made = make_cataloged_contact(contact, now=sender.now, entropy=sender.entropy)
    for entry, source in sources(entries, sender.now):
        if (
            same_udf(source.account.udf, verified.account.udf)
            and entry.key
            and isinstance(made.contact, Contact)
        ):
            return CatalogedContact(
                key=entry.key,
                is_self=entry.is_self,
                local_name=entry.local_name,
                labels=entry.labels,
                contact=_with_id(made.contact, entry.key),
            )
    return made


def is_older(contact: VerifiedContact, than: VerifiedContact) -> bool:
    """Whether the profile in a contact is older than that in another one of the same account: it may have
    keys that were given up since.
    """
    mine, theirs = contact.account.updated, than.account.updated
    return theirs is not None and (mine is None or mine < theirs)


def request(
    sender: Sender, own: Envelope, recipient: str, known: ProfileUser | None, *, subject: str | None = None
) -> tuple[Envelope, Changes]:
    """Send the account's contact to the address `recipient` and ask for that one's in return.

    It is encrypted when the recipient is `known` by its profile. The PIN in it lets the answer in unasked.
    """
    pin = new_pin(sender.entropy, CONTACT_PIN_OCTETS)
    message = make_message_contact(
        own,
        sender=sender.address,
        recipient=recipient,
        signer=sender.signature,
        entropy=sender.entropy,
        now=sender.now,
        recipients=[encryption_key(known, sender.now)] if known is not None else [],
        reply=True,
        subject=subject,
        own_pin=pin,
    )
    changes = Changes(local=(_pin_message(sender, pin),), outbound=(message,), accounts=(recipient.lower(),))
    return message, changes


def accept(
    sender: Sender, own: Envelope, entries: Collection[MeshObject], received: VerifiedMessageContact
) -> Changes:
    """Take the contact of a verified message in, and answer with the own one where that was asked for."""
    message = received.message
    account = received.contact.account
    outbound: tuple[Envelope, ...] = ()
    if message.reply:
        outbound = (
            make_message_contact(
                own,
                sender=sender.address,
                recipient=message.sender or "",
                signer=sender.signature,
                entropy=sender.entropy,
                now=sender.now,
                recipients=[encryption_key(account, sender.now)],
                their_pin=message.pin,
            ),
        )
    return Changes(
        updates={CONTACT: [entry_for(entries, received.contact.envelope, sender)]},
        inbound=(sender.closing([message.message_id or ""]),),
        outbound=outbound,
        accounts=((account.account_address or "").lower(),) if outbound else (),
    )


def news(sender: Sender, entries: Iterable[MeshObject]) -> list[Changes]:
    """The own contact for everyone among the contacts: who knows the account takes it in unasked."""
    own = own_contact(sender)
    told: dict[str, Changes] = {}
    for _, source in sources(entries, sender.now):
        account = source.account
        recipient = (account.account_address or "").lower()
        if not isinstance(account, ProfileUser) or same_udf(account.udf, sender.profile.udf):
            continue
        message = make_message_contact(
            own,
            sender=sender.address,
            recipient=recipient,
            signer=sender.signature,
            entropy=sender.entropy,
            now=sender.now,
            recipients=[encryption_key(account, sender.now)],
        )
        told[recipient] = Changes(outbound=(message,), accounts=(recipient,))
    return list(told.values())


# -- by code -------------------------------------------------------------------------------------
def publish(sender: Sender, own: Envelope, *, expires: datetime | None) -> tuple[str, Changes]:
    """A code by which whoever reads it gets the account's contact: URI and what has to be written.

    A code that `expires` is for showing on a screen, one without end for print.
    """
    secret = sender.entropy(CODE_OCTETS)
    code = udf.text(udf.ENCRYPTION_SIGNATURE, secret)
    publication = CatalogedPublication(
        labels=(SHARED,),
        id=earl.publication_id(secret),
        authenticator=earl.service_authenticator(secret),
        enveloped_data=seal(own.to_json(), entropy=sender.entropy, symmetric=[secret]),
        not_on_or_after=expires,
    )
    message = _pin_message(sender, contact_pin(code), expires or sender.now + PRINTED_LIFE)
    return uri.mcu(sender.address, code), Changes(updates={PUBLICATION: [publication]}, local=(message,))


def contact_pin(code: str) -> str:
    """The PIN for the answer that follows from the secret of a contact's code."""
    return udf.text(udf.MAC, udf.parse(code)[1])


def account_of_code(code_uri: str) -> str:
    """The account whose contact is behind a code; PolicyError for a code of another use."""
    account, code = uri.parse_mcu(code_uri)
    if udf.parse(code)[0] != udf.ENCRYPTION_SIGNATURE:
        raise PolicyError("this is not the code of a contact")
    return account


def fetch(sender: Sender, code_uri: str) -> Generator[wire.Request, wire.Response, VerifiedContact]:
    """Read the contact behind a code that somebody shows."""
    account = account_of_code(code_uri)
    secret = udf.parse(uri.parse_mcu(code_uri)[1])[1]
    claim = make_message_claim(
        secret,
        sender=sender.address,
        recipient=account,
        claimant_udf=sender.profile.udf,
        signer=sender.signature,
        entropy=sender.entropy,
        now=sender.now,
    )
    response = yield wire.ClaimRequest(enveloped_message_claim=claim)
    publication = response.cataloged_publication if isinstance(response, wire.ClaimResponse) else None
    if publication is None or publication.enveloped_data is None:
        raise ProtocolError("the service handed out no contact")
    check_not_expired(publication.not_on_or_after, sender.now, "the code")
    opened = open_envelope(publication.enveloped_data, keyring=MemoryKeyring(secrets=[secret]))
    contact = verify_contact(Envelope.from_bytes(opened.plaintext), now=sender.now)
    if (contact.account.account_address or "").lower() != account:
        raise VerificationError(f"the contact is of {contact.account.account_address}, not of {account}")
    return contact


def answer_code(
    sender: Sender,
    own: Envelope,
    entries: Collection[MeshObject],
    code_uri: str,
    contact: VerifiedContact,
    *,
    reply: bool = True,
) -> Changes:
    """Take a contact that was read from a code in; with `reply` send the own one back, vouched for by the
    code.
    """
    taken = entry_for(entries, contact.envelope, sender)
    if not reply:
        return Changes(updates={CONTACT: [taken]})
    account, code = uri.parse_mcu(code_uri)
    message = make_message_contact(
        own,
        sender=sender.address,
        recipient=account,
        signer=sender.signature,
        entropy=sender.entropy,
        now=sender.now,
        recipients=[encryption_key(contact.account, sender.now)],
        their_pin=contact_pin(code),
    )
    return Changes(updates={CONTACT: [taken]}, outbound=(message,), accounts=(account,))


def _pin_message(sender: Sender, pin: str, expires: datetime | None = None) -> Envelope:
    return make_message_pin(
        pin,
        account=sender.address,
        signer=sender.signature,
        recipient=sender.encryption,
        entropy=sender.entropy,
        now=sender.now,
        action=CONTACT_ACTION,
        expires=expires or sender.now + PIN_LIFE,
        automatic=True,
    )


def _with_id(contact: Contact, key: str) -> Contact:
    return replace(contact, id=key)
