"""Questions and the answers to them (mesh-schema §10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import LocalProtocolError
from mathmesh.keys import ids
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.message_confirmation import RequestConfirmation, ResponseConfirmation
from mathmesh.types import Entropy


def make_request_confirmation(
    text: str,
    *,
    sender: str,
    recipient: str,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
    recipients: Sequence[PublicKey] = (),
) -> Envelope:
    """The question `text` to the account at the address `recipient`, signed by the sender's CommonSignature
    key.
    """
    message = RequestConfirmation(
        message_id=ids.nonce_id(entropy),
        sender=uri.account_address(sender),
        recipient=uri.account_address(recipient),
        text=text,
    )
    return enveloped(message, entropy=entropy, now=now, signer=signer, recipients=recipients)


def make_response_confirmation(
    request: RequestConfirmation,
    request_envelope: Envelope,
    accept: bool,
    *,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
    recipients: Sequence[PublicKey] = (),
) -> Envelope:
    """The answer to the verified `request` that came in `request_envelope`, signed by the CommonSignature
    key of the account that was asked.
    """
    if not request.message_id:
        raise LocalProtocolError("a request without MessageId cannot be answered")
    message = ResponseConfirmation(
        message_id=ids.response_id(request.message_id),
        sender=request.recipient,
        recipient=request.sender,
        request=request_envelope,
        accept=accept,
    )
    return enveloped(message, entropy=entropy, now=now, signer=signer, recipients=recipients)
