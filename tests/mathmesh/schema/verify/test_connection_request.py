"""Checks 35 to 43: requests for connection and their acknowledgement."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.errors import MeshError, PolicyError, VerificationError
from mathmesh.keys import derive
from mathmesh.schema import AcknowledgeConnection, MessagePin, RequestConnection, verify_profile_service
from mathmesh.schema.build import (
    make_acknowledge_connection,
    make_profile_device,
    make_profile_service,
    make_request_connection,
)
from mathmesh.schema.signed import object_in
from mathmesh.schema.verify import verify_acknowledge_connection, verify_request_connection


@pytest.fixture(scope="module")
def device_key(world: Any) -> Any:
    return derive.derive_key(world.device_seed, "BaseDeviceSign")


@pytest.fixture(scope="module")
def pin(world: Any, kinds: Any) -> MessagePin:
    return object_in(kinds.message_pin, MessagePin, keyring=world.keyring())


def verify_request(world: Any, envelope: Any, **options: Any) -> Any:
    defaults = {"account_address": "Alice@hub.local", "now": world.now}
    return verify_request_connection(envelope, **(defaults | options))


def verify_ack(world: Any, envelope: Any, **options: Any) -> Any:
    defaults = {
        "account": world.account,
        "service": verify_profile_service(world.profile_service),
        "now": world.now,
    }
    return verify_acknowledge_connection(envelope, **(defaults | options))


def test_a_good_request_passes(world: Any, kinds: Any) -> None:
    found = verify_request(world, kinds.request)
    assert found.profile_device == world.profile_device_object
    assert found.profile_envelope == world.profile_device
    assert found.request.account_address == "alice@hub.local"


def test_a_request_without_pin_passes(world: Any, device_key: Any) -> None:
    envelope = make_request_connection(
        world.profile_device,
        account_address="alice@hub.local",
        signer=device_key,
        entropy=world.entropy,
        now=world.now,
    )
    found = verify_request(world, envelope)
    assert found.request.pin_id is None
    assert found.request.pin_witness is None


def test_a_request_is_made_by_the_device_only(world: Any) -> None:
    with pytest.raises(PolicyError, match="is not that of device"):
        make_request_connection(
            world.profile_device,
            account_address="alice@hub.local",
            signer=world.key("Sign"),
            entropy=world.entropy,
            now=world.now,
        )


def test_35_the_profile_of_the_device_must_hold(
    world: Any, kinds: Any, sign: Any, altered: Any, device_key: Any
) -> None:
    request = object_in(kinds.request, RequestConnection)
    for data in (None, altered(world.profile_device), world.profile_user):
        with pytest.raises(MeshError):
            verify_request(world, sign(replace(request, authenticated_data=data), device_key))


def test_36_the_device_signs_its_request(world: Any, kinds: Any, sign: Any, unsigned: Any) -> None:
    request = object_in(kinds.request, RequestConnection)
    profile_key = derive.derive_key(world.device_seed, "BaseDeviceProfile")
    for signer in (None, profile_key, world.key("Sign")):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify_request(world, sign(request, signer))
    bare = unsigned(sign(request, None))
    with pytest.raises(VerificationError):
        verify_request(world, bare)
    assert verify_request(world, bare, allow_unsigned=True).request == request


def test_36_a_request_with_the_profile_of_another_device_is_refused(
    world: Any, kinds: Any, sign: Any, device_key: Any
) -> None:
    other = make_profile_device(derive.new_seed(derive.PROFILE_DEVICE, world.entropy), world.now)
    request = object_in(kinds.request, RequestConnection)
    with pytest.raises(VerificationError, match="is not signed by"):
        verify_request(world, sign(replace(request, authenticated_data=other), device_key))


def test_37_a_request_to_another_account_is_refused(world: Any, kinds: Any) -> None:
    with pytest.raises(VerificationError, match="AccountAddress"):
        verify_request(world, kinds.request, account_address="mallory@hub.local")


def test_38_nonce_and_pin_must_be_whole(world: Any, kinds: Any, sign: Any, device_key: Any) -> None:
    request = object_in(kinds.request, RequestConnection)
    for spoiled in (
        replace(request, client_nonce=bytes(15)),
        replace(request, client_nonce=None),
        replace(request, pin_id=None),
        replace(request, pin_witness=None),
    ):
        with pytest.raises(VerificationError):
            verify_request(world, sign(spoiled, device_key))


def test_a_good_acknowledgement_passes_on_both_sides(world: Any, kinds: Any, pin: MessagePin) -> None:
    device_side = verify_ack(world, kinds.acknowledgement, own_request=kinds.request)
    account_side = verify_ack(world, kinds.acknowledgement, pin=pin)
    assert device_side.witness == account_side.witness == device_side.acknowledgement.message_id
    assert len(device_side.witness.replace("-", "")) == 28
    assert (account_side.automatic, account_side.roles) == (True, ("device",))
    assert (device_side.automatic, device_side.roles) == (False, ())


def test_an_acknowledgement_may_be_encrypted_for_the_account(world: Any, kinds: Any) -> None:
    envelope = make_acknowledge_connection(
        kinds.request,
        account=world.account,
        signer=world.service_signature,
        entropy=world.entropy,
        now=world.now,
        recipient=world.key("Encrypt").public,
    )
    assert b"RequestConnection" not in envelope.body
    found = verify_ack(world, envelope, keyring=world.keyring())
    assert found.requested.profile_device == world.profile_device_object


def test_39_the_service_signs(world: Any, kinds: Any, sign: Any, unsigned: Any) -> None:
    message = object_in(kinds.acknowledgement, AcknowledgeConnection)
    for signer in (None, world.key("Sign"), derive.derive_key(world.service_seed, "BaseServiceProfile")):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify_ack(world, sign(message, signer))
    bare = unsigned(sign(message, None))
    for envelope in (bare, kinds.acknowledgement):
        with pytest.raises(VerificationError, match=r"service .* is needed"):
            verify_ack(world, envelope, service=None)
    assert verify_ack(world, bare, service=None, allow_unsigned=True).acknowledgement == message


def test_39_another_service_is_refused(world: Any, kinds: Any, sign: Any) -> None:
    seed = derive.new_seed(derive.PROFILE_SERVICE, world.entropy)
    other = verify_profile_service(make_profile_service(seed, world.now))
    message = object_in(kinds.acknowledgement, AcknowledgeConnection)
    with pytest.raises(VerificationError, match=r"service .* is needed"):
        verify_ack(world, sign(message, derive.derive_key(seed, "BaseServiceSign")), service=other)


def test_40_the_enclosed_request_must_hold(
    world: Any, kinds: Any, sign: Any, altered: Any, unsigned: Any, device_key: Any
) -> None:
    message = object_in(kinds.acknowledgement, AcknowledgeConnection)
    for enclosed in (None, altered(kinds.request), unsigned(kinds.request)):
        spoiled = replace(message, enveloped_request_connection=enclosed)
        with pytest.raises(VerificationError):
            verify_ack(world, sign(spoiled, world.service_signature))
    again = make_request_connection(
        world.profile_device,
        account_address="alice@hub.local",
        signer=device_key,
        entropy=world.entropy,
        now=world.now,
    )
    with pytest.raises(VerificationError, match="another request than this device made"):
        verify_ack(world, kinds.acknowledgement, own_request=again)


def test_41_the_service_gives_a_nonce(world: Any, kinds: Any, sign: Any) -> None:
    message = object_in(kinds.acknowledgement, AcknowledgeConnection)
    for nonce in (None, b"", bytes(15)):
        with pytest.raises(VerificationError, match="no nonce of 16 octets"):
            verify_ack(world, sign(replace(message, server_nonce=nonce), world.service_signature))


def test_42_the_witness_is_computed(world: Any, kinds: Any, sign: Any) -> None:
    message = object_in(kinds.acknowledgement, AcknowledgeConnection)
    wrong = (message.witness or "")[:-1] + ("A" if (message.witness or "")[-1] != "A" else "B")
    for spoiled in (
        replace(message, witness=wrong),
        replace(message, witness=None),
        replace(message, message_id=wrong),
        replace(message, server_nonce=bytes(16)),
    ):
        with pytest.raises(VerificationError, match="the witness is not that of"):
            verify_ack(world, sign(spoiled, world.service_signature))


def test_42_the_witness_of_another_account_is_another(world: Any, kinds: Any) -> None:
    posing = replace(world.other, account_address="alice@hub.local")
    with pytest.raises(VerificationError, match="the witness is not that of"):
        verify_ack(world, kinds.acknowledgement, account=posing)


def test_43_the_pin_must_be_proven(world: Any, kinds: Any, pin: MessagePin) -> None:
    with pytest.raises(VerificationError, match="does not prove knowledge"):
        verify_ack(world, kinds.acknowledgement, pin=replace(pin, account="x@hub.local"))
