"""Messages between accounts: what the service lets out and in, and what waits for other services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mathmesh.dare.envelope import Envelope
from mathmesh.keys import derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.schema.build import make_contact_access
from mathmesh.schema.message import MessageComplete
from mathmesh.schema.message_access import MessageUndelivered
from mathmesh.schema.message_confirmation import RequestConfirmation
from mathmesh.schema.signed import check_signed_by, object_in
from mathmesh.service import messages as wire
from mathmesh.service import state as limits
from mathmesh.service.access import Caller
from mathmesh.service.envelope_checks import MESSAGE_OCTETS
from meshservice.engines import files

from .conftest import DOMAIN, START, Account, Source, World

FOREIGN = "example.net"


@pytest.fixture
def delivering(world: World) -> World:
    world.engine.state.delivers = True
    return world


class Foreign:
    """Another service with an account, as one that posts."""

    def __init__(self, name: str = "bob") -> None:
        self.udf = derive.derive_key(
            derive.new_seed(derive.PROFILE_SERVICE, Source("foreign")), "BaseServiceProfile"
        ).public.udf
        self.account = Account(f"{name}@{FOREIGN}", self.udf)

    @property
    def caller(self) -> Caller:
        return Caller(account="", service_udf=self.udf, domain=FOREIGN, remote=True)

    def request(self, messages: Sequence[Envelope], *to: str) -> wire.PostRequest:
        return wire.PostRequest(
            accounts=to,
            messages=tuple(messages),
            sender=self.account.address,
            enveloped_profile_account=self.account.envelope,
        )


def send(world: World, sender: Account, messages: Sequence[Envelope], *to: str) -> int | None:
    request = wire.TransactRequest(outbound=tuple(messages), accounts=to)
    return world.ask(request, wire.TransactResponse, sender.root).status


def post(world: World, foreign: Foreign, messages: Sequence[Envelope], *to: str) -> list[str | None]:
    answer = world.ask(foreign.request(messages, *to), wire.PostResponse, foreign.caller)
    assert answer.status == 201, answer
    return [entry.result for entry in answer.entries]


def access(world: World, account: Account, contact: str, udf: str | None = None, **rules: object) -> None:
    assert account.profile.common_encryption is not None
    message = make_contact_access(
        contact,
        udf,
        sender=account.address,
        recipients=[
            world.identity.access_encrypt.public,
            account.profile.common_encryption.public_key("X448"),
        ],
        signer=account.signature,
        entropy=account.entropy,
        now=START,
        **rules,  # type: ignore[arg-type]
    )
    assert world.transact(account, local=[message]).status == 201


def inbound(world: World, account: Account) -> int:
    return world.counts(account)["MMM_Inbound"] - 1


# -- out -----------------------------------------------------------------------------------------
def test_messages_for_elsewhere_wait_across_a_restart(delivering: World) -> None:
    world, alice = delivering, delivering.account("alice")
    message = alice.message("bob@example.net")
    assert send(world, alice, [message], "Bob@Example.NET", "bob@example.net", "x@example.org") == 201
    for _ in range(2):
        waiting = world.engine.outgoing()
        assert sorted(one.to for one in waiting) == [("bob@example.net",), ("x@example.org",)]
        request = world.engine.post_request(waiting[0])
        assert request is not None
        assert request.messages[0].body == message.body
        assert "SequenceInfo" not in request.messages[0].merged()
        world.reopen()
    for one in world.engine.outgoing():
        world.engine.settle(one)
    assert world.engine.outgoing() == []
    world.reopen()
    assert world.engine.outgoing() == []


def test_what_waits_lies_sealed(delivering: World) -> None:
    alice = delivering.account("alice")
    assert send(delivering, alice, [alice.message("canary@example.net")], "canary@example.net") == 201
    octets = (delivering.folder / "Outgoing.dcon").read_bytes()
    assert b"canary" not in octets
    assert b"alice" not in octets


def test_a_service_that_does_not_deliver_says_so(world: World) -> None:
    alice = world.account("alice")
    assert send(world, alice, [alice.message("bob@example.net")], "bob@example.net") == 404
    assert world.counts(alice)["MMM_Outbound"] == 1


def test_a_recipient_here_that_does_not_exist_refuses_the_whole(delivering: World) -> None:
    alice = delivering.account("alice")
    message = alice.message("nobody@example.com")
    assert send(delivering, alice, [message], "bob@example.net", f"nobody@{DOMAIN}") == 404
    assert delivering.engine.outgoing() == []


@pytest.mark.parametrize("fault", ["unsigned", "other", "large", "many", "recipients", "address", "stranger"])
def test_what_is_not_let_out(delivering: World, fault: str) -> None:
    world, alice, eve = delivering, delivering.account("alice"), delivering.account("eve")
    to = ["bob@example.net"]
    messages = [alice.message(to[0])]
    if fault == "unsigned":
        bare = {name: value for name, value in messages[0].trailer.items() if name != "signatures"}
        messages = [Envelope(messages[0].header, messages[0].body, bare)]
    elif fault == "other":
        messages = [alice.message(to[0], signer=eve.signature)]
    elif fault == "large":
        messages = [alice.message(to[0], size=MESSAGE_OCTETS)]
    elif fault == "many":
        messages = [alice.message(to[0]) for _ in range(17)]
    elif fault == "recipients":
        to = [f"a{number}@example.net" for number in range(65)]
    elif fault == "address":
        to = ["no address"]
    elif fault == "stranger":
        messages = [alice.message(to[0], RequestConfirmation)]
    assert send(world, alice, messages, *to) in (400, 401)
    assert world.counts(alice)["MMM_Outbound"] == 1
    assert world.engine.outgoing() == []


def test_rules_of_the_sender_bind_its_devices(delivering: World) -> None:
    world, alice = delivering, delivering.account("alice")
    ask = alice.message("bob@example.net", RequestConfirmation)
    access(world, alice, "bob@example.net", send=["MessageContact"])
    assert send(world, alice, [ask], "bob@example.net") == 401
    access(world, alice, "bob@example.net", content_types=["text/plain"])
    assert send(world, alice, [ask], "bob@example.net") == 401
    access(world, alice, "bob@example.net")
    assert send(world, alice, [ask], "bob@example.net") == 201


def test_a_sender_keeps_to_the_pace(delivering: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering.engine.state.sent, "_times", 3)
    alice = delivering.account("alice")
    for expected in (201, 201, 201, 503):
        assert send(delivering, alice, [alice.message("b@example.net")], "b@example.net") == expected
    delivering.clock.advance(61)
    assert send(delivering, alice, [alice.message("b@example.net")], "b@example.net") == 201


# -- in ------------------------------------------------------------------------------------------
def test_a_stranger_may_ask_for_contact_only(world: World) -> None:
    alice, foreign = world.account("alice"), Foreign()
    bob = foreign.account
    request = bob.message(alice.address)
    question = bob.message(alice.address, RequestConfirmation)
    assert post(world, foreign, [request], alice.address, "nobody@example.com") == ["Accept", "Reject"]
    assert post(world, foreign, [question], alice.address) == ["Reject"]
    assert inbound(world, alice) == 1
    access(world, alice, bob.address, bob.profile.udf)
    assert post(world, foreign, [question], alice.address) == ["Accept"]
    world.reopen()
    other = bob.message(alice.address, RequestConfirmation)
    assert post(world, foreign, [other], alice.address) == ["Accept"]
    access(world, alice, bob.address, active=False)
    assert post(world, foreign, [bob.message(alice.address, MessageComplete)], alice.address) == ["Reject"]
    assert inbound(world, alice) == 3


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, ["Accept", "Accept"]),
        ({"receive": ["RequestConfirmation"]}, ["Reject", "Accept"]),
        ({"receive": []}, ["Reject", "Reject"]),
        ({"content_types": ["text/plain"]}, ["Reject", "Reject"]),
        ({"content_types": ["application/mmm/object"]}, ["Accept", "Accept"]),
        ({"udf": "MAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"}, ["Accept", "Reject"]),
        ({"udf": "MAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "receive": []}, ["Reject", "Reject"]),
    ],
)
def test_rules_of_the_recipient(world: World, rules: dict[str, object], expected: list[str]) -> None:
    alice, foreign = world.account("alice"), Foreign()
    bob = foreign.account
    access(world, alice, bob.address, **rules)  # type: ignore[arg-type]
    messages = [bob.message(alice.address), bob.message(alice.address, RequestConfirmation)]
    assert [post(world, foreign, [one], alice.address)[0] for one in messages] == expected


def test_rules_hold_between_accounts_of_one_service_too(world: World) -> None:
    alice, bob = world.account("alice"), world.account("bob")
    question = alice.message(bob.address, RequestConfirmation)
    access(world, alice, bob.address)
    assert send(world, alice, [question], bob.address) == 401
    access(world, bob, alice.address, alice.profile.udf)
    assert send(world, alice, [question], bob.address) == 201
    access(world, bob, alice.address, receive=[])
    assert send(world, alice, [alice.message(bob.address)], bob.address) == 401
    assert inbound(world, bob) == 1


def test_nothing_is_delivered_twice(world: World) -> None:
    alice, foreign = world.account("alice"), Foreign()
    message = foreign.account.message(alice.address)
    for _ in range(2):
        assert post(world, foreign, [message], alice.address) == ["Accept"]
        assert post(world, foreign, [message, message], alice.address) == ["Accept"]
        assert inbound(world, alice) == 1
        world.reopen()
    eve = Foreign("eve")
    other = eve.account.message(alice.address)
    named = Envelope({**other.header, "EnvelopeId": message.envelope_id}, other.body, other.trailer)
    assert post(world, eve, [named], alice.address) == ["Accept"]
    assert inbound(world, alice) == 2


@pytest.mark.parametrize(
    "fault",
    ["no profile", "sender", "domain", "unknown domain", "service", "signature", "ours", "large", "none"],
)
def test_what_another_service_may_not_post(world: World, fault: str) -> None:
    alice, foreign = world.account("alice"), Foreign()
    message, caller = foreign.account.message(alice.address), foreign.caller
    request = foreign.request([message], alice.address)
    if fault == "no profile":
        request = replace(request, enveloped_profile_account=None)
    elif fault == "sender":
        request = replace(request, sender="carol@example.net")
    elif fault == "domain":
        caller = replace(caller, domain="")
    elif fault == "unknown domain":
        caller = replace(caller, domain=None)
    elif fault == "service":
        caller = replace(caller, service_udf=world.identity.profile.udf)
    elif fault == "signature":
        request = replace(request, messages=(alice.message(alice.address),))
    elif fault == "ours":
        ours = world.account("carol")
        request = replace(
            foreign.request([ours.message(alice.address)], alice.address),
            sender=ours.address,
            enveloped_profile_account=ours.envelope,
        )
        caller = replace(caller, domain=DOMAIN, service_udf=world.identity.profile.udf)
    elif fault == "large":
        request = replace(request, messages=(foreign.account.message("x", size=MESSAGE_OCTETS),))
    elif fault == "none":
        request = replace(request, messages=())
    answer = world.ask(request, wire.PostResponse, caller)
    assert answer.status in (400, 401, 503), answer
    assert inbound(world, alice) == 0


def test_only_services_post_and_they_do_nothing_else(world: World) -> None:
    alice, foreign = world.account("alice"), Foreign()
    request = foreign.request([foreign.account.message(alice.address)], alice.address)
    for caller in (None, alice.root, replace(alice.root, remote=True)):
        assert world.ask(request, wire.PostResponse, caller).status == 401
    for other in (wire.StatusRequest(), wire.TransactRequest(), wire.OperateRequest(), wire.UnbindRequest()):
        kind = wire.response_type(other.OPERATION)
        assert world.ask(other, kind, foreign.caller).status == 401


def test_senders_services_and_strangers_keep_to_the_pace(world: World) -> None:
    alice, foreign = world.account("alice"), Foreign()
    made = [foreign.account.message(alice.address) for _ in range(limits.STRANGERS_A_MINUTE + 1)]
    results = [post(world, foreign, [one], alice.address)[0] for one in made]
    assert results == ["Accept"] * limits.STRANGERS_A_MINUTE + ["Later"]
    for _ in range(limits.POSTED_BY_A_MINUTE):
        answer = world.ask(foreign.request(made[:1], alice.address), wire.PostResponse, foreign.caller)
    assert (answer.status, answer.status_extended) == (503, wire.TIMEOUT)
    world.clock.advance(61)
    assert post(world, foreign, made[-1:], alice.address) == ["Accept"]
    assert inbound(world, alice) == len(made)


# -- what becomes of it --------------------------------------------------------------------------
def test_the_sender_is_told_of_what_could_not_be_delivered(delivering: World) -> None:
    world, alice = delivering, delivering.account("alice")
    message = alice.message("bob@example.net")
    assert send(world, alice, [message], "bob@example.net", "carol@example.net") == 201
    [waiting] = world.engine.outgoing()
    world.engine.settle(waiting, later=["carol@example.net"], failed=[("bob@example.net", "it is full")])
    [still] = world.engine.outgoing()
    assert (still.id, still.to, still.queued) == (waiting.id, ("carol@example.net",), START)
    assert inbound(world, alice) == 1
    [notice] = world.engine.envelopes(alice.profile.udf, "MMM_Inbound", 1, 2)
    check_signed_by(notice, world.identity.signature.public, "the notice")
    keyring = MemoryKeyring([derive.derive_key(alice.seed, "CompleteAccountEncrypt")])
    told = object_in(notice, MessageUndelivered, keyring=keyring)
    assert (told.account, told.reason) == ("bob@example.net", "it is full")
    assert told.reference == message.content_meta.unique_id
    world.reopen()
    assert [one.to for one in world.engine.outgoing()] == [("carol@example.net",)]


def test_what_an_account_that_left_had_sent_goes_nowhere(delivering: World) -> None:
    world, alice = delivering, delivering.account("alice")
    assert send(world, alice, [alice.message("bob@example.net")], "bob@example.net") == 201
    assert world.ask(wire.UnbindRequest(), wire.UnbindResponse, alice.root).status == 201
    [waiting] = world.engine.outgoing()
    assert world.engine.post_request(waiting) is None
    world.engine.settle(waiting, failed=[("bob@example.net", "gone")])
    assert world.engine.outgoing() == []


def test_a_settled_queue_is_written_anew(delivering: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "QUEUE_ENTRIES", 6)
    world, alice = delivering, delivering.account("alice")
    sizes = []
    for number in range(6):
        to = f"a{number}@example.net"
        assert send(world, alice, [alice.message(to)], to) == 201
        sizes.append((world.folder / "Outgoing.dcon").stat().st_size)
        if number:
            waiting = next(one for one in world.engine.outgoing() if one.to == (to,))
            world.engine.settle(waiting)
    assert sizes[-1] < max(sizes)
    for _ in range(2):
        assert [one.to for one in world.engine.outgoing()] == [("a0@example.net",)]
        world.reopen()
    assert not (world.folder / "Outgoing.new").exists()
