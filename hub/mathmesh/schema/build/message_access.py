"""What account and service tell each other of messages between accounts (protocol book)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.keys import ids
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.message_access import ContactAccess, MessageUndelivered
from mathmesh.types import Entropy


def make_contact_access(
    contact: str,
    contact_udf: str | None = None,
    *,
    active: bool = True,
    receive: Sequence[str] | None = None,
    send: Sequence[str] | None = None,
    content_types: Sequence[str] | None = None,
    sender: str,
    recipients: Sequence[PublicKey],
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
) -> Envelope:
    """What the account at `sender` exchanges with `contact`, for its Local spool.

    `recipients` are the host's AccessEncrypt key and the account's CommonEncryption key, `signer` its
    CommonSignature key.
    """
    message = ContactAccess(
        message_id=ids.nonce_id(entropy),
        sender=sender,
        recipient=sender,
        contact=uri.account_address(contact),
        contact_udf=contact_udf,
        active=active,
        receive=None if receive is None else tuple(receive),
        send=None if send is None else tuple(send),
        content_types=None if content_types is None else tuple(content_types),
    )
    return enveloped(message, entropy=entropy, now=now, signer=signer, recipients=recipients)


def make_message_undelivered(
    account: str,
    reference: str,
    reason: str,
    *,
    recipient: str,
    encryption: PublicKey,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
) -> Envelope:
    """What the service with the ServiceSignature key `signer` tells the account at `recipient`, whose
    CommonEncryption key is `encryption`, of its message `reference` to `account`.
    """
    message = MessageUndelivered(
        message_id=ids.nonce_id(entropy),
        recipient=recipient,
        account=account,
        reference=reference,
        reason=reason,
    )
    return enveloped(message, entropy=entropy, now=now, signer=signer, recipients=[encryption])
