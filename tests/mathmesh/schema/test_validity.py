"""Check 25 of `mathmesh.schema.validation`: keys count within NotBefore and NotOnOrAfter only."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mathmesh.errors import VerificationError
from mathmesh.keys import derive
from mathmesh.schema import (
    Contact,
    KeyData,
    NetworkAddress,
    verify_activation_account,
    verify_activation_common,
    verify_cataloged_device,
    verify_connection_device,
    verify_connection_service,
    verify_message_claim,
    verify_profile_device,
    verify_profile_group,
    verify_profile_host,
    verify_profile_service,
    verify_profile_user,
)
from mathmesh.schema.activation import ActivationCommon, ActivationEntry
from mathmesh.schema.capability import CapabilityDecryptPartial
from mathmesh.schema.signed import object_in
from mathmesh.schema.validity import check_issued, check_keys_valid, key_in_use

DAY = timedelta(days=1)
PROFILES = {
    "ProfileUser": (verify_profile_user, "profile_user", "account_seed", "CompleteAccount"),
    "ProfileDevice": (verify_profile_device, "profile_device", "device_seed", "BaseDevice"),
    "ProfileService": (verify_profile_service, "profile_service", "service_seed", "BaseService"),
    "ProfileGroup": (verify_profile_group, "profile_group", "group_seed", "CompleteAccount"),
    "ProfileHost": (verify_profile_host, "profile_host", "host_seed", "BaseHost"),
}


def ended(data: KeyData, now: Any) -> KeyData:
    return replace(data, not_on_or_after=now)


def not_begun(data: KeyData, now: Any) -> KeyData:
    return replace(data, not_before=now + timedelta(seconds=1))


@pytest.mark.parametrize("kind", PROFILES)
@pytest.mark.parametrize("spoil", [ended, not_begun])
def test_25_a_profile_with_a_key_out_of_time_is_refused(
    world: Any, kinds: Any, sign: Any, kind: str, spoil: Any
) -> None:
    verify, name, seed, actor = PROFILES[kind]
    where = world if hasattr(world, name) else kinds
    profile = verify(getattr(where, name), now=world.now)
    signer = derive.derive_key(getattr(where, seed), actor + "Profile")
    spoiled = sign(replace(profile, profile_signature=spoil(profile.profile_signature, world.now)), signer)
    assert verify(spoiled).udf == profile.udf
    with pytest.raises(VerificationError, match=r"has expired|is not valid yet"):
        verify(spoiled, now=world.now)


def test_25_the_window_includes_its_beginning_and_excludes_its_end(world: Any) -> None:
    key = replace(world.account.common_signature, not_before=world.now, not_on_or_after=world.now + DAY)
    assert key_in_use(key, "key", world.now).udf == key.udf
    assert key_in_use(key, "key", world.now + DAY - timedelta(seconds=1)).udf == key.udf
    for moment in (world.now - timedelta(seconds=1), world.now + DAY):
        with pytest.raises(VerificationError):
            key_in_use(key, "key", moment)
    with pytest.raises(VerificationError, match="there is no key"):
        key_in_use(None, "key", world.now)


def test_25_nothing_is_granted_by_an_administrator_whose_time_is_over(world: Any, cataloged: Any) -> None:
    key = ended(world.account.administrator_signature, world.now)
    account = replace(world.account, administrator_signature=key)
    calls: list[tuple[Any, Any, list[Any]]] = [
        (verify_connection_service, cataloged.enveloped_connection_service, []),
        (verify_connection_device, cataloged.enveloped_connection_device, []),
        (verify_activation_account, cataloged.enveloped_activation_account, [world.base_keyring]),
        (verify_activation_common, cataloged.enveloped_activation_common, [world.activated_keyring]),
    ]
    for verify, envelope, rest in calls:
        verify(envelope, account, *rest, now=world.now - DAY)
        with pytest.raises(VerificationError, match="has expired"):
            verify(envelope, account, *rest, now=world.now)
    verify_cataloged_device(cataloged, account, now=world.now - DAY)
    with pytest.raises(VerificationError, match="has expired"):
        verify_cataloged_device(cataloged, account, now=world.now)


def test_25_granted_and_connected_keys_end_too(world: Any, cataloged: Any, sign: Any) -> None:
    connection = verify_connection_device(cataloged.enveloped_connection_device, world.account)
    spoiled = replace(connection, encryption=ended(connection.encryption, world.now))
    envelope = sign(spoiled, world.key("AdminSign"))
    with pytest.raises(VerificationError, match="has expired"):
        verify_connection_device(envelope, world.account, now=world.now)
    entry = ActivationEntry(resource="S", key=ended(KeyData.of_private(world.key("Encrypt")), world.now))
    activation = ActivationCommon(entries=(entry,))
    base = derive.derive_key(world.device_seed, "BaseDeviceEncrypt").public
    envelope = sign(activation, world.key("AdminSign"), recipients=[base])
    verify_activation_common(envelope, world.account, world.base_keyring)
    with pytest.raises(VerificationError, match="has expired"):
        verify_activation_common(envelope, world.account, world.base_keyring, now=world.now)


def test_25_a_claim_by_a_key_whose_time_is_over_is_refused(world: Any, publication: Any, claim: Any) -> None:
    account = replace(world.account, common_signature=ended(world.account.common_signature, world.now))
    options = {
        "publication_id": publication.id,
        "service_authenticator": publication.authenticator,
        "now": world.now,
    }
    assert verify_message_claim(claim, claimant=world.account, **options).sender == "alice@hub.local"
    with pytest.raises(VerificationError, match="has expired"):
        verify_message_claim(claim, claimant=account, **options)


def test_25_keys_are_found_at_any_depth(world: Any, kinds: Any) -> None:
    data = ended(world.account.common_encryption, world.now)
    capability = CapabilityDecryptPartial(key_data=data)
    contact = Contact(network_addresses=(NetworkAddress(capabilities=(capability,)),))
    check_keys_valid(contact, None)
    check_keys_valid(contact, world.now - DAY)
    with pytest.raises(VerificationError, match="has expired"):
        check_keys_valid(contact, world.now)
    check_keys_valid(object_in(kinds.contact, Contact), world.now)


def test_what_is_not_issued_yet_is_refused(world: Any) -> None:
    seconds = int(world.now.timestamp())
    for issued in (None, 3, seconds):
        check_issued(issued, world.now, "it")
    with pytest.raises(VerificationError, match="is not issued yet"):
        check_issued(seconds + 1, world.now, "it")
