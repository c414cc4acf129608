"""Checks 74 to 78: groups and the invitation of members."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, KeyUnavailableError, MeshError, PolicyError, VerificationError
from mathmesh.keys import algorithms, derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.schema import (
    CapabilityDecryptPartial,
    CatalogedGroup,
    ContactPerson,
    GroupInvitation,
    KeyData,
    primary_key,
    verify_profile_group,
)
from mathmesh.schema.build import Service, make_cataloged_group, make_membership
from mathmesh.schema.signed import object_in
from mathmesh.schema.verify import (
    Grantee,
    verify_cataloged_group,
    verify_group_invitation,
    verify_serviced_share,
)
from mathmesh.threshold import split
from mathmesh.threshold.key_share import KeyShare


def verify(world: Any, envelope: Any, **options: Any) -> Any:
    defaults = {
        "sender": world.account,
        "recipient": "mallory@hub.local",
        "now": world.now,
        "keyring": world.keyring(world.other_seed),
    }
    return verify_group_invitation(envelope, **(defaults | options))


@pytest.fixture(scope="module")
def message(world: Any, kinds: Any) -> GroupInvitation:
    return object_in(kinds.invitation, GroupInvitation, keyring=world.keyring(world.other_seed))


@pytest.fixture
def resign(world: Any, sign: Any, message: GroupInvitation) -> Any:
    """The invitation with other members of its contact, its address or its capability."""

    def spoil(capability: dict[str, Any] | None = None, contact: Any = (), **address: Any) -> Any:
        found = message.contact
        assert isinstance(found, ContactPerson)
        [place] = found.network_addresses or ()
        [granted] = place.capabilities or ()
        if capability is not None:
            address["capabilities"] = (replace(granted, **capability),)
        changed = replace(found, network_addresses=(replace(place, **address),), **dict(contact))
        return sign(replace(message, contact=changed), world.key("Sign"))

    return spoil


def test_a_good_invitation_passes(world: Any, kinds: Any) -> None:
    found = verify(world, kinds.invitation)
    assert found.profile_group == verify_profile_group(kinds.profile_group)
    assert found.message.text == "join us"
    assert found.share == kinds.membership.key.share


def test_member_and_service_make_the_key_of_the_group(world: Any, kinds: Any) -> None:
    found = verify(world, kinds.invitation)
    host = derive.derive_key(kinds.host_seed, "BaseHostEncrypt")
    serviced = verify_serviced_share(
        kinds.membership.access.capability,
        grantee=Grantee(address="mallory@hub.local"),
        keyring=MemoryKeyring([host]),
        now=world.now,
        account=found.profile_group,
    )
    whole = split.join_direct(found.share.public_primary, [found.share.share, serviced.share])
    order = algorithms.curve("X448").order
    assert whole.scalar == world.key("Encrypt", kinds.group_seed).scalar % order


def test_the_entry_of_the_member_names_both_shares(kinds: Any) -> None:
    member = kinds.membership.member
    assert primary_key(member) == "mallory@hub.local"
    assert member.member_capability_id == kinds.membership.key.share.public_primary.udf
    assert member.service_capability_id == kinds.membership.access.capability.id
    assert kinds.membership.access.capability.grantee_account == "mallory@hub.local"


def test_two_members_have_two_shares(world: Any, kinds: Any) -> None:
    service = Service(
        address="family@hub.local",
        host_key=world.key("Encrypt").public,
        administrator=world.key("AdminSign", kinds.group_seed),
    )
    key = world.key("Encrypt", kinds.group_seed)
    other = make_membership(key, service, "carol@hub.local", entropy=world.entropy, now=world.now)
    assert other.key.share.share != kinds.membership.key.share.share


def test_an_invitation_is_for_the_member_alone(world: Any, kinds: Any) -> None:
    with pytest.raises(KeyUnavailableError):
        verify(world, kinds.invitation, keyring=world.keyring())


def test_26_to_28_hold_for_invitations(world: Any, kinds: Any, sign: Any, message: Any) -> None:
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, kinds.invitation, sender=world.other)
    with pytest.raises(VerificationError, match="Recipient"):
        verify(world, kinds.invitation, recipient="carol@hub.local")
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, sign(message, None))
    assert verify(world, sign(message, None), allow_unsigned=True).message == message


def test_74_the_invitation_is_to_one_group(
    world: Any, kinds: Any, sign: Any, resign: Any, message: Any
) -> None:
    for spoiled in (
        resign(enveloped_profile_account=None),
        resign(enveloped_profile_account=world.profile_user, address="alice@hub.local"),
        resign(address="other@hub.local"),
        resign(contact={"anchors": ()}),
        sign(replace(message, contact=None), world.key("Sign")),
    ):
        with pytest.raises(VerificationError):
            verify(world, spoiled)


def test_75_the_capability_is_for_the_key_of_the_group(world: Any, resign: Any) -> None:
    for spoiled in (
        resign(capabilities=()),
        resign(capabilities=None),
        resign({"id": world.account.udf}),
        resign({"active": False}),
        resign({"issued": int(world.now.timestamp()) + 1}),
    ):
        with pytest.raises(VerificationError):
            verify(world, spoiled)


def test_76_the_share_is_of_the_key_of_the_group(world: Any, kinds: Any, resign: Any) -> None:
    share = kinds.membership.key.share
    foreign_key = world.key("Encrypt")
    foreign = KeyShare(
        public_primary=foreign_key.public, share=share.share, service_address=share.service_address
    )
    elsewhere = replace(share, service_address="mallory@hub.local")
    old = replace(KeyData.of_share(share), not_on_or_after=world.now)
    for data in (
        None,
        KeyData(),
        KeyData.of_share(foreign),
        KeyData.of_share(elsewhere),
        replace(KeyData.of_share(share), udf=world.account.udf),
        old,
    ):
        with pytest.raises(MeshError):
            verify(world, resign({"key_data": data}))


def test_the_form_of_the_earlier_edition_is_read(world: Any, kinds: Any, resign: Any) -> None:
    share = kinds.membership.key.share
    bare = KeyData(
        udf=udf.text(udf.NONCE, bytes(16)), private_parameters=share.to_json()["KeyShare"]["Share"]
    )
    old = {"active": None, "issued": None, "key_data": bare}
    found = verify(world, resign(old | {"service_address": "family@hub.local"}))
    assert found.share == share
    with pytest.raises(VerificationError, match="the service of the share"):
        verify(world, resign(old))
    with pytest.raises(EncodingError):
        verify(world, resign(old | {"key_data": KeyData(private_parameters={"PrivateKeyRSA": {}})}))


@pytest.fixture(scope="module")
def entry(world: Any, kinds: Any, octets: Any) -> CatalogedGroup:
    return make_cataloged_group(
        kinds.group_seed,
        kinds.profile_group,
        recipient=world.key("Encrypt").public,
        entropy=octets("cataloged group"),
        now=world.now,
        grant=["admin"],
    )


def test_a_good_entry_passes(world: Any, kinds: Any, entry: CatalogedGroup) -> None:
    assert primary_key(entry) == "mmm/CatalogedGroup/family@hub.local"
    group, keys = verify_cataloged_group(entry, now=world.now, keyring=world.keyring())
    assert group.account_address == "family@hub.local"
    assert keys is not None
    assert keys.encryption.private_key() == world.key("Encrypt", kinds.group_seed)
    assert verify_cataloged_group(entry, now=world.now) == (group, None)
    with pytest.raises(PolicyError, match="the seed is not that of group"):
        make_cataloged_group(
            world.account_seed,
            kinds.profile_group,
            recipient=world.key("Encrypt").public,
            entropy=world.entropy,
            now=world.now,
        )


def test_77_the_entry_bears_the_name_of_the_group(world: Any, entry: Any, altered: Any) -> None:
    for spoiled in (
        replace(entry, key="mmm/CatalogedGroup/other@hub.local"),
        replace(entry, key=None),
        replace(entry, enveloped_profile_group=None),
        replace(entry, enveloped_profile_group=altered(entry.enveloped_profile_group)),
    ):
        with pytest.raises(VerificationError):
            verify_cataloged_group(spoiled, now=world.now)


def test_78_the_keys_are_those_of_the_group(
    world: Any, kinds: Any, entry: Any, sign: Any, cataloged: Any
) -> None:
    _, keys = verify_cataloged_group(entry, now=world.now, keyring=world.keyring())
    assert keys is not None
    wrong = replace(keys, encryption=KeyData.of_private(world.key("Encrypt")))
    admin = world.key("AdminSign", kinds.group_seed)
    for envelope in (
        None,
        sign(wrong, admin),
        sign(keys, world.key("AdminSign")),
        sign(replace(keys, signature=KeyData.of_private(world.key("Sign"))), admin),
    ):
        with pytest.raises(VerificationError):
            verify_cataloged_group(
                replace(entry, enveloped_activation_common=envelope), now=world.now, keyring=world.keyring()
            )


def test_a_capability_reads_what_it_writes(kinds: Any, message: GroupInvitation) -> None:
    assert GroupInvitation.decode(message.encode()) == message
    contact = message.contact
    assert isinstance(contact, ContactPerson)
    [address] = contact.network_addresses or ()
    [capability] = address.capabilities or ()
    assert isinstance(capability, CapabilityDecryptPartial)
    assert capability.key_data is not None
    assert capability.key_data.key_share("X448") == kinds.membership.key.share
