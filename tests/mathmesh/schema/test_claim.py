"""Each numbered check of `mathmesh.schema.claim`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mathmesh.codec import udf
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.errors import KeyUnavailableError, MeshError, PolicyError, VerificationError
from mathmesh.keys import earl
from mathmesh.schema import (
    DevicePreconfigurationPublic,
    MessageClaim,
    device_proof,
    open_publication,
    verify_message_claim,
)
from mathmesh.schema.build import enveloped, make_message_claim, make_publication

LABEL = bytes.fromhex("e2be332fdba837643293f2dfba4e73")


def verify(world: Any, envelope: Envelope, **changes: Any) -> MessageClaim:
    options: dict[str, Any] = {
        "claimant": world.account,
        "publication_id": earl.publication_id(world.k),
        "service_authenticator": earl.service_authenticator(world.k),
        "device_authenticator": earl.device_authenticator(world.k),
        "recipient": "Maker@hub.local",
        "now": world.now,
    }
    return verify_message_claim(envelope, **(options | changes))


def resigned(world: Any, claim: Envelope, **changes: Any) -> Envelope:
    """The claim with other members, signed as the claimant would."""
    item = replace(MessageClaim.decode(claim.body), **changes)
    return enveloped(item, entropy=world.entropy, now=world.now, signer=world.key("Sign"))


def test_a_good_claim_passes(world: Any, claim: Envelope) -> None:
    again = Envelope.from_bytes(claim.to_json())
    found = verify(world, again)
    assert found.sender == "alice@hub.local"
    assert found.claimant_udf == world.account.udf
    assert found.encode() == claim.body
    assert verify(world, again, claimant=None) == found
    assert verify(world, again, device_authenticator=None, recipient=None) == found


def test_the_published_authenticators_are_reproduced(world: Any) -> None:
    envelope = make_message_claim(
        LABEL,
        sender="Alice@example.com",
        recipient="maker@example.com",
        claimant_udf=world.account.udf,
        signer=world.key("Sign"),
        entropy=world.entropy,
        now=world.now,
    )
    found = MessageClaim.decode(envelope.body)
    assert found.publication_id == "EBQB-KJVT-BYND-4GE2-U65R-FZFH-4C7O"
    assert found.service_authenticate == "AAX2-PAY7-QBP6-MIF4-Q6CP-RGQ3-XYT7"
    assert found.device_authenticate == "ADZR-C42E-OSGG-5APY-RUWT-WAAL-6IDW"


def test_1_a_changed_claim_is_refused(world: Any, claim: Envelope, altered: Any) -> None:
    with pytest.raises(VerificationError):
        verify(world, altered(claim))
    with pytest.raises(VerificationError):
        verify(world, altered(claim), claimant=None)


def test_1_a_claim_without_digest_is_refused(world: Any, claim: Envelope) -> None:
    with pytest.raises(VerificationError, match="states no PayloadDigest"):
        verify(world, Envelope(claim.header, claim.body), claimant=None)


def test_16_a_claim_signed_by_another_is_refused(world: Any, claim: Envelope) -> None:
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, claim, claimant=world.other)
    unsigned = seal(claim.body, entropy=world.entropy)
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, unsigned)


def test_17_a_claim_in_another_name_is_refused(world: Any, claim: Envelope) -> None:
    with pytest.raises(VerificationError, match=r"is signed by alice@hub\.local"):
        verify(world, resigned(world, claim, sender="mallory@hub.local"))
    with pytest.raises(VerificationError, match="the claim names account"):
        verify(world, resigned(world, claim, claimant_udf=world.other.udf))
    with pytest.raises(VerificationError, match="names no message or no sender"):
        verify(world, resigned(world, claim, sender=None), claimant=None)


def test_18_a_claim_of_something_else_is_refused(world: Any, claim: Envelope) -> None:
    with pytest.raises(VerificationError, match="the claim is for publication"):
        verify(world, claim, publication_id=earl.publication_id(LABEL))
    with pytest.raises(VerificationError, match=r"the claim is for maker@hub\.local"):
        verify(world, claim, recipient="other@hub.local")


def test_19_a_claim_expires(world: Any, claim: Envelope) -> None:
    assert verify(world, claim, now=world.now + timedelta(hours=23))
    with pytest.raises(VerificationError, match="has expired"):
        verify(world, claim, now=world.now + timedelta(days=1))


@pytest.mark.parametrize("member", ["service_authenticate", "device_authenticate"])
def test_20_a_claim_without_the_secret_is_refused(world: Any, claim: Envelope, member: str) -> None:
    right = getattr(MessageClaim.decode(claim.body), member)
    short = udf.canonical(right[:24])
    wrong = ("AB" if right[:2] != "AB" else "AA") + right[2:]
    for value in (None, wrong, short if member == "service_authenticate" else right[:15]):
        with pytest.raises(MeshError):
            verify(world, resigned(world, claim, **{member: value}))


def test_20_the_service_needs_no_device_secret(world: Any, claim: Envelope) -> None:
    wrong = resigned(world, claim, device_authenticate=None, device_proof=None)
    assert verify(world, wrong, device_authenticator=None)


@pytest.mark.parametrize("change", ["sender", "claimant_udf", "message_id", "device_proof"])
def test_21_the_device_believes_only_the_proven_account(world: Any, claim: Envelope, change: str) -> None:
    """The device does not know the claimant's profile; the proof alone binds account, address and message."""
    values = {
        "sender": "mallory@hub.local",
        "claimant_udf": world.other.udf,
        "message_id": "NDZ4-LGXM-W7JI-6NRH-I2AS-UPUB-QUBL",
        "device_proof": None,
    }
    forged = resigned(world, claim, **{change: values[change]})
    if change == "sender":
        service, device = earl.service_authenticator(world.k), earl.device_authenticator(world.k)
        forged = resigned(
            world,
            claim,
            sender=values["sender"],
            service_authenticate=earl.claim_mac(service, values["sender"]),
            device_authenticate=earl.claim_mac(device, values["sender"]),
        )
    with pytest.raises(VerificationError, match="does not prove its account"):
        verify(world, forged, claimant=None)


def test_21_claims_of_other_programs_hold_neither_member(world: Any, claim: Envelope) -> None:
    plain = resigned(world, claim, claimant_udf=None, device_proof=None)
    assert verify(world, plain).claimant_udf is None


def test_the_proof_depends_on_each_of_its_inputs(world: Any) -> None:
    key, other = (earl.device_authenticator(secret) for secret in (world.k, LABEL))
    proofs = {
        device_proof(key, "a@b", "MA", "NA"),
        device_proof(other, "a@b", "MA", "NA"),
        device_proof(key, "c@b", "MA", "NA"),
        device_proof(key, "a@b", "MB", "NA"),
        device_proof(key, "a@b", "MA", "NB"),
    }
    assert len(proofs) == 5
    assert {len(proof) for proof in proofs} == {64}


def test_a_good_publication_opens(world: Any, publication: Any) -> None:
    again = type(publication).decode(publication.encode())
    device, hailing, envelope = open_publication(again, world.k, now=world.now)
    assert device == world.profile_device_object
    assert hailing == ("mmm-tcp://127.0.0.1:7000",)
    assert envelope == world.profile_device


def test_22_the_publication_of_another_label_is_refused(world: Any, publication: Any) -> None:
    with pytest.raises(VerificationError, match="is not the one of this label"):
        open_publication(publication, LABEL)
    wrong = replace(publication, authenticator=earl.service_authenticator(LABEL))
    with pytest.raises(VerificationError, match="authenticator"):
        open_publication(wrong, world.k)


def test_22_a_publication_expires(world: Any, publication: Any) -> None:
    limited = replace(publication, not_on_or_after=world.now)
    assert open_publication(limited, world.k)
    with pytest.raises(VerificationError, match="has expired"):
        open_publication(limited, world.k, now=world.now)


def test_23_data_under_another_secret_is_refused(world: Any, publication: Any, altered: Any) -> None:
    other = make_publication(LABEL, None, world.profile_device, [], world.entropy, world.now)
    with pytest.raises(KeyUnavailableError):
        open_publication(replace(publication, enveloped_data=other.enveloped_data), world.k)
    with pytest.raises(VerificationError):
        open_publication(replace(publication, enveloped_data=altered(publication.enveloped_data)), world.k)
    with pytest.raises(VerificationError, match="is missing"):
        open_publication(replace(publication, enveloped_data=None), world.k)


def published(world: Any, publication: Any, content: bytes) -> Any:
    return replace(publication, enveloped_data=seal(content, entropy=world.entropy, symmetric=[world.k]))


def test_24_the_profile_alone_is_read_too(world: Any, publication: Any) -> None:
    bare = world.profile_device.to_json()
    for content in (bare, b'{"DareEnvelope":' + bare + b"}"):
        device, hailing, _ = open_publication(published(world, publication, content), world.k)
        assert device == world.profile_device_object
        assert hailing == ()


def test_24_a_published_profile_is_verified(world: Any, publication: Any, altered: Any) -> None:
    changed = DevicePreconfigurationPublic(enveloped_profile_device=altered(world.profile_device))
    with pytest.raises(VerificationError):
        open_publication(published(world, publication, changed.encode()), world.k)


@pytest.mark.parametrize(
    "content", [b'{"CatalogedNetwork":{}}', b'{"DevicePreconfigurationPublic":{}}', b"7", b"x"]
)
def test_24_other_documents_are_refused(world: Any, publication: Any, content: bytes) -> None:
    with pytest.raises(MeshError):
        open_publication(published(world, publication, content), world.k)


def test_an_authenticator_of_another_label_is_not_published(world: Any) -> None:
    with pytest.raises(PolicyError):
        make_publication(
            world.k, earl.service_authenticator(LABEL), world.profile_device, [], world.entropy, world.now
        )
