"""Each numbered check of `mathmesh.schema.validation`: what passes, and what fails without it."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.codec import b64
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.errors import EncodingError, KeyUnavailableError, MeshError, VerificationError
from mathmesh.keys import derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema import (
    ActivationAccount,
    ActivationCommon,
    ActivationEntry,
    ConnectionService,
    KeyData,
    ProfileDevice,
    connected_keys,
    verify_activation_account,
    verify_activation_common,
    verify_cataloged_device,
    verify_connection_device,
    verify_connection_service,
    verify_profile_device,
    verify_profile_service,
    verify_profile_user,
)
from mathmesh.schema.build import make_cataloged_device, make_profile_device
from mathmesh.threshold import split
from mathmesh.threshold.key_share import KeyShare

VERIFIERS = {
    "profile_user": verify_profile_user,
    "profile_device": verify_profile_device,
    "profile_service": verify_profile_service,
}


@pytest.fixture
def device_signer(world: Any) -> PrivateKey:
    return derive.derive_key(world.device_seed, "BaseDeviceProfile")


def without(envelope: Envelope, name: str) -> Envelope:
    trailer = {key: value for key, value in envelope.trailer.items() if key != name}
    return Envelope(envelope.header, envelope.body, trailer)


@pytest.mark.parametrize("name", VERIFIERS)
def test_good_profiles_pass_and_keep_their_octets(world: Any, name: str) -> None:
    envelope = getattr(world, name)
    again = Envelope.from_bytes(envelope.to_json())
    profile = VERIFIERS[name](again)
    assert profile.udf == again.envelope_id
    assert profile.encode() == envelope.body
    assert profile.updated == world.now


@pytest.mark.parametrize("name", VERIFIERS)
def test_1_a_changed_body_is_refused(world: Any, altered: Any, name: str) -> None:
    with pytest.raises(VerificationError):
        VERIFIERS[name](altered(getattr(world, name)))


def test_1_an_envelope_without_digest_is_refused(world: Any) -> None:
    with pytest.raises(VerificationError, match="states no PayloadDigest"):
        verify_profile_device(without(world.profile_device, "PayloadDigest"))


def test_2_another_type_is_refused(world: Any) -> None:
    with pytest.raises(EncodingError, match="expected ProfileDevice, found ProfileUser"):
        verify_profile_device(world.profile_user)


def test_2_a_header_that_names_another_type_is_refused(world: Any) -> None:
    envelope = world.profile_device
    header = envelope.header | {"ContentMetaData": b64.encode(b'{"MessageType":"ProfileUser"}')}
    with pytest.raises(VerificationError, match="the header calls"):
        verify_profile_device(Envelope(header, envelope.body, envelope.trailer))


@pytest.mark.parametrize("missing", ["encryption", "signature", "authentication", "profile_signature"])
def test_3_a_profile_without_a_key_is_refused(
    world: Any, sign: Any, device_signer: PrivateKey, missing: str
) -> None:
    profile = replace(world.profile_device_object, **{missing: None})
    with pytest.raises(VerificationError, match=f"has no {missing}"):
        verify_profile_device(sign(profile, device_signer))


def test_3_a_key_of_another_curve_is_refused(world: Any, sign: Any, device_signer: PrivateKey) -> None:
    profile = world.profile_device_object
    with pytest.raises(VerificationError, match="X448 is expected"):
        verify_profile_device(sign(replace(profile, encryption=profile.signature), device_signer))


def test_4_a_key_under_another_name_is_refused(world: Any, sign: Any, device_signer: PrivateKey) -> None:
    profile = world.profile_device_object
    renamed = replace(profile.encryption, udf=profile.authentication.udf)
    with pytest.raises(VerificationError, match="a key that calls itself"):
        verify_profile_device(sign(replace(profile, encryption=renamed), device_signer))


def test_5_a_disclosed_private_key_is_refused(world: Any, sign: Any, device_signer: PrivateKey) -> None:
    profile = world.profile_device_object
    base = derive.derive_key(world.device_seed, "BaseDeviceEncrypt")
    disclosed = replace(profile.encryption, private_parameters=base.to_json())
    with pytest.raises(VerificationError, match="discloses the private encryption"):
        verify_profile_device(sign(replace(profile, encryption=disclosed), device_signer))


def test_6_a_profile_signed_by_another_key_is_refused(world: Any, sign: Any) -> None:
    with pytest.raises(VerificationError, match="is not signed by"):
        verify_profile_device(sign(world.profile_device_object, world.key("Sign")))


def test_6_an_unsigned_profile_is_refused(world: Any) -> None:
    with pytest.raises(VerificationError, match="is not signed by"):
        verify_profile_user(without(world.profile_user, "signatures"))


def test_6_a_changed_signature_is_refused(world: Any) -> None:
    [signature] = world.profile_user.trailer["signatures"]
    octets = bytearray(b64.decode(signature["signature"]))
    octets[20] ^= 1
    trailer = world.profile_user.trailer | {
        "signatures": [signature | {"signature": b64.encode(bytes(octets))}]
    }
    with pytest.raises(VerificationError, match="signature does not hold"):
        verify_profile_user(Envelope(world.profile_user.header, world.profile_user.body, trailer))


def test_6_the_signature_of_another_profile_is_refused(
    world: Any, device_signer: PrivateKey, sign: Any
) -> None:
    """A profile that puts a foreign signing key into itself is signed by that key or not at all."""
    foreign = KeyData.of_public(world.key("Profile").public)
    profile: ProfileDevice = replace(world.profile_device_object, profile_signature=foreign)
    with pytest.raises(VerificationError, match="is not signed by"):
        verify_profile_device(sign(profile, device_signer))


def test_connections_pass_and_are_json_b(world: Any, cataloged: Any) -> None:
    assert cataloged.enveloped_connection_service.body[:2] == b"{\xb4"
    service = verify_connection_service(cataloged.enveloped_connection_service, world.account)
    connection = verify_connection_device(cataloged.enveloped_connection_device, world.account)
    assert service.authentication == connection.authentication
    assert connection.roles == ("device",)
    assert connected_keys(connection) == world.keys.public


def test_7_a_connection_of_another_administrator_is_refused(world: Any, cataloged: Any, altered: Any) -> None:
    for verify, envelope in (
        (verify_connection_service, cataloged.enveloped_connection_service),
        (verify_connection_device, cataloged.enveloped_connection_device),
    ):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify(envelope, world.other)
        with pytest.raises(VerificationError):
            verify(altered(envelope), world.account)


def test_7_the_account_key_of_messages_signs_no_connection(world: Any, cataloged: Any, sign: Any) -> None:
    service = verify_connection_service(cataloged.enveloped_connection_service, world.account)
    with pytest.raises(VerificationError, match="is not signed by"):
        verify_connection_service(sign(service, world.key("Sign")), world.account)


def test_8_a_connection_to_another_account_is_refused(world: Any, cataloged: Any, sign: Any) -> None:
    service = verify_connection_service(cataloged.enveloped_connection_service, world.account)
    moved = replace(service, profile_udf=world.other.udf)
    with pytest.raises(VerificationError, match="the connection is to account"):
        verify_connection_service(sign(moved, world.key("AdminSign")), world.account)


def test_8_a_device_connection_is_no_service_connection(world: Any, cataloged: Any) -> None:
    with pytest.raises(VerificationError, match="stands in the place of"):
        verify_connection_service(cataloged.enveloped_connection_device, world.account)


@pytest.mark.parametrize("missing", ["authentication", "encryption", "signature"])
def test_8_a_connection_without_a_key_is_refused(world: Any, cataloged: Any, sign: Any, missing: str) -> None:
    connection = verify_connection_device(cataloged.enveloped_connection_device, world.account)
    with pytest.raises(VerificationError, match=f"has no {missing}"):
        verify_connection_device(
            sign(replace(connection, **{missing: None}), world.key("AdminSign")), world.account
        )


def test_activations_open_for_the_device_only(world: Any, cataloged: Any) -> None:
    account = verify_activation_account(
        cataloged.enveloped_activation_account, world.account, world.base_keyring
    )
    assert account == ActivationAccount(activation_key=world.activation_seed, account_udf=world.account.udf)
    common = verify_activation_common(
        cataloged.enveloped_activation_common, world.account, world.activated_keyring
    )
    assert common == world.common
    with pytest.raises(KeyUnavailableError):
        verify_activation_account(
            cataloged.enveloped_activation_account, world.account, world.activated_keyring
        )
    with pytest.raises(KeyUnavailableError):
        verify_activation_common(cataloged.enveloped_activation_common, world.account, world.base_keyring)


def test_9_an_activation_of_another_administrator_is_refused(
    world: Any, cataloged: Any, altered: Any
) -> None:
    for verify, envelope, keyring in (
        (verify_activation_account, cataloged.enveloped_activation_account, world.base_keyring),
        (verify_activation_common, cataloged.enveloped_activation_common, world.activated_keyring),
    ):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify(envelope, world.other, keyring)
        with pytest.raises(VerificationError):
            verify(altered(envelope), world.account, keyring)


def activation(world: Any, sign: Any, item: Any) -> Envelope:
    base = derive.derive_key(world.device_seed, "BaseDeviceEncrypt").public
    return sign(item, world.key("AdminSign"), recipients=[base])


@pytest.mark.parametrize(
    "seed_type", [derive.PROFILE_DEVICE, derive.PROFILE_ACCOUNT, derive.ACTIVATION_DEVICE]
)
def test_10_a_seed_of_another_type_is_refused(world: Any, sign: Any, seed_type: int) -> None:
    item = ActivationAccount(activation_key=derive.new_seed(seed_type, world.entropy))
    with pytest.raises(VerificationError, match="is not a seed for account activations"):
        verify_activation_account(activation(world, sign, item), world.account, world.base_keyring)


def test_10_an_activation_without_seed_is_refused(world: Any, sign: Any) -> None:
    with pytest.raises(MeshError):
        verify_activation_account(
            activation(world, sign, ActivationAccount()), world.account, world.base_keyring
        )


def test_11_granted_keys_are_those_of_the_account(world: Any, sign: Any) -> None:
    def verify(item: ActivationCommon) -> ActivationCommon:
        return verify_activation_common(activation(world, sign, item), world.account, world.base_keyring)

    right = KeyData.of_private(world.key("Encrypt"))
    foreign = KeyData.of_private(world.key("Encrypt", world.other_seed))
    assert verify(ActivationCommon(encryption=right)).encryption == right
    with pytest.raises(VerificationError, match="is not the key of the account's profile"):
        verify(ActivationCommon(encryption=foreign))
    with pytest.raises(VerificationError, match="a key that calls itself"):
        verify(ActivationCommon(encryption=replace(foreign, udf=right.udf)))
    with pytest.raises(VerificationError, match="grants no private key"):
        verify(ActivationCommon(encryption=KeyData.of_public(world.key("Encrypt").public)))
    with pytest.raises(VerificationError, match="a key that calls itself"):
        verify(
            ActivationCommon(entries=(ActivationEntry(resource="S", key=replace(foreign, udf="MAAA-AAAA")),))
        )
    with pytest.raises(VerificationError, match="names no resource or no key"):
        verify(ActivationCommon(entries=(ActivationEntry(key=right),)))


def test_11_a_share_is_one_of_the_key_whose_name_it_bears(world: Any, sign: Any) -> None:
    half, _ = split.direct(world.key("Encrypt"), 2, world.entropy)
    share = KeyShare(
        public_primary=world.key("Encrypt").public, share=half, service_address="alice@hub.local"
    )
    data = KeyData.of_share(share)
    item = activation(world, sign, ActivationCommon(encryption=data))
    found = verify_activation_common(item, world.account, world.base_keyring)
    assert found.encryption is not None
    assert found.encryption.key_share() == share
    for wrong in (replace(data, udf=world.account.udf), replace(data, private_parameters={"KeyShare": {}})):
        item = activation(world, sign, ActivationCommon(encryption=wrong))
        with pytest.raises(MeshError):
            verify_activation_common(item, world.account, world.base_keyring)


def verify_entry(world: Any, entry: Any) -> Any:
    return verify_cataloged_device(
        entry, world.account, base_keyring=world.base_keyring, activated_keyring=world.activated_keyring
    )


def test_a_good_entry_passes_after_a_round_trip(world: Any, cataloged: Any) -> None:
    again = type(cataloged).decode(cataloged.encode())
    assert again == cataloged
    found = verify_entry(world, again)
    assert found.keys == world.keys.public
    assert found.profile_device.udf == cataloged.device_udf
    assert found.activation_account.activation_key == world.activation_seed
    assert [entry.resource for entry in found.activation_common.entries] == ["MMM_Network", "MMM_Application"]
    blind = verify_cataloged_device(cataloged, world.account)
    assert blind.activation_account is None
    assert blind.activation_common is None


def test_12_the_entry_of_another_account_is_refused(world: Any, cataloged: Any) -> None:
    with pytest.raises(VerificationError, match="the entry is for account"):
        verify_cataloged_device(cataloged, world.other)
    with pytest.raises(VerificationError, match="the entry is for account"):
        verify_entry(world, replace(cataloged, enveloped_profile_user=world.other_user))


def test_13_the_profile_of_another_device_is_refused(world: Any, cataloged: Any, altered: Any) -> None:
    seed = derive.new_seed(derive.PROFILE_DEVICE, world.entropy)
    other = make_profile_device(seed, world.now)
    with pytest.raises(VerificationError, match="the entry calls device"):
        verify_entry(world, replace(cataloged, enveloped_profile_device=other))
    with pytest.raises(VerificationError):
        verify_entry(world, replace(cataloged, enveloped_profile_device=altered(world.profile_device)))
    with pytest.raises(VerificationError, match="the entry calls device"):
        verify_entry(world, replace(cataloged, device_udf=world.account.udf))


def test_14_two_authentication_keys_are_refused(world: Any, cataloged: Any, sign: Any) -> None:
    service = ConnectionService(authentication=world.profile_device_object.authentication)
    other = sign(service, world.key("AdminSign"))
    with pytest.raises(VerificationError, match="different authentication keys"):
        verify_entry(world, replace(cataloged, enveloped_connection_service=other))


ENVELOPES = [
    "enveloped_profile_user",
    "enveloped_profile_device",
    "enveloped_connection_service",
    "enveloped_connection_device",
    "enveloped_activation_account",
    "enveloped_activation_common",
]


@pytest.mark.parametrize("name", ENVELOPES)
def test_12_to_15_nothing_may_be_missing_or_changed(
    world: Any, cataloged: Any, altered: Any, name: str
) -> None:
    with pytest.raises(VerificationError, match="is missing"):
        verify_cataloged_device(replace(cataloged, **{name: None}), world.account)
    with pytest.raises(VerificationError):
        verify_cataloged_device(
            replace(cataloged, **{name: altered(getattr(cataloged, name))}), world.account
        )


def test_15_an_activation_that_gives_other_keys_is_refused(world: Any, cataloged: Any) -> None:
    other = make_cataloged_device(
        world.profile_user,
        world.profile_device,
        world.key("AdminSign"),
        ["device"],
        derive.new_seed(derive.ACTIVATION_ACCOUNT, world.entropy),
        world.entropy,
        world.now,
    )
    mixed = replace(cataloged, enveloped_activation_account=other.enveloped_activation_account)
    with pytest.raises(VerificationError, match="are not the base keys plus the activation"):
        verify_entry(world, mixed)


def test_the_witness_binds_signature_and_content(world: Any, cataloged: Any) -> None:
    """A signature lifted onto another envelope with the same body needs the content key as well."""
    envelope = cataloged.enveloped_activation_account
    [signature] = envelope.trailer["signatures"]
    trailer = envelope.trailer | {"signatures": [signature | {"witness": b64.encode(bytes(32))}]}
    with pytest.raises(VerificationError, match="witness"):
        verify_activation_account(
            Envelope(envelope.header, envelope.body, trailer), world.account, world.base_keyring
        )


def test_an_activation_in_clear_is_read_but_must_be_signed(world: Any) -> None:
    item = ActivationAccount(activation_key=world.activation_seed)
    with pytest.raises(VerificationError, match="is not signed by"):
        verify_activation_account(seal(item.encode(), entropy=world.entropy), world.account, MemoryKeyring())
