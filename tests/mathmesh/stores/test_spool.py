"""The fold of a spool."""

from __future__ import annotations

import pytest

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.message import Message, MessageComplete, Reference
from mathmesh.stores.spool import Spool, clear_message, closed_messages


def envelope(message: Message, name: str | None = None, **header: str) -> Envelope:
    named = {"EnvelopeId": name} if name else {}
    return Envelope({**named, **header}, message.encode())


def complete(**states: str) -> MessageComplete:
    references = tuple(Reference(message_id=name, relationship=state) for name, state in states.items())
    return MessageComplete(message_id="N", references=references)


def test_the_newest_envelope_of_an_id_counts() -> None:
    spool = Spool()
    for index, name in enumerate(["a", "b", "a", None], start=1):
        spool.apply(index, envelope(Message(message_id="x"), name))
    assert (spool.newest("a"), spool.newest("b"), spool.newest("c")) == (3, 2, None)


def test_the_newest_reference_gives_the_state() -> None:
    spool = Spool()
    assert spool.state("m") == "Open"
    spool.apply(1, envelope(complete(m="Closed", n="Read")))
    spool.apply(2, envelope(complete(m="Open")))
    assert (spool.state("m"), spool.state("n"), spool.state("o")) == ("Open", "Read", "Open")


def test_what_closes() -> None:
    assert closed_messages(complete(a="Closed", b="Read", c="Closed")) == ("a", "c")
    assert closed_messages(Message(message_id="a")) == ()
    assert closed_messages(MessageComplete()) == ()
    assert closed_messages(None) == ()


@pytest.mark.parametrize(
    "hidden",
    [
        envelope(complete(m="Closed"), enc="A256CBC"),
        Envelope({"MessageType": "MessageComplete"}, b""),
        Envelope({}, b"not an object"),
        Envelope({}, b"[1]"),
    ],
)
def test_the_body_alone_says_what_a_message_is(hidden: Envelope) -> None:
    assert clear_message(hidden) is None
    spool = Spool()
    spool.apply(1, hidden)
    assert spool.state("m") == "Open"


def test_a_body_in_the_clear_is_read_whatever_the_header_calls_it() -> None:
    assert clear_message(envelope(complete(m="Closed"), MessageType="MessagePin")) == complete(m="Closed")
    assert clear_message(envelope(complete(m="Closed"), enc="none")) == complete(m="Closed")
