"""Verification of claims and publications, the two halves of a connection by static QR.

The checks go on from those of `mathmesh.schema.validation`, in this order:

MessageClaim (draft-hallambaker-mesh-schema §10; protocol book)
  16. it is signed by the CommonSignature key of the claimant's profile, valid now, and passes 1 and 2;
  17. Sender is the claimant's address and ClaimantUdf, where stated, the UDF of the claimant's profile;
  18. it is for this publication and, where given, this recipient;
  19. it has not expired;
  20. ServiceAuthenticate, and where the device's authenticator is known DeviceAuthenticate, are MACs of
      Sender;
  21. where the device's authenticator is known, DeviceProof binds Sender, ClaimantUdf and MessageId.
CatalogedPublication (§9)
  22. Id and Authenticator follow from the secret, and it has not expired;
  23. the secret opens the data, its digest where stated being right;
  24. the data holds a DevicePreconfigurationPublic, or the enveloped ProfileDevice alone as the reference
      publishes it, and the profile passes 1 to 6.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any

from mathmesh.codec import jsonbcd, udf
from mathmesh.dare.envelope import Envelope, open_envelope
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import earl, mac
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.schema.cataloged import CatalogedPublication
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.mesh_object import parse
from mathmesh.schema.message import MessageClaim
from mathmesh.schema.preconfiguration import DevicePreconfigurationPublic
from mathmesh.schema.profile import ProfileDevice, ProfileUser
from mathmesh.schema.signed import check_signed_by, envelope_of, object_in
from mathmesh.schema.validation import verify_profile_device
from mathmesh.schema.validity import check_not_expired, key_in_use

SERVICE_BITS = 125
DEVICE_BITS = 100


def device_proof(device_authenticator: str, sender: str, claimant_udf: str, message_id: str) -> bytes:
    """The 64 octets that bind a claim to one account, under the secret of the device (protocol book).

    `device_authenticator` is the E-type UDF that only the device and who read its label can derive.
    """
    _, key = udf.parse(device_authenticator)
    return hmac.digest(key, (sender + claimant_udf + message_id).encode(), hashlib.sha512)


def verify_message_claim(
    envelope: Envelope,
    *,
    claimant: ProfileUser | None,
    publication_id: str,
    service_authenticator: str,
    now: datetime,
    device_authenticator: str | None = None,
    recipient: str | None = None,
) -> MessageClaim:
    """The claim in `envelope`, after checks 1, 2 and 16 to 21.

    `claimant` is the verified profile of the account that claims; None leaves out what needs it (the
    signature, and the profile part of 17), for a device that only then learns who claimed it.
    """
    if claimant is not None:
        signer = key_in_use(claimant.common_signature, "CommonSignature in the claimant's profile", now)
        check_signed_by(envelope, signer, "MessageClaim")
    claim = object_in(envelope, MessageClaim)
    if not claim.message_id or not claim.sender:
        raise VerificationError("the claim names no message or no sender")
    if claimant is not None:
        _check_claimant(claim, claimant)
    if not same_udf(claim.publication_id, publication_id):
        raise VerificationError(f"the claim is for publication {claim.publication_id}, not {publication_id}")
    if recipient is not None and (claim.recipient or "").lower() != recipient.lower():
        raise VerificationError(f"the claim is for {claim.recipient}, not {recipient}")
    check_not_expired(claim.expires, now, "the claim")
    sender = claim.sender.encode()
    mac.verify(service_authenticator, sender, claim.service_authenticate or "", minimum_bits=SERVICE_BITS)
    if device_authenticator is not None:
        mac.verify(device_authenticator, sender, claim.device_authenticate or "", minimum_bits=DEVICE_BITS)
        _check_device_proof(claim, claim.sender, claim.message_id, device_authenticator)
    return claim


def open_publication(
    publication: CatalogedPublication, k: bytes, *, now: datetime | None = None
) -> tuple[ProfileDevice, tuple[str, ...], Envelope]:
    """The device profile, the Hailing URIs and the envelope of the profile in `publication`, after checks
    22 to 24.

    `k` is the secret of the label, 15 octets (32 in the edition of 2021). Expiry is checked where `now` is
    given.
    """
    if not same_udf(publication.id, earl.publication_id(k)):
        raise VerificationError(f"publication {publication.id} is not the one of this label")
    if not same_udf(publication.authenticator, earl.service_authenticator(k)):
        raise VerificationError(
            f"publication {publication.id} has an authenticator that is not of this label"
        )
    check_not_expired(publication.not_on_or_after, now, f"publication {publication.id}")
    keyring = MemoryKeyring()
    keyring.add_symmetric(k)
    data = envelope_of(publication.enveloped_data, "EnvelopedData")
    opened = open_envelope(data, keyring=keyring, require_digest=False)
    envelope, hailing = _published(jsonbcd.loads(opened.plaintext, tolerant=True))
    return verify_profile_device(envelope, now=now), hailing, envelope


def _published(tree: Any) -> tuple[Envelope, tuple[str, ...]]:
    if isinstance(tree, dict) and len(tree) == 1 and "DareEnvelope" in tree:
        tree = tree["DareEnvelope"]
    if isinstance(tree, list):
        return Envelope.from_value(tree), ()
    if not isinstance(tree, dict):
        raise EncodingError("the publication holds no object")
    found = parse(tree)
    if not isinstance(found, DevicePreconfigurationPublic):
        raise VerificationError(f"the publication holds a {found.tag}, not a device")
    return envelope_of(found.enveloped_profile_device, "EnvelopedProfileDevice"), found.hailing or ()


def _check_claimant(claim: MessageClaim, claimant: ProfileUser) -> None:
    if (claim.sender or "").lower() != (claimant.account_address or "").lower():
        raise VerificationError(f"the claim of {claim.sender} is signed by {claimant.account_address}")
    if claim.claimant_udf is not None and not same_udf(claim.claimant_udf, claimant.udf):
        raise VerificationError(f"the claim names account {claim.claimant_udf}, its signer is {claimant.udf}")


def _check_device_proof(claim: MessageClaim, sender: str, message_id: str, device_authenticator: str) -> None:
    """Claims of other programs state neither member; one without the other proves nothing."""
    if claim.claimant_udf is None and claim.device_proof is None:
        return
    expected = device_proof(device_authenticator, sender, claim.claimant_udf or "", message_id)
    if not hmac.compare_digest(expected, claim.device_proof or b""):
        raise VerificationError("the claim does not prove its account to the device")
