"""Checks 62 to 65: questions and the signed answers to them."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.errors import LocalProtocolError, VerificationError
from mathmesh.keys import ids
from mathmesh.schema import RequestConfirmation, ResponseConfirmation
from mathmesh.schema.build import make_request_confirmation, make_response_confirmation
from mathmesh.schema.signed import object_in
from mathmesh.schema.verify import verify_request_confirmation, verify_response_confirmation


@pytest.fixture(scope="module")
def question(world: Any, kinds: Any) -> RequestConfirmation:
    return verify_request_confirmation(
        kinds.question,
        sender=world.other,
        recipient="alice@hub.local",
        now=world.now,
        keyring=world.keyring(),
    )


def verify(world: Any, kinds: Any, question: Any, envelope: Any, **options: Any) -> Any:
    defaults = {
        "request": question,
        "request_envelope": kinds.question,
        "responder": world.account,
        "now": world.now,
        "keyring": world.keyring(world.other_seed),
    }
    return verify_response_confirmation(envelope, **(defaults | options))


@pytest.fixture
def resign(world: Any, sign: Any, kinds: Any) -> Any:
    def spoil(signer: Any = "own", **members: Any) -> Any:
        keyring = world.keyring(world.other_seed)
        message = object_in(kinds.answer, ResponseConfirmation, keyring=keyring)
        return sign(replace(message, **members), world.key("Sign") if signer == "own" else signer)

    return spoil


def test_question_and_answer_pass(world: Any, kinds: Any, question: RequestConfirmation) -> None:
    assert question.text == "open the garage"
    answer = verify(world, kinds, question, kinds.answer)
    assert answer.accept is True
    assert answer.message_id == ids.response_id(question.message_id or "")


def test_a_refusal_is_an_answer(world: Any, kinds: Any, question: RequestConfirmation) -> None:
    envelope = make_response_confirmation(
        question,
        kinds.question,
        False,
        signer=world.key("Sign"),
        entropy=world.entropy,
        now=world.now,
    )
    assert verify(world, kinds, question, envelope).accept is False


def test_what_has_no_id_is_not_answered(world: Any, kinds: Any) -> None:
    with pytest.raises(LocalProtocolError):
        make_response_confirmation(
            RequestConfirmation(),
            kinds.question,
            True,
            signer=world.key("Sign"),
            entropy=world.entropy,
            now=world.now,
        )


def test_26_to_28_hold_for_questions(world: Any, sign: Any, question: RequestConfirmation) -> None:
    def verify_question(envelope: Any, **options: Any) -> Any:
        return verify_request_confirmation(
            envelope, sender=world.other, recipient="alice@hub.local", now=world.now, **options
        )

    bob = world.key("Sign", world.other_seed)
    assert verify_question(sign(question, bob)) == question
    assert verify_question(sign(question, None), allow_unsigned=True) == question
    for envelope in (
        sign(question, None),
        sign(question, world.key("Sign")),
        sign(replace(question, sender="alice@hub.local"), bob),
        sign(replace(question, recipient="carol@hub.local"), bob),
    ):
        with pytest.raises(VerificationError):
            verify_question(envelope)


def test_62_a_question_asks_something(world: Any) -> None:
    envelope = make_request_confirmation(
        "",
        sender="mallory@hub.local",
        recipient="alice@hub.local",
        signer=world.key("Sign", world.other_seed),
        entropy=world.entropy,
        now=world.now,
    )
    with pytest.raises(VerificationError, match="asks to confirm nothing"):
        verify_request_confirmation(envelope, sender=world.other, recipient="alice@hub.local", now=world.now)


def test_26_to_28_hold_for_answers(world: Any, kinds: Any, question: Any, resign: Any) -> None:
    for signer in (None, world.key("Sign", world.other_seed), world.key("AdminSign")):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify(world, kinds, question, resign(signer))
    with pytest.raises(VerificationError, match="Sender"):
        verify(world, kinds, question, resign(sender="mallory@hub.local"))
    with pytest.raises(VerificationError, match="Recipient"):
        verify(world, kinds, question, resign(recipient="carol@hub.local"))


def test_63_the_answer_to_another_question_is_refused(
    world: Any, kinds: Any, question: Any, resign: Any
) -> None:
    with pytest.raises(VerificationError, match="answers another request"):
        verify(world, kinds, question, resign(message_id=ids.response_id("NAAA-AAAA-AAAA-AAAA")))


def test_64_the_question_comes_back_unchanged(
    world: Any, kinds: Any, question: Any, resign: Any, altered: Any
) -> None:
    with pytest.raises(VerificationError, match="another content"):
        verify(world, kinds, question, resign(request=altered(kinds.question)))
    with pytest.raises(VerificationError, match="Request is missing"):
        verify(world, kinds, question, resign(request=None))


def test_65_silence_is_no_answer(world: Any, kinds: Any, question: Any, resign: Any) -> None:
    with pytest.raises(VerificationError, match="neither yes nor no"):
        verify(world, kinds, question, resign(accept=None))
