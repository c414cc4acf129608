"""Checks 26 to 29: what all messages have in common."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.errors import MeshError, VerificationError
from mathmesh.schema import (
    MessageComplete,
    MessageError,
    MessageInvoice,
    ProcessResult,
    Reference,
    RequestTask,
)
from mathmesh.schema.build import make_message_complete
from mathmesh.schema.verify import verify_message

KINDS = {
    "MessageComplete": MessageComplete(references=(Reference(message_id="N", relationship="Read"),)),
    "MessageError": MessageError(error_code="Full"),
    "ProcessResult": ProcessResult(success=False, error_report="paper jam"),
    "RequestTask": RequestTask(),
    "MessageInvoice": MessageInvoice(),
}


def addressed(item: Any, **members: Any) -> Any:
    defaults = {"message_id": "NAAA", "sender": "Alice@hub.local", "recipient": "mallory@hub.local"}
    return replace(item, **(defaults | members))


def verify(world: Any, envelope: Any, kind: Any, **options: Any) -> Any:
    defaults = {"sender": world.account, "recipient": "Mallory@hub.local", "now": world.now}
    return verify_message(envelope, kind, **(defaults | options))


@pytest.mark.parametrize("name", KINDS)
def test_a_good_message_passes(world: Any, sign: Any, name: str) -> None:
    message = addressed(KINDS[name])
    assert verify(world, sign(message, world.key("Sign")), type(message)) == message
    sealed = sign(message, world.key("Sign"), recipients=[world.key("Encrypt", world.other_seed).public])
    assert verify(world, sealed, type(message), keyring=world.keyring(world.other_seed)) == message


def test_a_message_to_the_own_account_needs_no_recipient(world: Any) -> None:
    envelope = make_message_complete(
        [Reference(message_id="N", relationship="Closed")],
        sender="alice@hub.local",
        signer=world.key("Sign"),
        entropy=world.entropy,
        now=world.now,
    )
    assert verify(world, envelope, MessageComplete, recipient=None).references[0].relationship == "Closed"


def test_1_and_2_hold_for_messages(world: Any, sign: Any, altered: Any) -> None:
    envelope = sign(addressed(MessageError()), world.key("Sign"))
    with pytest.raises(VerificationError):
        verify(world, altered(envelope), MessageError)
    with pytest.raises(MeshError):
        verify(world, envelope, ProcessResult)


def test_26_the_sender_signs(world: Any, sign: Any) -> None:
    message = addressed(MessageError())
    for signer in (world.key("AdminSign"), world.key("Sign", world.other_seed), None):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify(world, sign(message, signer), MessageError)


def test_26_an_unsigned_message_passes_by_the_switch_only(world: Any, sign: Any, unsigned: Any) -> None:
    message = addressed(MessageError())
    envelope = unsigned(sign(message, None))
    with pytest.raises(VerificationError):
        verify(world, envelope, MessageError)
    assert verify(world, envelope, MessageError, allow_unsigned=True) == message
    foreign = sign(message, world.key("Sign", world.other_seed))
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, foreign, MessageError, allow_unsigned=True)


@pytest.mark.parametrize("sender", [None, "mallory@hub.local", "alice@hub.locale"])
def test_27_the_sender_is_the_signer(world: Any, sign: Any, sender: str | None) -> None:
    envelope = sign(addressed(MessageError(), sender=sender), world.key("Sign"))
    with pytest.raises(VerificationError, match="Sender"):
        verify(world, envelope, MessageError)


@pytest.mark.parametrize("recipient", [None, "alice@hub.local"])
def test_28_a_message_to_somebody_else_is_refused(world: Any, sign: Any, recipient: str | None) -> None:
    envelope = sign(addressed(MessageError(), recipient=recipient), world.key("Sign"))
    with pytest.raises(VerificationError, match="Recipient"):
        verify(world, envelope, MessageError)


def test_29_a_message_without_id_is_refused(world: Any, sign: Any) -> None:
    envelope = sign(addressed(MessageError(), message_id=None), world.key("Sign"))
    with pytest.raises(VerificationError, match="has no MessageId"):
        verify(world, envelope, MessageError)
