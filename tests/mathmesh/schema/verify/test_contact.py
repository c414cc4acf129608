"""Checks 50 to 61: contacts, their entries and the messages that exchange them."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, LocalProtocolError, PolicyError, VerificationError
from mathmesh.schema import (
    Anchor,
    CapabilityDecryptPartial,
    CatalogedContact,
    Contact,
    ContactGroup,
    ContactOrganization,
    KeyData,
    MessageContact,
    MessagePin,
    NetworkAddress,
    OrganizationName,
    TaggedSource,
    primary_key,
)
from mathmesh.schema.build import make_cataloged_contact, make_contact, make_message_contact
from mathmesh.schema.signed import object_in
from mathmesh.schema.verify import verify_cataloged_contact, verify_contact, verify_message_contact


@pytest.fixture
def resign(world: Any, sign: Any, kinds: Any) -> Any:
    """Alice's contact with other members, signed by her or another."""

    def spoil(signer: Any = None, **members: Any) -> Any:
        contact = object_in(kinds.contact, Contact)
        return sign(replace(contact, **members), signer or world.key("Sign"))

    return spoil


def test_a_good_contact_passes(world: Any, kinds: Any) -> None:
    found = verify_contact(kinds.contact, now=world.now)
    assert found.account == world.account
    assert found.profiles == (world.account,)
    theirs = verify_contact(kinds.their_contact, now=world.now)
    assert [name.full_name for name in theirs.contact.common_names] == ["Bob"]


def test_organisations_and_groups_are_contacts_too(world: Any, kinds: Any, sign: Any) -> None:
    company = ContactOrganization(common_names=(OrganizationName(dba="Lamps"),))
    envelope = make_contact(world.profile_user, company, signer=world.key("Sign"), now=world.now)
    assert verify_contact(envelope, now=world.now).contact.common_names[0].dba == "Lamps"
    address = NetworkAddress(address="family@hub.local", enveloped_profile_account=kinds.profile_group)
    group = kinds.membership.key.share.public_primary
    anchors = (Anchor(udf=world.key("Profile", kinds.group_seed).public.udf),)
    contact = ContactGroup(network_addresses=(address,), anchors=anchors)
    found = verify_contact(sign(contact, world.key("AdminSign", kinds.group_seed)), now=world.now)
    assert found.account.common_encryption.udf == group.udf
    with pytest.raises(VerificationError, match="is not signed by"):
        verify_contact(sign(contact, world.key("Sign")), now=world.now)


def test_a_contact_is_made_by_its_account_only(world: Any) -> None:
    with pytest.raises(PolicyError, match="does not sign for"):
        make_contact(world.profile_user, signer=world.key("Sign", world.other_seed), now=world.now)


def test_50_the_profile_must_hold_and_be_of_the_address(
    world: Any, kinds: Any, resign: Any, altered: Any
) -> None:
    [address] = object_in(kinds.contact, Contact).network_addresses
    for spoiled in (
        replace(address, enveloped_profile_account=altered(world.profile_user)),
        replace(address, address="mallory@hub.local"),
        replace(address, address=None),
    ):
        with pytest.raises(VerificationError):
            verify_contact(resign(network_addresses=(spoiled,)), now=world.now)


def test_51_the_anchor_is_a_profile_in_the_contact(world: Any, resign: Any) -> None:
    stray = Anchor(udf=world.other.udf, validation="Self")
    own = Anchor(udf=world.account.udf, validation="Self")
    for anchors in (None, (), (stray,), (own, stray), (Anchor(udf=world.other.udf),)):
        with pytest.raises(VerificationError, match="anchor"):
            verify_contact(resign(anchors=anchors), now=world.now)
    introduced = (own, Anchor(udf=world.other.udf, validation="Bob"))
    assert verify_contact(resign(anchors=introduced), now=world.now).account == world.account


def test_52_the_account_signs_its_contact(world: Any, resign: Any, sign: Any, kinds: Any) -> None:
    for signer in (world.key("AdminSign"), world.key("Sign", world.other_seed)):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify_contact(resign(signer), now=world.now)
    with pytest.raises(VerificationError, match="is not signed by"):
        verify_contact(sign(object_in(kinds.contact, Contact), None), now=world.now)


def test_53_a_contact_discloses_no_key(world: Any, kinds: Any, resign: Any) -> None:
    [address] = object_in(kinds.contact, Contact).network_addresses
    for data, passes in (
        (KeyData.of_public(world.key("Encrypt").public), True),
        (KeyData.of_private(world.key("Encrypt")), False),
    ):
        capabilities = (CapabilityDecryptPartial(id="M", key_data=data),)
        envelope = resign(network_addresses=(replace(address, capabilities=capabilities),))
        if passes:
            verify_contact(envelope, now=world.now)
            continue
        with pytest.raises(VerificationError, match="discloses a private key"):
            verify_contact(envelope, now=world.now)


def test_a_good_entry_passes(world: Any, kinds: Any) -> None:
    own = make_cataloged_contact(kinds.contact, now=world.now, is_self=True)
    assert own.key == own.contact.id == world.account.udf
    again = CatalogedContact.decode(own.encode())
    assert again == own
    assert again.write()["Self"] is True
    [source] = verify_cataloged_contact(again, now=world.now)
    assert source.account == world.account
    theirs = make_cataloged_contact(
        kinds.their_contact, now=world.now, entropy=world.entropy, local_name="Bob"
    )
    assert primary_key(theirs) == theirs.key
    assert udf.parse(theirs.key or "")[0] == udf.NONCE
    assert verify_cataloged_contact(theirs, now=world.now)[0].account == world.other
    with pytest.raises(LocalProtocolError, match="needs a nonce"):
        make_cataloged_contact(kinds.their_contact, now=world.now)


def test_54_the_key_is_that_of_the_contact(world: Any, kinds: Any) -> None:
    entry = make_cataloged_contact(kinds.contact, now=world.now, is_self=True)
    for spoiled in (
        replace(entry, key=world.other.udf),
        replace(entry, key=None),
        replace(entry, contact=None),
    ):
        with pytest.raises(VerificationError):
            verify_cataloged_contact(spoiled, now=world.now)


def test_55_a_source_vouches_for_the_anchors(world: Any, kinds: Any, altered: Any) -> None:
    entry = make_cataloged_contact(kinds.contact, now=world.now, is_self=True)
    contact = entry.contact
    assert isinstance(contact, Contact)
    bad = TaggedSource(validation="Self", enveloped_source=altered(kinds.contact))
    stray = (Anchor(udf=world.other.udf, validation="Self"),)
    for spoiled in (
        replace(contact, sources=None),
        replace(contact, sources=None, anchors=None, network_addresses=None),
        replace(contact, sources=(TaggedSource(binary_source=b"card"),)),
        replace(contact, sources=(*(contact.sources or ()), bad)),
        replace(contact, anchors=stray),
    ):
        with pytest.raises(VerificationError):
            verify_cataloged_contact(replace(entry, contact=spoiled), now=world.now)


def test_56_a_source_vouches_for_the_addresses(world: Any, kinds: Any) -> None:
    entry = make_cataloged_contact(kinds.contact, now=world.now, is_self=True)
    contact = entry.contact
    assert isinstance(contact, Contact)
    slipped = NetworkAddress(address="mallory@hub.local", enveloped_profile_account=world.other_user)
    spoiled = replace(contact, network_addresses=(*(contact.network_addresses or ()), slipped))
    with pytest.raises(VerificationError, match="no source of the contact vouches for account"):
        verify_cataloged_contact(replace(entry, contact=spoiled), now=world.now)


def verify(world: Any, envelope: Any, **options: Any) -> Any:
    defaults = {"recipient": "Alice@hub.local", "now": world.now, "keyring": world.keyring()}
    return verify_message_contact(envelope, **(defaults | options))


@pytest.fixture
def resend(world: Any, sign: Any, kinds: Any) -> Any:
    def spoil(signer: Any = None, **members: Any) -> Any:
        message = object_in(kinds.message_contact, MessageContact, keyring=world.keyring())
        signer = signer or world.key("Sign", world.other_seed)
        return sign(replace(message, **members), signer, recipients=[world.key("Encrypt").public])

    return spoil


def test_a_good_contact_message_passes(world: Any, kinds: Any) -> None:
    pin = object_in(kinds.contact_pin, MessagePin, keyring=world.keyring())
    found = verify(world, kinds.message_contact, pin=pin)
    assert found.pin_proven
    assert found.contact.account == world.other
    assert found.message.reply is True
    assert not verify(world, kinds.message_contact).pin_proven


def test_a_contact_for_somebody_unknown_goes_in_clear(world: Any, kinds: Any) -> None:
    envelope = make_message_contact(
        kinds.contact,
        sender="alice@hub.local",
        recipient="stranger@example.com",
        signer=world.key("Sign"),
        entropy=world.entropy,
        now=world.now,
        subject="hello",
    )
    found = verify(world, envelope, recipient="stranger@example.com", keyring=None)
    assert found.message.pin_id is None
    assert found.message.subject == "hello"


def test_57_the_contact_must_hold(world: Any, kinds: Any, resend: Any, altered: Any) -> None:
    for data in (None, altered(kinds.their_contact)):
        with pytest.raises(VerificationError):
            verify(world, resend(authenticated_data=data))


def test_58_the_contact_is_the_senders(world: Any, kinds: Any, resend: Any, sign: Any) -> None:
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, resend(world.key("Sign")))
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, resend(authenticated_data=kinds.contact))
    with pytest.raises(VerificationError, match="Sender"):
        verify(world, resend(sender="alice@hub.local"))
    message = object_in(kinds.message_contact, MessageContact, keyring=world.keyring())
    with pytest.raises(VerificationError, match="is not signed by"):
        verify(world, sign(message, None))
    assert verify(world, sign(message, None), allow_unsigned=True).contact.account == world.other


def test_58_a_group_sends_none(world: Any, kinds: Any, resend: Any, sign: Any) -> None:
    address = NetworkAddress(address="family@hub.local", enveloped_profile_account=kinds.profile_group)
    anchors = (Anchor(udf=world.key("Profile", kinds.group_seed).public.udf),)
    contact = ContactGroup(network_addresses=(address,), anchors=anchors)
    data = sign(contact, world.key("AdminSign", kinds.group_seed))
    with pytest.raises(VerificationError, match="a group sends no contact"):
        verify(world, resend(authenticated_data=data))


def test_59_a_contact_for_somebody_else_is_refused(world: Any, kinds: Any) -> None:
    with pytest.raises(VerificationError, match="Recipient"):
        verify(world, kinds.message_contact, recipient="carol@hub.local")


def test_60_the_pin_must_be_proven(world: Any, kinds: Any, resend: Any) -> None:
    pin = object_in(kinds.contact_pin, MessagePin, keyring=world.keyring())
    for envelope in (resend(pin_witness=bytes(64)), resend(pin_id=None), resend(client_nonce=bytes(16))):
        with pytest.raises(VerificationError):
            verify(world, envelope, pin=pin)


@pytest.mark.parametrize(
    "pin", [udf.text(udf.MAC, bytes(14)), udf.text(udf.ENCRYPTION, bytes(16)), "not a pin"]
)
def test_61_a_pin_that_is_none_is_refused(world: Any, resend: Any, pin: str) -> None:
    with pytest.raises((VerificationError, EncodingError)):
        verify(world, resend(pin=pin))
