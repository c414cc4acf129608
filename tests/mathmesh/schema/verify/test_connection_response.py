"""Checks 44 to 49: the answer to a device."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.errors import KeyUnavailableError, LocalProtocolError, VerificationError
from mathmesh.keys import derive
from mathmesh.schema import AcknowledgeConnection, RequestConnection, RespondConnection
from mathmesh.schema.build import make_cataloged_device, make_profile_device, make_respond_connection
from mathmesh.schema.signed import object_in
from mathmesh.schema.verify import Expected, PinUse, verify_respond_connection


@pytest.fixture(scope="module")
def request_id(kinds: Any) -> str:
    found = object_in(kinds.acknowledgement, AcknowledgeConnection).message_id
    assert found is not None
    return found


@pytest.fixture(scope="module")
def pin_use(kinds: Any) -> PinUse:
    nonce = object_in(kinds.request, RequestConnection).client_nonce or b""
    return PinUse(pin=kinds.pin, client_nonce=nonce, required=True)


def verify(world: Any, envelope: Any, request_id: str, **options: Any) -> Any:
    defaults = {
        "request_id": request_id,
        "device": world.profile_device_object,
        "expected": Expected(profile=world.account),
        "keyring": world.base_keyring,
        "now": world.now,
    }
    return verify_respond_connection(envelope, **(defaults | options))


@pytest.fixture
def resign(world: Any, sign: Any, kinds: Any) -> Any:
    message = object_in(kinds.response, RespondConnection, keyring=world.base_keyring)
    base = derive.derive_key(world.device_seed, "BaseDeviceEncrypt").public

    def spoil(signer: Any = None, **members: Any) -> Any:
        return sign(replace(message, **members), signer or world.key("Sign"), recipients=[base])

    return spoil


def test_acceptance_passes(world: Any, kinds: Any, request_id: str, pin_use: PinUse) -> None:
    found = verify(world, kinds.response, request_id, pin=pin_use)
    assert found.accepted
    assert found.device.keys == world.keys.public
    assert found.device.activation_account.activation_key == world.activation_seed


@pytest.mark.parametrize("result", ["Reject", "Pending", "Expired"])
def test_a_refusal_passes_and_connects_nothing(world: Any, request_id: str, result: str) -> None:
    envelope = make_respond_connection(
        request_id,
        result,
        None,
        world.profile_device_object,
        sender="alice@hub.local",
        signer=world.key("Sign"),
        entropy=world.entropy,
        now=world.now,
    )
    found = verify(world, envelope, request_id)
    assert not found.accepted
    assert found.message.result == result
    with pytest.raises(VerificationError, match="profile is not known"):
        verify(world, envelope, request_id, expected=Expected(udf=world.account.udf))


def test_the_answer_to_a_claim_needs_the_account_alone(world: Any, kinds: Any, request_id: str) -> None:
    for expected in (
        Expected(udf=world.account.udf),
        Expected(address="alice@hub.local", service_udf=world.account.service_udf),
    ):
        assert verify(world, kinds.response, request_id, expected=expected).accepted


def test_only_the_device_reads_its_answer(world: Any, kinds: Any, request_id: str) -> None:
    with pytest.raises(KeyUnavailableError):
        verify(world, kinds.response, request_id, keyring=world.keyring())


def test_44_the_answer_to_another_request_is_refused(world: Any, kinds: Any) -> None:
    with pytest.raises(VerificationError, match="answers another request"):
        verify(world, kinds.response, "NAAA-AAAA-AAAA-AAAA")


def test_45_result_and_entry_go_together(world: Any, resign: Any, request_id: str) -> None:
    for members in ({"result": "Reject"}, {"cataloged_device": None}, {"result": "Maybe"}, {"result": None}):
        with pytest.raises(VerificationError, match="cannot be what was sent"):
            verify(world, resign(**members), request_id)


@pytest.mark.parametrize("pin", ["profile", "udf", "address", "service"])
def test_46_another_account_is_refused(world: Any, kinds: Any, request_id: str, pin: str) -> None:
    expected = {
        "profile": Expected(profile=world.other),
        "udf": Expected(udf=world.other.udf),
        "address": Expected(address="mallory@hub.local"),
        "service": Expected(profile=world.account, service_udf=world.other.udf),
    }[pin]
    with pytest.raises(VerificationError):
        verify(world, kinds.response, request_id, expected=expected)


def test_46_a_device_that_expects_nothing_accepts_nobody(world: Any, kinds: Any, request_id: str) -> None:
    with pytest.raises(LocalProtocolError):
        verify(world, kinds.response, request_id, expected=Expected())


def test_47_the_account_signs(world: Any, sign: Any, resign: Any, kinds: Any, request_id: str) -> None:
    for signer in (world.key("AdminSign"), world.key("Sign", world.other_seed)):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify(world, resign(signer), request_id)
    with pytest.raises(VerificationError, match="Sender"):
        verify(world, resign(sender="mallory@hub.local"), request_id)
    message = object_in(kinds.response, RespondConnection, keyring=world.base_keyring)
    bare = sign(replace(message, sender=None), None)
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, bare, request_id)
    assert verify(world, bare, request_id, allow_unsigned=True).accepted


def test_48_the_entry_is_whole_and_for_this_device(
    world: Any, cataloged: Any, resign: Any, request_id: str, kinds: Any
) -> None:
    spoiled = replace(cataloged, enveloped_connection_service=None)
    with pytest.raises(VerificationError, match="EnvelopedConnectionService is missing"):
        verify(world, resign(cataloged_device=spoiled), request_id)
    seed = derive.new_seed(derive.PROFILE_DEVICE, world.entropy)
    other = make_cataloged_device(
        world.profile_user,
        make_profile_device(seed, world.now),
        world.key("AdminSign"),
        ["device"],
        world.activation_seed,
        world.entropy,
        world.now,
    )
    keyring = world.base_keyring
    keyring.add(derive.derive_key(seed, "BaseDeviceEncrypt"))
    with pytest.raises(VerificationError, match="the answer is for device"):
        verify(world, resign(cataloged_device=other), request_id, keyring=keyring)


def test_49_the_account_proves_the_pin(
    world: Any, kinds: Any, resign: Any, request_id: str, pin_use: PinUse
) -> None:
    with pytest.raises(VerificationError, match="does not prove"):
        verify(world, resign(pin_proof=None), request_id, pin=pin_use)
    lenient = replace(pin_use, required=False)
    assert verify(world, resign(pin_proof=None), request_id, pin=lenient).accepted
    for use in (pin_use, lenient):
        with pytest.raises(VerificationError, match="does not prove"):
            verify(world, resign(pin_proof=bytes(64)), request_id, pin=use)
    with pytest.raises(VerificationError, match="does not prove"):
        verify(world, kinds.response, request_id, pin=replace(pin_use, client_nonce=bytes(16)))
