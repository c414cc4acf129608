"""What all messages have in common (draft-hallambaker-mesh-schema §10; protocol book).

Message, after 1 and 2 of `mathmesh.schema.validation`
  26. it is signed by the CommonSignature key of its sender's profile, valid now; only a caller that says
      `allow_unsigned` gets a message without any signature, as the reference sends them all;
  27. Sender is the address of that profile;
  28. Recipient is the address it was to be sent to;
  29. it has a MessageId.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys.keyring import Keyring
from mathmesh.schema.message import Message
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.signed import check_signed_or_clear, exactly, is_unsigned, object_in
from mathmesh.schema.validity import check_keys_valid, key_in_use

SomeMessage = TypeVar("SomeMessage", bound=Message)


def verify_message(
    envelope: Envelope,
    kind: type[SomeMessage],
    *,
    sender: ProfileUser,
    recipient: str | None,
    now: datetime,
    keyring: Keyring | None = None,
    allow_unsigned: bool = False,
) -> SomeMessage:
    """The message of type `kind` in `envelope` from the verified profile `sender`, after checks 26 to 29.

    `recipient` is an address; None for messages to the sender's own account, whose Recipient says nothing.
    `keyring` opens an encrypted one. This is the entry function for MessageComplete, MessageError,
    ProcessResult, RequestTask and MessageInvoice, and the beginning of that of other kinds.
    """
    signer = key_in_use(sender.common_signature, "CommonSignature in the sender's profile", now)
    check_signed_or_clear(envelope, signer, kind.__name__, allow_unsigned=allow_unsigned)
    message = read_message(envelope, kind, keyring=keyring, allow_unsigned=allow_unsigned)
    check_address(message.sender, sender.account_address, f"{kind.__name__}.Sender")
    if recipient is not None:
        check_address(message.recipient, recipient, f"{kind.__name__}.Recipient")
    check_keys_valid(message, now)
    return message


def read_message(
    envelope: Envelope, kind: type[SomeMessage], *, keyring: Keyring | None, allow_unsigned: bool
) -> SomeMessage:
    """The message in `envelope`, after checks 1, 2 and 29; one that is allowed to be unsigned may lack the
    digest.
    """
    lax = allow_unsigned and is_unsigned(envelope)
    message = exactly(object_in(envelope, kind, keyring=keyring, require_digest=not lax), kind)
    if not message.message_id:
        raise VerificationError(f"the {kind.__name__} has no MessageId")
    return message


def check_address(stated: str | None, expected: str | None, what: str) -> None:
    """Require that two account addresses are there and are one; case does not count."""
    if not stated or not expected or stated.lower() != expected.lower():
        raise VerificationError(f"{what} is {stated}, not {expected}")
