"""Confirmation: a question to an account, and the signed answer to it (mesh-schema §10)."""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.messaging.effects import Changes
from mathmesh.messaging.sender import Sender, encryption_key
from mathmesh.schema.build import make_request_confirmation, make_response_confirmation
from mathmesh.schema.message_confirmation import RequestConfirmation
from mathmesh.schema.profile import ProfileUser


def ask(sender: Sender, recipient: ProfileUser, text: str) -> tuple[Envelope, Changes]:
    """Ask the account of the verified profile `recipient` to confirm `text`.

    The sender can open the message too: the answer is compared with it.
    """
    address = (recipient.account_address or "").lower()
    message = make_request_confirmation(
        text,
        sender=sender.address,
        recipient=address,
        signer=sender.signature,
        entropy=sender.entropy,
        now=sender.now,
        recipients=[encryption_key(recipient, sender.now), sender.encryption],
    )
    return message, Changes(outbound=(message,), accounts=(address,))


def answer(
    sender: Sender,
    request: RequestConfirmation,
    request_envelope: Envelope,
    requester: ProfileUser,
    *,
    accept: bool,
) -> Changes:
    """Answer the verified `request` of `requester`: the signature is the confirmation."""
    address = (requester.account_address or "").lower()
    message = make_response_confirmation(
        request,
        request_envelope,
        accept,
        signer=sender.signature,
        entropy=sender.entropy,
        now=sender.now,
        recipients=[encryption_key(requester, sender.now)],
    )
    return Changes(
        inbound=(sender.closing([request.message_id or ""]),), outbound=(message,), accounts=(address,)
    )
