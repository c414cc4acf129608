"""Groups: accounts whose key is used in two parts, a member's and the service's (mesh-schema §9).

What is encrypted to a group is opened by members with the service's help. A member that is removed is
refused from then on, and nothing that was encrypted has to change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError, PolicyError, VerificationError
from mathmesh.keys import derive
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.messaging.effects import Changes
from mathmesh.messaging.sender import Sender, encryption_key
from mathmesh.schema.application import GROUP_KEY, CatalogedGroup
from mathmesh.schema.build import (
    enveloped,
    make_cataloged_group,
    make_group_invitation,
    make_membership,
    make_null_capability,
    make_profile_group,
)
from mathmesh.schema.build.capability import Service
from mathmesh.schema.build.contact import mesh_address
from mathmesh.schema.build.enveloped import no_entropy
from mathmesh.schema.build.group import Membership
from mathmesh.schema.build.profile import ACCOUNT
from mathmesh.schema.capability import CapabilityDecryptPartial
from mathmesh.schema.cataloged import CatalogedContact, CatalogedMember
from mathmesh.schema.contact import SELF, Anchor, Contact, ContactGroup, TaggedSource
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.profile import ProfileGroup, ProfileUser
from mathmesh.schema.profile_validation import verify_profile_group
from mathmesh.schema.validity import check_keys_valid
from mathmesh.schema.verify import VerifiedInvitation, verify_cataloged_group
from mathmesh.stores import ACCESS, APPLICATION, CONTACT, MEMBER
from mathmesh.threshold import key_share
from mathmesh.threshold.key_share import KeyShare


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupKeys:
    """A group in the hands of its administrator."""

    profile: ProfileGroup
    profile_envelope: Envelope
    administrator: PrivateKey = field(repr=False)
    encryption: PrivateKey = field(repr=False)
    authentication: PrivateKey = field(repr=False)

    @property
    def address(self) -> str:
        """The group's address, in lower case."""
        return (self.profile.account_address or "").lower()


def create(
    sender: Sender, seed: str, address: str, service_udf: str, *, grant: Sequence[str] = ("admin", "super")
) -> tuple[Envelope, Changes]:
    """The profile of the group with `seed` (type 0x0102), and what its founder's account writes: the
    group's keys, and its contact.
    """
    profile = make_profile_group(seed, address, service_udf, sender.now)
    entry = make_cataloged_group(
        seed, profile, recipient=sender.encryption, entropy=sender.entropy, now=sender.now, grant=grant
    )
    contact = group_contact(profile, derive.derive_key(seed, ACCOUNT + "AdminSign"), sender.now)
    return profile, Changes(updates={APPLICATION: [entry], CONTACT: [contact]})


def keys_of(entry: CatalogedGroup, keyring: Keyring, now: datetime) -> GroupKeys:
    """The group's keys in an entry of MMM_Application."""
    profile, common = verify_cataloged_group(entry, now=now, keyring=keyring)
    if common is None or entry.enveloped_profile_group is None:
        raise PolicyError(f"this device does not administer {profile.account_address}")
    return GroupKeys(
        profile=profile,
        profile_envelope=entry.enveloped_profile_group,
        administrator=_present(common.administrator_signature).private_key(),
        encryption=_present(common.encryption).private_key(),
        authentication=_present(common.authentication).private_key(),
    )


def entry_of(entries: Iterable[MeshObject], address: str) -> CatalogedGroup:
    """The entry of the group at `address`; PolicyError when the account administers no such group."""
    name = (GROUP_KEY + address).lower()
    for entry in entries:
        if isinstance(entry, CatalogedGroup) and (entry.key or "").lower() == name:
            return entry
    raise PolicyError(f"this account administers no group {address}")


def invite(
    sender: Sender, group: GroupKeys, host_key: PublicKey, member: ProfileUser, *, text: str | None = None
) -> tuple[Membership, Changes, Changes]:
    """Make the account of the verified profile `member` a member: what changes in the group's stores, and
    the invitation that the sender's account sends.
    """
    service = Service(address=group.address, host_key=host_key, administrator=group.administrator)
    address = (member.account_address or "").lower()
    made = make_membership(
        group.encryption,
        service,
        address,
        entropy=sender.entropy,
        now=sender.now,
        member_udf=member.udf,
    )
    invitation = make_group_invitation(
        group.profile_envelope,
        made,
        sender=sender.address,
        signer=sender.signature,
        recipient_key=encryption_key(member, sender.now),
        entropy=sender.entropy,
        now=sender.now,
        text=text,
    )
    return (
        made,
        Changes(updates={MEMBER: [made.member], ACCESS: [made.access]}),
        Changes(outbound=(invitation,), accounts=(address,)),
    )


def remove(member: CatalogedMember) -> Changes:
    """What changes in the group's stores when a member leaves: the service's share is gone."""
    return Changes(
        updates={ACCESS: [make_null_capability(member.service_capability_id or "")]},
        deletes={MEMBER: [member.contact_address or ""]},
    )


def join(sender: Sender, entries: Collection[MeshObject], invitation: VerifiedInvitation) -> Changes:
    """Take a verified invitation up: the group's contact with the own share of its key goes into
    MMM_Contact.

    Raises PolicyError when another group is known under the same address.
    """
    contact = invitation.message.contact
    if not isinstance(contact, Contact):
        raise VerificationError("the invitation has no contact of a group")
    group = invitation.profile_group
    for known in profiles_in(entries, sender.now):
        same = (known.account_address or "").lower() == (group.account_address or "").lower()
        if same and known.udf != group.udf:
            raise PolicyError(f"{known.account_address} is known as group {known.udf}, not {group.udf}")
    key = invitation.profile_group.udf
    before = next((one for one in entries if isinstance(one, CatalogedContact) and one.key == key), None)
    sources = before.contact.sources if before is not None and isinstance(before.contact, Contact) else None
    entry = CatalogedContact(key=key, contact=replace(contact, id=key, sources=sources))
    return Changes(
        updates={CONTACT: [entry]}, inbound=(sender.closing([invitation.message.message_id or ""]),)
    )


def shares_in(entries: Iterable[MeshObject], now: datetime) -> Iterable[tuple[ProfileGroup, KeyShare]]:
    """The groups that the account is a member of, with its share of the key of each."""
    for entry in entries:
        contact = entry.contact if isinstance(entry, CatalogedContact) else None
        for address in (contact.network_addresses or ()) if isinstance(contact, Contact) else ():
            if address.enveloped_profile_account is None:
                continue
            for capability in address.capabilities or ():
                share = _share(capability, now)
                if share is not None:
                    profile = verify_profile_group(address.enveloped_profile_account, now=now)
                    yield profile, share


def profiles_in(entries: Iterable[MeshObject], now: datetime) -> Iterable[ProfileGroup]:
    """The groups whose contact the account has, as member or as administrator."""
    for entry in entries:
        contact = entry.contact if isinstance(entry, CatalogedContact) else None
        for address in (contact.network_addresses or ()) if isinstance(contact, Contact) else ():
            if address.enveloped_profile_account is None:
                continue
            try:
                yield verify_profile_group(address.enveloped_profile_account, now=now)
            except (EncodingError, VerificationError):
                continue


def group_contact(profile_envelope: Envelope, administrator: PrivateKey, now: datetime) -> CatalogedContact:
    """The entry of a group in MMM_Contact, signed by the group's administrator."""
    group = verify_profile_group(profile_envelope, now=now)
    contact = ContactGroup(
        anchors=(Anchor(udf=group.udf, validation=SELF),),
        network_addresses=(mesh_address(profile_envelope, group),),
    )
    signed = enveloped(contact, entropy=no_entropy, now=now, signer=administrator)
    return CatalogedContact(
        key=group.udf,
        contact=replace(
            contact, id=group.udf, sources=(TaggedSource(validation=SELF, enveloped_source=signed),)
        ),
    )


def _share(capability: MeshObject, now: datetime) -> KeyShare | None:
    if not isinstance(capability, CapabilityDecryptPartial) or capability.active is False:
        return None
    data = capability.key_data
    if data is None or key_share.TAG not in (data.private_parameters or {}):
        return None
    check_keys_valid(data, now)
    return data.key_share()


def _present(data: KeyData | None) -> KeyData:
    if data is None:
        raise VerificationError("a key of the group is missing")
    return data
