"""Checks 66 to 73: capabilities and the shares of a service."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mathmesh.errors import KeyUnavailableError, VerificationError
from mathmesh.keys import derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema import (
    AccessCapability,
    ActivationCommon,
    CapabilityDecryptServiced,
    CapabilitySign,
    KeyData,
    NullCapability,
    PublicationCapability,
    verify_activation_common,
)
from mathmesh.schema.build import (
    Service,
    make_access_capability,
    make_null_capability,
    make_split_key,
    make_threshold_activation,
)
from mathmesh.schema.verify import (
    Grantee,
    verify_access_capability,
    verify_capability,
    verify_serviced_share,
)
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.operate import KeyAgreementOperation
from mathmesh.threshold.point import Point


@pytest.fixture(scope="module")
def access(world: Any, cataloged: Any, octets: Any) -> AccessCapability:
    made = make_access_capability(
        cataloged, octets("access"), world.now, administrator=world.key("AdminSign")
    ).capability
    assert isinstance(made, AccessCapability)
    return made


@pytest.fixture(scope="module")
def host_key(kinds: Any) -> PrivateKey:
    return derive.derive_key(kinds.host_seed, "BaseHostEncrypt")


@pytest.fixture(scope="module")
def serviced(kinds: Any) -> CapabilityDecryptServiced:
    made = kinds.threshold[1].capability
    assert isinstance(made, CapabilityDecryptServiced)
    return made


def test_a_good_access_passes(world: Any, access: Any) -> None:
    found, device = verify_access_capability(
        access, now=world.now, account=world.account, activated_keyring=world.activated_keyring
    )
    assert found == access
    assert device is not None
    assert device.keys == world.keys.public
    assert verify_access_capability(access, now=world.now) == (access, None)
    assert verify_access_capability(access, now=world.now, account=world.account) == (access, None)


def test_66_what_was_revoked_grants_nothing(world: Any, access: Any) -> None:
    null = make_null_capability(access.id).capability
    for spoiled in (
        null,
        None,
        replace(access, active=False),
        replace(access, active=None),
        replace(access, id=None),
        replace(access, mode="Anyone"),
        PublicationCapability(id=access.id, active=True),
    ):
        with pytest.raises(VerificationError):
            verify_access_capability(spoiled, now=world.now)
    assert verify_access_capability(replace(access, mode="Device"), now=world.now)[0].mode == "Device"
    assert isinstance(null, NullCapability)
    with pytest.raises(VerificationError, match="is not active"):
        verify_capability(null, NullCapability, now=world.now)


def test_67_what_is_not_issued_yet_grants_nothing(world: Any, access: Any, serviced: Any) -> None:
    later = replace(access, issued=int(world.now.timestamp()) + 60)
    with pytest.raises(VerificationError, match="is not issued yet"):
        verify_access_capability(later, now=world.now)
    verify_access_capability(later, now=world.now + timedelta(minutes=1))
    assert serviced.issued == int(world.now.timestamp())


def test_68_the_digest_is_that_of_the_entry(world: Any, access: Any, altered: Any, cataloged: Any) -> None:
    other = make_access_capability(cataloged, world.entropy, world.now).capability
    assert isinstance(other, AccessCapability)
    for spoiled in (
        replace(access, cataloged_device_digest=other.cataloged_device_digest),
        replace(access, cataloged_device_digest=None),
        replace(access, enveloped_cataloged_device=None),
        replace(access, enveloped_cataloged_device=altered(access.enveloped_cataloged_device)),
    ):
        with pytest.raises(VerificationError):
            verify_access_capability(spoiled, now=world.now)
    with pytest.raises(VerificationError, match="is not signed by"):
        verify_access_capability(other, now=world.now, account=world.account)


def test_69_the_access_is_that_of_the_device(world: Any, access: Any) -> None:
    moved = replace(access, id=world.account.udf)
    with pytest.raises(VerificationError, match="is that of another device"):
        verify_access_capability(
            moved, now=world.now, account=world.account, activated_keyring=world.activated_keyring
        )
    assert verify_access_capability(moved, now=world.now)[0] == moved


def verify(world: Any, host_key: Any, capability: Any, **options: Any) -> Any:
    defaults = {
        "grantee": Grantee(key_id=world.keys.public.authentication.udf),
        "keyring": MemoryKeyring([host_key]),
        "now": world.now,
        "account": world.account,
    }
    return verify_serviced_share(capability, **(defaults | options))


def test_both_shares_decrypt_together(world: Any, kinds: Any, host_key: Any, serviced: Any) -> None:
    common, _ = kinds.threshold
    own = common.encryption.key_share("X448")
    share = verify(world, host_key, serviced)
    assert own.key_id == serviced.id
    peer = PrivateKey.from_seed("X448", bytes(range(56)))
    operation = KeyAgreementOperation(key_id=own.key_id, public_key=peer.public)
    partial = ShareAgreement(own.share).partial(Point.decode("X448", peer.public.octets))
    assert operation.perform(ShareAgreement(share.share)).complete(partial) == world.key("Encrypt").agree(
        peer.public
    )


def test_a_threshold_device_holds_no_account_key(world: Any, kinds: Any, sign: Any) -> None:
    common, _ = kinds.threshold
    base = derive.derive_key(world.device_seed, "BaseDeviceEncrypt").public
    envelope = sign(common, world.key("AdminSign"), recipients=[base])
    found = verify_activation_common(envelope, world.account, world.base_keyring, now=world.now)
    assert found.encryption.private_parameters.keys() == {"KeyShare"}
    for name in ("signature", "authentication", "administrator_signature", "profile_signature"):
        assert getattr(found, name) is None
    assert {entry.resource for entry in found.entries} >= {"MMM_Network", "MMM_Credential"}
    assert ActivationCommon.decode(common.encode()) == common


def test_70_only_the_grantee_is_served(world: Any, host_key: Any, serviced: Any) -> None:
    for grantee in (
        Grantee(),
        Grantee(key_id=world.account.udf),
        Grantee(address="alice@hub.local"),
        Grantee(address=""),
    ):
        with pytest.raises(VerificationError, match="is not granted to"):
            verify(world, host_key, serviced, grantee=grantee)
    nobody = replace(serviced, grantee_udf=None)
    with pytest.raises(VerificationError, match="is not granted to"):
        verify(world, host_key, nobody, grantee=Grantee(address=""))
    for member in ("grantee_account", "grantee_udf"):
        named = replace(nobody, **{member: "Bob@example.com"})
        assert verify(world, host_key, named, grantee=Grantee(address="bob@example.com"))


def test_71_the_share_is_of_this_account(world: Any, host_key: Any, serviced: Any, unsigned: Any) -> None:
    assert verify(world, host_key, serviced, account=None)
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, host_key, serviced, account=world.other)
    service = Service(
        address="alice@hub.local", host_key=host_key.public, administrator=world.key("AdminSign")
    )
    grantee = world.keys.public.authentication.udf
    foreign = make_split_key(
        world.key("Sign", world.other_seed),
        service,
        entropy=world.entropy,
        now=world.now,
        grantee_udf=grantee,
        kind=CapabilitySign,
    )
    with pytest.raises(VerificationError, match="a key of another account"):
        verify(world, host_key, foreign.access.capability)
    store = make_split_key(
        world.key("EncryptMMM_Credential"),
        service,
        entropy=world.entropy,
        now=world.now,
        grantee_udf=grantee,
    )
    assert verify(world, host_key, store.access.capability).public_primary == store.share.public_primary
    bare = replace(
        store.access.capability, enveloped_key_share=unsigned(store.access.capability.enveloped_key_share)
    )
    with pytest.raises(VerificationError, match="a key of another account"):
        verify(world, host_key, bare, allow_unsigned=True)
    signing = make_split_key(
        world.key("Sign"),
        service,
        entropy=world.entropy,
        now=world.now,
        grantee_udf=grantee,
        kind=CapabilitySign,
    )
    assert verify(world, host_key, signing.access.capability).share.crv == "Ed448"


def test_71_an_unsigned_share_passes_by_the_switch_only(
    world: Any, host_key: Any, serviced: Any, unsigned: Any
) -> None:
    bare = replace(serviced, enveloped_key_share=unsigned(serviced.enveloped_key_share))
    with pytest.raises(VerificationError):
        verify(world, host_key, bare)
    assert verify(world, host_key, bare, allow_unsigned=True) == verify(world, host_key, serviced)


def test_72_the_share_goes_with_the_grantees(world: Any, kinds: Any, host_key: Any, serviced: Any) -> None:
    service = Service(
        address="alice@hub.local", host_key=host_key.public, administrator=world.key("AdminSign")
    )
    key_id = world.keys.public.authentication.udf
    _, other = make_threshold_activation(
        world.account_seed, key_id, service, entropy=world.entropy, now=world.now
    )
    assert isinstance(other.capability, CapabilityDecryptServiced)
    mixed = replace(serviced, enveloped_key_share=other.capability.enveloped_key_share)
    with pytest.raises(VerificationError, match="does not belong to that of capability"):
        verify(world, host_key, mixed)


def test_73_a_share_whose_time_is_over_is_not_used(
    world: Any, host_key: Any, serviced: Any, sign: Any
) -> None:
    data = KeyData.of_share(verify(world, host_key, serviced))
    envelope = sign(
        replace(data, not_on_or_after=world.now), world.key("AdminSign"), recipients=[host_key.public]
    )
    with pytest.raises(VerificationError, match="has expired"):
        verify(world, host_key, replace(serviced, enveloped_key_share=envelope))


def test_the_share_of_another_host_stays_closed(world: Any, host_key: Any, serviced: Any) -> None:
    with pytest.raises(KeyUnavailableError):
        verify(world, host_key, serviced, keyring=MemoryKeyring())
    with pytest.raises(VerificationError, match="EnvelopedKeyShare is missing"):
        verify(world, host_key, replace(serviced, enveloped_key_share=None))


def test_the_list_of_the_earlier_edition_is_read(world: Any, host_key: Any, serviced: Any) -> None:
    envelope = serviced.enveloped_key_share
    old = replace(serviced, enveloped_key_share=None, enveloped_key_shares=(envelope,))
    assert verify(world, host_key, old) == verify(world, host_key, serviced)
    with pytest.raises(VerificationError, match="is missing"):
        verify(world, host_key, replace(old, enveloped_key_shares=(envelope, envelope)))
