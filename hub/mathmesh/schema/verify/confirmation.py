"""Verification of questions and of the answers to them (draft-hallambaker-mesh-schema §10; protocol book).

RequestConfirmation, after 26 to 29 of `mathmesh.schema.verify.message`
  62. it has a text to be confirmed.
ResponseConfirmation, after 26 to 29; never unsigned, since the signature is what was asked for
  63. MessageId is the ResponseId of the request;
  64. Request is the request that was sent, octet for octet;
  65. Accept says yes or no.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys import ids
from mathmesh.keys.keyring import Keyring
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.message_confirmation import RequestConfirmation, ResponseConfirmation
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.signed import envelope_of
from mathmesh.schema.verify.message import verify_message


def verify_request_confirmation(
    envelope: Envelope,
    *,
    sender: ProfileUser,
    recipient: str,
    now: datetime,
    keyring: Keyring | None = None,
    allow_unsigned: bool = False,
) -> RequestConfirmation:
    """The question in `envelope` from the verified `sender`, after checks 26 to 29 and 62."""
    message = verify_message(
        envelope,
        RequestConfirmation,
        sender=sender,
        recipient=recipient,
        now=now,
        keyring=keyring,
        allow_unsigned=allow_unsigned,
    )
    if not message.text:
        raise VerificationError("the request asks to confirm nothing")
    return message


def verify_response_confirmation(
    envelope: Envelope,
    *,
    request: RequestConfirmation,
    request_envelope: Envelope,
    responder: ProfileUser,
    now: datetime,
    keyring: Keyring | None = None,
) -> ResponseConfirmation:
    """The answer in `envelope` of the verified `responder` to our own `request`, after checks 26 to 29 and
    63 to 65.

    `request_envelope` is the request as it was sent; `keyring` opens an encrypted answer.
    """
    message = verify_message(
        envelope,
        ResponseConfirmation,
        sender=responder,
        recipient=request.sender or "",
        now=now,
        keyring=keyring,
    )
    if not same_udf(message.message_id, ids.response_id(request.message_id or "")):
        raise VerificationError("the message answers another request")
    if envelope_of(message.request, "Request").body != request_envelope.body:
        raise VerificationError("the answer is to a request of another content")
    if message.accept is None:
        raise VerificationError("the answer says neither yes nor no")
    return message
