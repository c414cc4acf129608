"""Checks 30 to 34: PINs and the proof of their knowledge."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mathmesh.codec import udf
from mathmesh.errors import KeyUnavailableError, LocalProtocolError, VerificationError
from mathmesh.keys import ids
from mathmesh.schema import MessagePin, RequestConnection
from mathmesh.schema.build import make_message_pin, prove_pin
from mathmesh.schema.pin import check_pin_witness, new_pin, pin_proof
from mathmesh.schema.signed import check_digest, object_in
from mathmesh.schema.verify import verify_message_pin

DAY = timedelta(days=1)


def verify(world: Any, envelope: Any, **options: Any) -> MessagePin:
    defaults = {
        "account": world.account,
        "action": "Device",
        "state": "Open",
        "now": world.now,
        "keyring": world.keyring(),
    }
    return verify_message_pin(envelope, **(defaults | options))


def signed(world: Any, sign: Any, item: MessagePin, signer: Any = None) -> Any:
    return sign(item, signer or world.key("Sign"), recipients=[world.key("Encrypt").public])


def test_the_published_pin_gives_the_published_ids(world: Any) -> None:
    pin = "ADKW-K2ZB-PPZM-ECG4-P3NQ-UN4K-XI"
    envelope = make_message_pin(
        pin,
        account="alice@example.com",
        signer=world.key("Sign"),
        recipient=world.key("Encrypt").public,
        entropy=world.entropy,
        now=world.now,
    )
    message = object_in(envelope, MessagePin, keyring=world.keyring())
    assert message.message_id == "AALG-XLJN-YZC3-2PZ5-LJK4-2TWB-7TST"
    assert message.expires == world.now + DAY
    assert envelope.envelope_id == ids.envelope_id(message.message_id)


def test_a_good_pin_passes(world: Any, kinds: Any) -> None:
    message = verify(world, kinds.message_pin)
    assert message.roles == ("device",)
    assert message.automatic is True
    assert verify(world, kinds.message_pin, pin_id=message.message_id) == message
    assert verify(world, kinds.contact_pin, action="Contact").action == "Contact"


def test_a_new_pin_has_the_bits_it_should_have() -> None:
    assert udf.parse(new_pin(lambda octets: bytes(octets))) == (udf.MAC, bytes(15))
    assert udf.parse(new_pin(lambda octets: bytes(octets), 16)) == (udf.MAC, bytes(16))


def test_the_service_cannot_read_a_pin(world: Any, kinds: Any) -> None:
    with pytest.raises(KeyUnavailableError):
        verify(world, kinds.message_pin, keyring=world.keyring(world.other_seed))
    assert kinds.pin.encode() not in kinds.message_pin.to_json()


def test_26_somebody_elses_pin_is_refused(world: Any, kinds: Any, sign: Any) -> None:
    message = verify(world, kinds.message_pin)
    for signer in (world.key("AdminSign"), world.key("Sign", world.other_seed)):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify(world, signed(world, sign, message, signer))
    clear = sign(message, None)
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, clear)
    assert verify(world, clear, allow_unsigned=True) == message


def test_30_the_name_follows_from_the_pin(world: Any, kinds: Any, sign: Any) -> None:
    message = verify(world, kinds.message_pin)
    other = verify(world, kinds.contact_pin, action="Contact")
    with pytest.raises(VerificationError, match="name of another PIN"):
        verify(world, signed(world, sign, replace(message, salted_pin=other.salted_pin)))
    with pytest.raises(VerificationError, match="name of another PIN"):
        verify(world, signed(world, sign, replace(message, message_id=other.message_id)))
    with pytest.raises(VerificationError, match="name of another PIN"):
        verify(world, kinds.message_pin, pin_id=other.message_id)


def test_31_a_pin_of_another_account_or_action_is_refused(world: Any, kinds: Any, sign: Any) -> None:
    message = verify(world, kinds.message_pin)
    with pytest.raises(VerificationError, match="Account"):
        verify(world, signed(world, sign, replace(message, account="mallory@hub.local")))
    with pytest.raises(VerificationError, match="for the action Device, not Contact"):
        verify(world, kinds.message_pin, action="Contact")


def test_32_a_pin_ends(world: Any, kinds: Any, sign: Any) -> None:
    message = verify(world, kinds.message_pin, now=world.now + DAY - timedelta(seconds=1))
    with pytest.raises(VerificationError, match="has expired"):
        verify(world, kinds.message_pin, now=world.now + DAY)
    with pytest.raises(VerificationError, match="states no end"):
        verify(world, signed(world, sign, replace(message, expires=None)))


def test_33_a_pin_is_used_once(world: Any, kinds: Any) -> None:
    with pytest.raises(VerificationError, match="was used before"):
        verify(world, kinds.message_pin, state="Closed")


def test_34_the_witness_binds_pin_account_nonce_and_device(world: Any, kinds: Any) -> None:
    pin = verify(world, kinds.message_pin)
    request = object_in(kinds.request, RequestConnection)
    check_pin_witness(request, pin)
    contact_pin = verify(world, kinds.contact_pin, action="Contact")
    for spoiled, against in (
        (replace(request, client_nonce=bytes(16)), pin),
        (replace(request, client_nonce=(request.client_nonce or b"")[:15]), pin),
        (replace(request, client_nonce=None), pin),
        (replace(request, authenticated_data=world.profile_user), pin),
        (replace(request, authenticated_data=None), pin),
        (replace(request, pin_witness=None), pin),
        (replace(request, pin_witness=bytes(64)), pin),
        (replace(request, pin_id=contact_pin.message_id), pin),
        (request, contact_pin),
        (request, replace(pin, account="mallory@hub.local")),
        (request, replace(pin, salted_pin=contact_pin.salted_pin)),
    ):
        with pytest.raises(VerificationError):
            check_pin_witness(spoiled, against)


def test_34_a_witness_over_a_short_nonce_is_refused(world: Any, kinds: Any) -> None:
    pin = verify(world, kinds.message_pin)
    digest = check_digest(world.profile_device, "ProfileDevice")
    short = RequestConnection(
        authenticated_data=world.profile_device,
        client_nonce=bytes(15),
        pin_id=pin.message_id,
        pin_witness=ids.pin_witness(pin.salted_pin or "", "alice@hub.local", bytes(15), digest),
    )
    with pytest.raises(VerificationError, match="no nonce of 16 octets"):
        check_pin_witness(short, pin)


def test_a_short_nonce_is_not_used(world: Any) -> None:
    with pytest.raises(LocalProtocolError, match="nonce of 16 octets"):
        prove_pin(udf.text(udf.MAC, bytes(15)), "Device", "a@b", world.profile_device, bytes(15))


def test_no_pin_is_made_for_another_action(world: Any) -> None:
    with pytest.raises(LocalProtocolError, match="no PINs for Payment"):
        make_message_pin(
            udf.text(udf.MAC, bytes(15)),
            account="alice@hub.local",
            signer=world.key("Sign"),
            recipient=world.key("Encrypt").public,
            entropy=world.entropy,
            now=world.now,
            action="Payment",
        )


def test_the_proof_of_the_account_binds_all_it_should(world: Any) -> None:
    salted, other = (ids.salted_pin(udf.text(udf.MAC, bytes([n] * 15)), "Device") for n in (1, 2))
    proof = pin_proof(salted, "Alice@hub.local", world.account.udf, bytes(16))
    assert len(proof) == 64
    assert proof == pin_proof(salted, "alice@hub.local", world.account.udf.lower(), bytes(16))
    assert proof not in (
        pin_proof(other, "alice@hub.local", world.account.udf, bytes(16)),
        pin_proof(salted, "alicf@hub.local", world.account.udf, bytes(16)),
        pin_proof(salted, "alice@hub.local", world.other.udf, bytes(16)),
        pin_proof(salted, "alice@hub.local", world.account.udf, bytes(15) + b"\x01"),
    )
