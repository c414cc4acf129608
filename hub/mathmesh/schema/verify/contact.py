"""Verification of contacts (draft-hallambaker-mesh-schema §8, §10).

Contact, after 1 and 2 of `mathmesh.schema.validation`
  50. every profile it carries passes 1 to 6 and 25, and Address beside it is the profile's address;
  51. it has an anchor that is the UDF of a profile it carries, and every anchor it calls Self is;
  52. it is signed by that account: a user's CommonSignature or a group's AdministratorSignature key, valid
      now;
  53. it discloses no private key.
CatalogedContact
  54. it has a Key, and Contact.Id, where stated, is the same;
  55. it has an enveloped source, each source passes 50 to 53, and each of its anchors called Self is one of
      a source;
  56. every profile it carries in an address is one of a source.
MessageContact, after 29
  57. AuthenticatedData passes 50 to 53;
  58. it is signed by the CommonSignature key of the contact's account (`allow_unsigned`: or not at all), and
      Sender is the account's address;
  59. Recipient is the address it was to be sent to;
  60. where it answers a PIN of the recipient, it passes 34;
  61. PIN, where stated, is a UDF of type A with at least 120 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mathmesh.codec import udf
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys.keyring import Keyring
from mathmesh.schema.cataloged import CatalogedContact
from mathmesh.schema.contact import SELF, Contact
from mathmesh.schema.key_data import keys_within, same_udf
from mathmesh.schema.message_connection import MessagePin
from mathmesh.schema.message_contact import MessageContact
from mathmesh.schema.pin import PIN_OCTETS, check_pin_witness
from mathmesh.schema.profile import ProfileGroup, ProfileUser
from mathmesh.schema.profile_validation import verify_profile_account
from mathmesh.schema.signed import check_signed_by, check_signed_or_clear, envelope_of, object_in
from mathmesh.schema.validity import key_in_use
from mathmesh.schema.verify.message import check_address, read_message


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedContact:
    """A contact; `account` is the one that signed it, `profiles` are all that it carries."""

    contact: Contact
    account: ProfileUser | ProfileGroup
    profiles: tuple[ProfileUser | ProfileGroup, ...]
    envelope: Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedMessageContact:
    """A contact that was sent; `pin_proven` tells whether it answers a PIN that was given out for it."""

    message: MessageContact
    contact: VerifiedContact
    pin_proven: bool


def verify_contact(envelope: Envelope, *, now: datetime) -> VerifiedContact:
    """The contact in `envelope`, after checks 1, 2 and 50 to 53."""
    contact = object_in(envelope, Contact)
    profiles = tuple(profiles_of(contact, now))
    account = _anchored(contact, profiles)
    if isinstance(account, ProfileUser):
        signer = key_in_use(account.common_signature, "CommonSignature in the contact's profile", now)
    else:
        signer = key_in_use(account.administrator_signature, "AdministratorSignature of the group", now)
    check_signed_by(envelope, signer, contact.tag)
    if any(data.private_parameters is not None for data in keys_within(contact)):
        raise VerificationError("the contact discloses a private key; do not pass it on")
    return VerifiedContact(contact=contact, account=account, profiles=profiles, envelope=envelope)


def verify_cataloged_contact(entry: CatalogedContact, *, now: datetime) -> tuple[VerifiedContact, ...]:
    """The sources of the contact in `entry`, after checks 50 to 56.

    The rest of the entry is what the account's owner wrote about the contact.
    """
    contact = entry.contact
    if not isinstance(contact, Contact) or not entry.key:
        raise VerificationError("the entry has no contact or no Key")
    if contact.id is not None and contact.id != entry.key:
        raise VerificationError(f"the entry of {entry.key} holds the contact {contact.id}")
    sources = tuple(
        verify_contact(source.enveloped_source, now=now)
        for source in contact.sources or ()
        if source.enveloped_source is not None
    )
    if not sources:
        raise VerificationError("the contact has no signed source; ask its owner for a new one")
    vouched = [profile.udf for source in sources for profile in source.profiles]
    for anchor in contact.anchors or ():
        if anchor.validation == SELF and not any(same_udf(anchor.udf, one) for one in vouched):
            raise VerificationError(f"no source of the contact vouches for anchor {anchor.udf}")
    for profile in profiles_of(contact, now):
        if not any(same_udf(profile.udf, one) for one in vouched):
            raise VerificationError(f"no source of the contact vouches for account {profile.udf}")
    return sources


def verify_message_contact(
    envelope: Envelope,
    *,
    recipient: str,
    now: datetime,
    keyring: Keyring | None = None,
    pin: MessagePin | None = None,
    allow_unsigned: bool = False,
) -> VerifiedMessageContact:
    """The contact message in `envelope` to the address `recipient`, after checks 29 and 57 to 61.

    `pin` is the verified MessagePin of the recipient that the message names by PinId, where there is one.
    """
    message = read_message(envelope, MessageContact, keyring=keyring, allow_unsigned=allow_unsigned)
    contact = verify_contact(envelope_of(message.authenticated_data, "AuthenticatedData"), now=now)
    if not isinstance(contact.account, ProfileUser):
        raise VerificationError("a group sends no contact of its own")
    signer = key_in_use(contact.account.common_signature, "CommonSignature in the sender's profile", now)
    check_signed_or_clear(envelope, signer, "MessageContact", allow_unsigned=allow_unsigned)
    check_address(message.sender, contact.account.account_address, "MessageContact.Sender")
    check_address(message.recipient, recipient, "MessageContact.Recipient")
    if pin is not None:
        check_pin_witness(message, pin)
    if message.pin is not None:
        code, octets = udf.parse(message.pin)
        if code != udf.MAC or len(octets) < PIN_OCTETS:
            raise VerificationError("the contact message offers a PIN that is none or too short")
    return VerifiedMessageContact(message=message, contact=contact, pin_proven=pin is not None)


def profiles_of(contact: Contact, now: datetime) -> Iterator[ProfileUser | ProfileGroup]:
    """The profiles that `contact` carries in its addresses, after check 50."""
    for address in contact.network_addresses or ():
        if address.enveloped_profile_account is not None:
            profile = verify_profile_account(address.enveloped_profile_account, now=now)
            check_address(address.address, profile.account_address, "the address beside a profile")
            yield profile


def _anchored(
    contact: Contact, profiles: tuple[ProfileUser | ProfileGroup, ...]
) -> ProfileUser | ProfileGroup:
    """The profile of the first anchor that the contact carries, after check 51."""
    found = []
    for anchor in contact.anchors or ():
        matching = [profile for profile in profiles if same_udf(anchor.udf, profile.udf)]
        if not matching and anchor.validation == SELF:
            raise VerificationError(f"the contact carries no profile for its anchor {anchor.udf}")
        found += matching
    if not found:
        raise VerificationError("the contact has no anchor that is a profile it carries")
    return found[0]
