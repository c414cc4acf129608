"""Contacts and the messages that exchange them (mesh-schema §8, §10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import LocalProtocolError, PolicyError
from mathmesh.keys import ids
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.build.enveloped import enveloped, no_entropy
from mathmesh.schema.build.pin import prove_pin
from mathmesh.schema.callsign import MESH_SERVICE
from mathmesh.schema.cataloged import CatalogedContact
from mathmesh.schema.contact import (
    SELF,
    Anchor,
    Contact,
    ContactPerson,
    NetworkAddress,
    NetworkProtocol,
    TaggedSource,
)
from mathmesh.schema.message_connection import CONTACT
from mathmesh.schema.message_contact import MessageContact
from mathmesh.schema.pin import NONCE_OCTETS
from mathmesh.schema.profile import ProfileAccount
from mathmesh.schema.profile_validation import verify_profile_user
from mathmesh.schema.verify.contact import verify_contact
from mathmesh.types import Entropy


def make_contact(
    profile_user: Envelope,
    contact: Contact | None = None,
    *,
    signer: PrivateKey,
    now: datetime,
) -> Envelope:
    """The contact of the account of `profile_user`, signed by its CommonSignature key `signer`.

    `contact` says what else is in it (names, other addresses, places), by default nothing. `signer` must be
    a derived key. Raises PolicyError when it is not of this account.
    """
    account = verify_profile_user(profile_user)
    if account.common_signature is None or account.common_signature.udf != signer.public.udf:
        raise PolicyError(f"key {signer.public.udf} does not sign for {account.account_address}")
    base = contact if contact is not None else ContactPerson()
    full = replace(
        base,
        anchors=(Anchor(udf=account.udf, validation=SELF), *(base.anchors or ())),
        network_addresses=(mesh_address(profile_user, account), *(base.network_addresses or ())),
    )
    return enveloped(full, entropy=no_entropy, now=now, signer=signer)


def mesh_address(profile: Envelope, account: ProfileAccount) -> NetworkAddress:
    """The Mesh address of the verified `account` with its `profile`."""
    return NetworkAddress(
        address=account.account_address,
        enveloped_profile_account=profile,
        protocols=(NetworkProtocol(protocol=MESH_SERVICE),),
    )


def make_cataloged_contact(
    contact: Envelope,
    *,
    now: datetime,
    is_self: bool = False,
    entropy: Entropy | None = None,
    local_name: str | None = None,
) -> CatalogedContact:
    """The entry of MMM_Contact for the signed `contact`, which is verified first.

    The account's own (`is_self`) has the account's UDF as key, another one a nonce from `entropy`.
    """
    verified = verify_contact(contact, now=now)
    if is_self:
        key = verified.account.udf
    elif entropy is None:
        raise LocalProtocolError("the entry of a contact needs a nonce as key")
    else:
        key = ids.nonce_id(entropy)
    source = TaggedSource(validation=SELF, enveloped_source=contact)
    return CatalogedContact(
        local_name=local_name,
        key=key,
        is_self=True if is_self else None,
        contact=replace(verified.contact, id=key, sources=(source,)),
    )


def make_message_contact(
    contact: Envelope,
    *,
    sender: str,
    recipient: str,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
    recipients: Sequence[PublicKey] = (),
    reply: bool = False,
    subject: str | None = None,
    own_pin: str | None = None,
    their_pin: str | None = None,
) -> Envelope:
    """The sender's signed `contact` for the account at the address `recipient`.

    `reply` asks for the recipient's contact in return, `own_pin` is the PIN (with a MessagePin of the action
    Contact) under which it will be taken without asking. `their_pin` is the one that the recipient offered.
    `signer` is the sender's CommonSignature key; `recipients` is the recipient's CommonEncryption key, where
    it is known.
    """
    recipient = uri.account_address(recipient)
    message_id = ids.nonce_id(entropy)
    nonce = pin_id = witness = None
    if their_pin is not None:
        nonce = entropy(NONCE_OCTETS)
        pin_id, witness = prove_pin(their_pin, CONTACT, recipient, contact, nonce)
    message = MessageContact(
        message_id=message_id,
        sender=uri.account_address(sender),
        recipient=recipient,
        authenticated_data=contact,
        client_nonce=nonce,
        pin_id=pin_id,
        pin_witness=witness,
        reply=reply,
        subject=subject,
        pin=own_pin,
    )
    return enveloped(message, entropy=entropy, now=now, signer=signer, recipients=recipients)
