"""Groups, their members and the invitation of a member (mesh-schema §9, §10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError
from mathmesh.keys import derive, ids
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.activation import ActivationCommon
from mathmesh.schema.application import GROUP_KEY, CatalogedGroup
from mathmesh.schema.build.capability import Service, SplitKey, make_split_key
from mathmesh.schema.build.contact import mesh_address
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.build.profile import ACCOUNT
from mathmesh.schema.capability import CapabilityDecryptPartial
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedMember
from mathmesh.schema.contact import SELF, Anchor, ContactPerson
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.message_contact import GroupInvitation
from mathmesh.schema.profile import ProfileGroup
from mathmesh.schema.profile_validation import verify_profile_group
from mathmesh.types import Entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A new member: its entry of MMM_Member, the service's entry of MMM_Access (both in the group's stores)
    and the key in two parts, the first of which goes into the invitation.
    """

    member: CatalogedMember
    access: CatalogedAccess
    key: SplitKey


def make_cataloged_group(
    group_seed: str,
    profile_group: Envelope,
    *,
    recipient: PublicKey,
    entropy: Entropy,
    now: datetime,
    grant: Sequence[str] | None = None,
    local_name: str | None = None,
) -> CatalogedGroup:
    """The entry of MMM_Application by which an account administers the group with `group_seed`.

    The group's keys are in it, signed by the group's AdministratorSignature key and encrypted to
    `recipient`, the CommonEncryption key of the account. `grant` are the roles of devices that get them too.
    """
    group = verify_profile_group(profile_group)
    keys: dict[str, Any] = {
        name: KeyData.of_private(derive.derive_key(group_seed, ACCOUNT + operation))
        for name, operation in (
            ("profile_signature", "Profile"),
            ("administrator_signature", "AdminSign"),
            ("encryption", "Encrypt"),
            ("authentication", "Authenticate"),
        )
    }
    if keys["profile_signature"].udf != group.udf:
        raise PolicyError(f"the seed is not that of group {group.account_address}")
    return CatalogedGroup(
        local_name=local_name,
        key=GROUP_KEY + (group.account_address or ""),
        grant=tuple(grant) if grant is not None else None,
        enveloped_profile_group=profile_group,
        enveloped_activation_common=enveloped(
            ActivationCommon(**keys),
            entropy=entropy,
            now=now,
            signer=derive.derive_key(group_seed, ACCOUNT + "AdminSign"),
            recipients=[recipient],
        ),
    )


def make_membership(
    group_key: PrivateKey,
    service: Service,
    member: str,
    *,
    entropy: Entropy,
    now: datetime,
    member_udf: str | None = None,
) -> Membership:
    """A share of `group_key`, the group's CommonEncryption key, for the account at the address `member`.

    `service` is the group's; `member_udf` is the UDF of the member's profile, by which it is known where its
    account is at another service. Whoever holds `group_key` can make members and read without them.
    """
    member = uri.account_address(member)
    key = make_split_key(
        group_key, service, entropy=entropy, now=now, grantee_account=member, grantee_udf=member_udf
    )
    entry = CatalogedMember(
        contact_address=member,
        member_capability_id=group_key.public.udf,
        service_capability_id=key.share.key_id,
    )
    return Membership(member=entry, access=key.access, key=key)


def make_group_invitation(
    profile_group: Envelope,
    membership: Membership,
    *,
    sender: str,
    signer: PrivateKey,
    recipient_key: PublicKey,
    entropy: Entropy,
    now: datetime,
    text: str | None = None,
) -> Envelope:
    """The invitation of the new member to the group of `profile_group`, with its share of the group's key.

    `signer` is the CommonSignature key of the account `sender` that invites, `recipient_key` the member's
    CommonEncryption key: a share is never sent in clear. The contact is a ContactPerson as in the published
    examples, not the ContactGroup that one would expect.
    """
    group = verify_profile_group(profile_group)
    message = GroupInvitation(
        message_id=ids.nonce_id(entropy),
        sender=uri.account_address(sender),
        recipient=membership.member.contact_address,
        text=text,
        contact=_contact(profile_group, group, membership, now),
    )
    return enveloped(message, entropy=entropy, now=now, signer=signer, recipients=[recipient_key])


def _contact(
    profile_group: Envelope, group: ProfileGroup, membership: Membership, now: datetime
) -> ContactPerson:
    share = membership.key.share
    capability = CapabilityDecryptPartial(
        id=share.public_primary.udf,
        active=True,
        issued=int(now.timestamp()),
        key_data=KeyData.of_share(share),
    )
    address = replace(mesh_address(profile_group, group), capabilities=(capability,))
    return ContactPerson(anchors=(Anchor(udf=group.udf, validation=SELF),), network_addresses=(address,))
