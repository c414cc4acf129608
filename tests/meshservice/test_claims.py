"""Claim and PollClaim on a real engine: who gets a publication, and who holds it when."""

from __future__ import annotations

from typing import Any

import pytest

from mathmesh.dare.envelope import Envelope
from mathmesh.keys import derive, earl, ids
from mathmesh.schema.build import make_message_complete, make_publication, make_respond_connection
from mathmesh.schema.claim import open_publication
from mathmesh.schema.message import MessageClaim, Reference
from mathmesh.schema.signed import object_in
from mathmesh.schema.validation import verify_profile_device
from mathmesh.service import messages as wire

World = Any  # the fixture's class lives in conftest
MAKER = "maker@example.com"


@pytest.fixture
def maker(world: World) -> Any:
    return world.account("maker")


@pytest.fixture
def alice(world: World) -> Any:
    return world.account("alice")


@pytest.fixture
def secret(world: World, maker: Any) -> bytes:
    made: bytes = world.publish(maker, "lamp")
    return made


def ask(world: World, envelope: Envelope) -> wire.ClaimResponse:
    answer: wire.ClaimResponse = world.ask(
        wire.ClaimRequest(enveloped_message_claim=envelope), wire.ClaimResponse
    )
    return answer


def poll(world: World, secret: bytes) -> MessageClaim | None:
    request = wire.PollClaimRequest(target_account_address=MAKER, publication_id=earl.publication_id(secret))
    answer = world.ask(request, wire.PollClaimResponse)
    if answer.status == 404:
        assert answer.enveloped_message is None
        return None
    assert answer.status == 201
    assert answer.enveloped_message.envelope_id == ids.envelope_id(earl.publication_id(secret))
    return object_in(answer.enveloped_message, MessageClaim)


def accept(world: World, account: Any, claim: Envelope, label: str = "lamp") -> wire.TransactResponse:
    """What an administrator posts when the device is adopted."""
    device = account.cataloged(label)
    answer = make_respond_connection(
        object_in(claim, MessageClaim).message_id or "",
        "Accept",
        device,
        verify_profile_device(device.enveloped_profile_device),
        sender=account.address,
        signer=account.signature,
        entropy=account.entropy,
        now=world.clock(),
    )
    made: wire.TransactResponse = world.transact(
        account, local=[answer], MMM_Device=[device], MMM_Access=[account.access(device)]
    )
    return made


def close(world: World, account: Any, claim: Envelope) -> Envelope:
    reference = Reference(message_id=object_in(claim, MessageClaim).message_id, relationship="Closed")
    return make_message_complete(
        [reference],
        sender=account.address,
        signer=account.signature,
        entropy=account.entropy,
        now=world.clock(),
    )


# -- the claim itself ----------------------------------------------------------------------------
def test_a_claim_gives_the_publication_and_is_seen_by_the_device(
    world: World, alice: Any, secret: bytes
) -> None:
    envelope = alice.claim(secret, MAKER)
    assert poll(world, secret) is None
    answer = ask(world, envelope)
    assert answer.status == 201, answer.status_description
    profile, hailing, _ = open_publication(answer.cataloged_publication, secret)
    assert profile.udf
    assert hailing == ("mmm-tcp://192.0.2.1:7",)
    seen = poll(world, secret)
    assert seen == object_in(envelope, MessageClaim)


def test_addresses_count_in_lower_case(world: World, alice: Any, secret: bytes) -> None:
    assert ask(world, alice.claim(secret, "Maker@Example.COM")).status == 201
    request = wire.PollClaimRequest(
        target_account_address="MAKER@example.com", publication_id=earl.publication_id(secret)
    )
    assert world.ask(request, wire.PollClaimResponse).status == 201


def test_what_claim_refuses(world: World, alice: Any, maker: Any, secret: bytes) -> None:
    bob = world.account("bob")
    other = derive.new_seed(derive.PROFILE_DEVICE, world.entropy)
    wrong = earl.connect_secret(other, MAKER)
    good = alice.claim(secret, MAKER)
    body = good.body.replace(b'"DeviceProof"', b'"DeviceProOf"')
    message = object_in(good, MessageClaim)
    as_bob = good.body.replace(alice.address.encode(), b"bobby@example.com", 1)
    stranger = type(alice)("eve@example.com", world.identity.profile.udf)
    cases = [
        ("wrong secret", alice.claim(wrong, MAKER), 404, wire.ABSENT),
        ("no such account", alice.claim(secret, "nobody@example.com"), 404, wire.ABSENT),
        ("not a publisher", alice.claim(secret, bob.address), 404, wire.ABSENT),
        ("another domain", alice.claim(secret, "maker@example.net"), 404, wire.MOVED),
        ("changed body", Envelope(good.header, body, good.trailer), 401, wire.NOT_AUTHORIZED),
        ("another sender", Envelope(good.header, as_bob, good.trailer), 401, wire.NOT_AUTHORIZED),
        ("no signature", Envelope(good.header, good.body, {}), 401, wire.NOT_AUTHORIZED),
        ("sender unknown here", stranger.claim(secret, MAKER), 401, wire.NOT_AUTHORIZED),
        ("another account's UDF", alice.claim(secret, MAKER, udf=bob.profile.udf), 401, None),
    ]
    for name, envelope, status, extended in cases:
        answer = ask(world, envelope)
        assert answer.status == status, (name, answer.status_description)
        assert extended in (None, answer.status_extended), name
        assert answer.cataloged_publication is None, name
    assert message.sender == alice.address
    assert poll(world, secret) is None


def test_a_signature_by_another_key_is_refused(world: World, alice: Any, secret: bytes) -> None:
    bob = world.account("bob")
    alice.signature = bob.signature
    assert ask(world, alice.claim(secret, MAKER)).status == 401


def test_a_label_guessed_in_all_but_the_authenticator_is_refused(
    world: World, alice: Any, secret: bytes
) -> None:
    """The publication id is public (it names the spool); without the secret it is of no use."""
    from mathmesh.schema.build import enveloped

    message = object_in(alice.claim(secret, MAKER), MessageClaim)
    for authenticator in ("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", (message.service_authenticate or "")[:24]):
        forged = MessageClaim(
            message_id=ids.nonce_id(alice.entropy),
            sender=alice.address,
            recipient=MAKER,
            publication_id=message.publication_id,
            service_authenticate=authenticator,
            device_authenticate=message.device_authenticate,
        )
        envelope = enveloped(forged, entropy=alice.entropy, now=world.clock(), signer=alice.signature)
        assert ask(world, envelope).status == 401
    assert poll(world, secret) is None


def test_an_account_of_another_service_may_claim(world: World, secret: bytes, alice: Any) -> None:
    """Its profile is unknown here, so that the label's secret is all that can be verified."""
    foreign = type(alice)("zoe@example.org", world.identity.profile.udf)
    assert ask(world, foreign.claim(secret, MAKER)).status == 201
    assert ask(world, alice.claim(secret, MAKER)).claimed_by == "zoe@example.org"


def test_an_expired_publication_is_gone(world: World, alice: Any, maker: Any) -> None:
    seed = derive.new_seed(derive.PROFILE_DEVICE, world.entropy)
    secret = earl.connect_secret(seed, MAKER)
    device = alice.cataloged("lamp").enveloped_profile_device
    entry = make_publication(
        secret, None, device, [], world.entropy, world.clock(), not_on_or_after=world.clock()
    )
    assert world.transact(maker, MMM_Publication=[entry]).status == 201
    assert ask(world, alice.claim(secret, MAKER)).status == 404


# -- the lock ------------------------------------------------------------------------------------
def test_the_second_claimant_is_told_who_was_first(world: World, alice: Any, secret: bytes) -> None:
    bob = world.account("bob")
    assert ask(world, alice.claim(secret, MAKER)).status == 201
    refused = ask(world, bob.claim(secret, MAKER))
    assert (refused.status, refused.claimed_by) == (409, alice.address)
    assert "already claimed by alice@example.com" in (refused.status_description or "")
    assert refused.cataloged_publication is None
    assert (poll(world, secret) or MessageClaim()).sender == alice.address


@pytest.mark.parametrize("restart", [False, True])
def test_an_unconfirmed_lock_lapses_after_120_seconds(
    world: World, alice: Any, secret: bytes, restart: bool
) -> None:
    bob = world.account("bob")
    assert ask(world, alice.claim(secret, MAKER)).status == 201
    world.clock.advance(119)
    if restart:
        world.reopen()
    assert ask(world, bob.claim(secret, MAKER)).status == 409
    world.clock.advance(1)
    assert poll(world, secret) is None
    assert ask(world, bob.claim(secret, MAKER)).status == 201
    assert (poll(world, secret) or MessageClaim()).sender == bob.address
    assert ask(world, alice.claim(secret, MAKER)).claimed_by == bob.address


def test_a_clock_that_ran_backwards_does_not_lock_for_ever(world: World, alice: Any, secret: bytes) -> None:
    assert ask(world, alice.claim(secret, MAKER)).status == 201
    world.clock.advance(-10 * 365 * 86400)
    assert poll(world, secret) is None


@pytest.mark.parametrize("restart", [False, True])
def test_the_cataloged_device_makes_the_lock_permanent(
    world: World, alice: Any, secret: bytes, restart: bool
) -> None:
    bob = world.account("bob")
    claim = alice.claim(secret, MAKER)
    assert ask(world, claim).status == 201
    assert accept(world, alice, claim).status == 201
    if restart:
        world.reopen()
    world.clock.advance(400 * 86400)
    assert ask(world, bob.claim(secret, MAKER)).claimed_by == alice.address
    assert (poll(world, secret) or MessageClaim()).sender == alice.address
    again = alice.claim(secret, MAKER)
    assert ask(world, again).status == 201
    world.clock.advance(400 * 86400)
    assert poll(world, secret) == object_in(again, MessageClaim)
    assert ask(world, bob.claim(secret, MAKER)).claimed_by == alice.address


@pytest.mark.parametrize("permanent", [False, True])
@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("by_maker", [False, True])
def test_a_release_frees_the_device(
    world: World, alice: Any, maker: Any, secret: bytes, permanent: bool, restart: bool, by_maker: bool
) -> None:
    bob = world.account("bob")
    claim = alice.claim(secret, MAKER)
    assert ask(world, claim).status == 201
    if permanent:
        assert accept(world, alice, claim).status == 201
    assert world.transact(bob, local=[close(world, bob, claim)]).status == 201
    assert poll(world, secret) is not None
    closer = maker if by_maker else alice
    assert world.transact(closer, local=[close(world, closer, claim)]).status == 201
    if restart:
        world.reopen()
    assert poll(world, secret) is None
    assert ask(world, bob.claim(secret, MAKER)).status == 201


def test_only_an_administrator_answers_or_releases(world: World, alice: Any, secret: bytes) -> None:
    plain = world.connect(alice, "phone", roles=("web",))
    claim = alice.claim(secret, MAKER)
    assert ask(world, claim).status == 201
    assert world.transact(alice, plain, local=[close(world, alice, claim)]).status == 401
    assert (poll(world, secret) or MessageClaim()).sender == alice.address


def test_an_answer_without_its_device_is_refused(world: World, alice: Any, secret: bytes) -> None:
    claim = alice.claim(secret, MAKER)
    assert ask(world, claim).status == 201
    device = alice.cataloged("lamp")
    answer = make_respond_connection(
        object_in(claim, MessageClaim).message_id or "",
        "Accept",
        device,
        verify_profile_device(device.enveloped_profile_device),
        sender=alice.address,
        signer=alice.signature,
        entropy=alice.entropy,
        now=world.clock(),
    )
    assert world.transact(alice, local=[answer]).status == 400
    world.clock.advance(120)
    assert poll(world, secret) is None


def test_who_is_late_finds_the_device_taken(world: World, alice: Any, secret: bytes) -> None:
    bob = world.account("bob")
    claim = alice.claim(secret, MAKER)
    assert ask(world, claim).status == 201
    world.clock.advance(121)
    assert ask(world, bob.claim(secret, MAKER)).status == 201
    before = world.counts(alice)
    late = accept(world, alice, claim)
    assert late.status == 409
    assert "bob@example.com" in (late.status_description or "")
    assert world.counts(alice) == before


def test_another_account_cannot_confirm_for_the_claimant(world: World, alice: Any, secret: bytes) -> None:
    bob = world.account("bob")
    claim = alice.claim(secret, MAKER)
    assert ask(world, claim).status == 201
    assert accept(world, bob, claim).status == 201
    world.clock.advance(120)
    assert poll(world, secret) is None


def test_a_claim_cannot_be_smuggled_into_a_spool(world: World, maker: Any, alice: Any, secret: bytes) -> None:
    claim = alice.claim(secret, MAKER)
    plain = {name: value for name, value in claim.header.items() if name != "ContentMetaData"}
    for header in (claim.header, plain):
        disguised = Envelope({**header, "EnvelopeId": "other"}, claim.body, claim.trailer)
        assert world.transact(maker, local=[disguised]).status == 400
    assert poll(world, secret) is None


def test_a_replayed_claim_wins_nothing(world: World, maker: Any, alice: Any, secret: bytes) -> None:
    bob = world.account("bob")
    claim = alice.claim(secret, MAKER)
    assert ask(world, claim).status == 201
    count = world.counts(maker)["MMM_Local"]
    assert ask(world, claim).status == 201
    assert world.counts(maker)["MMM_Local"] == count
    assert world.transact(alice, local=[close(world, alice, claim)]).status == 201
    assert ask(world, claim).status == 409
    assert poll(world, secret) is None
    assert ask(world, bob.claim(secret, MAKER)).status == 201
