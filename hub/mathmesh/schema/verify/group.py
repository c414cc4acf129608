"""Verification of groups and invitations to them (draft-hallambaker-mesh-schema §9, §10).

GroupInvitation, after 26 to 29 of `mathmesh.schema.verify.message`
  74. its contact carries the profile of one group, which passes 50, and an anchor that is its UDF;
  75. the contact grants a CapabilityDecryptPartial of the group's CommonEncryption key (Id), which is not
      inactive and passes 67;
  76. the capability holds a share of that key and no other, within NotBefore and NotOnOrAfter, whose service
      is at the group's address.
CatalogedGroup
  77. Key is the name of the group with the address in its profile, which passes 1 to 6 and 25;
  78. where a keyring opens it, the ActivationCommon passes 9, 11 and 25 for the group's profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.activation import ActivationCommon
from mathmesh.schema.application import GROUP_KEY, CatalogedGroup
from mathmesh.schema.capability import CapabilityDecryptPartial
from mathmesh.schema.contact import Contact
from mathmesh.schema.key_data import AGREEMENT, KeyData, same_udf
from mathmesh.schema.message_contact import GroupInvitation
from mathmesh.schema.profile import ProfileGroup, ProfileUser
from mathmesh.schema.profile_validation import verify_profile_group
from mathmesh.schema.signed import envelope_of
from mathmesh.schema.validation import verify_activation_common
from mathmesh.schema.validity import check_issued
from mathmesh.schema.verify.contact import profiles_of
from mathmesh.schema.verify.message import check_address, verify_message
from mathmesh.threshold.key_share import TAG as KEY_SHARE
from mathmesh.threshold.key_share import KeyShare


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedInvitation:
    """An invitation: the group, and the share of its key that is the new member's."""

    message: GroupInvitation
    profile_group: ProfileGroup
    share: KeyShare


def verify_group_invitation(
    envelope: Envelope,
    *,
    sender: ProfileUser,
    recipient: str,
    now: datetime,
    keyring: Keyring | None = None,
    allow_unsigned: bool = False,
) -> VerifiedInvitation:
    """The invitation in `envelope` from the verified `sender`, after checks 26 to 29 and 74 to 76.

    That the share is a good one shows in its first use: a wrong one opens nothing.
    """
    message = verify_message(
        envelope,
        GroupInvitation,
        sender=sender,
        recipient=recipient,
        now=now,
        keyring=keyring,
        allow_unsigned=allow_unsigned,
    )
    contact = message.contact
    if not isinstance(contact, Contact):
        raise VerificationError("the invitation has no contact of a group")
    group = _group(contact, now)
    share = _share(_capability(contact, group, now), group)
    return VerifiedInvitation(message=message, profile_group=group, share=share)


def verify_cataloged_group(
    entry: CatalogedGroup, *, now: datetime, keyring: Keyring | None = None
) -> tuple[ProfileGroup, ActivationCommon | None]:
    """The profile of the group in `entry` and, where `keyring` opens them, its keys; checks 77 and 78."""
    group = verify_profile_group(envelope_of(entry.enveloped_profile_group, "EnvelopedProfileGroup"), now=now)
    if (entry.key or "").lower() != GROUP_KEY.lower() + (group.account_address or "").lower():
        raise VerificationError(f"the entry {entry.key} holds the group {group.account_address}")
    if keyring is None:
        return group, None
    activation = envelope_of(entry.enveloped_activation_common, "EnvelopedActivationCommon")
    return group, verify_activation_common(activation, group, keyring, now=now)


def _group(contact: Contact, now: datetime) -> ProfileGroup:
    groups = [profile for profile in profiles_of(contact, now) if isinstance(profile, ProfileGroup)]
    if len(groups) != 1:
        raise VerificationError(f"the invitation is to {len(groups)} groups, not to one")
    if not any(same_udf(anchor.udf, groups[0].udf) for anchor in contact.anchors or ()):
        raise VerificationError("the invitation has no anchor that is the group")
    return groups[0]


def _capability(contact: Contact, group: ProfileGroup, now: datetime) -> CapabilityDecryptPartial:
    key = _group_key(group)
    for address in contact.network_addresses or ():
        for capability in address.capabilities or ():
            if isinstance(capability, CapabilityDecryptPartial) and same_udf(capability.id, key.udf):
                if capability.active is False:
                    raise VerificationError(f"capability {capability.id} is not active")
                check_issued(capability.issued, now, f"capability {capability.id}")
                return capability
    raise VerificationError("the invitation grants no use of the group's key")


def _share(capability: CapabilityDecryptPartial, group: ProfileGroup) -> KeyShare:
    data = capability.key_data or KeyData()
    if KEY_SHARE in (data.private_parameters or {}):
        share = data.key_share(AGREEMENT)
    else:
        share = _share_of_2021(capability, data, group)
    if not same_udf(share.public_primary.udf, _group_key(group).udf):
        raise VerificationError("the invitation holds a share of a key of another group")
    check_address(share.service_address, group.account_address, "the service of the share")
    return share


def _share_of_2021(capability: CapabilityDecryptPartial, data: KeyData, group: ProfileGroup) -> KeyShare:
    """The edition of 2021 has the bare share under a nonce, and its service beside it."""
    if data.private_parameters is None:
        raise VerificationError("the capability of the invitation holds no share")
    return KeyShare(
        public_primary=_group_key(group),
        share=PrivateKey.from_json(data.private_parameters),
        service_address=capability.service_address,
        service_id=capability.service_id,
    )


def _group_key(group: ProfileGroup) -> PublicKey:
    return (group.common_encryption or KeyData()).public_key(AGREEMENT)
