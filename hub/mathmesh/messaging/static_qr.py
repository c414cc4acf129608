"""Connecting a device by the static code on its label: the claimant's side (mesh-protocol, Claim and
PollClaim).

Conversations are generators: they yield a request and are sent its answer, or have a ServiceRefusal
thrown into them; `mathmesh.service.client.converse` drives them over a transport. The lock that a claim
puts on a device is described in `mathmesh.service.claims`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime

from mathmesh.codec import udf, uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import MeshError, PolicyError, ProtocolError
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.build.message import make_message_claim, make_message_complete, make_respond_connection
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.claim import open_publication
from mathmesh.schema.message import MessageClaim, Reference
from mathmesh.schema.profile import ProfileDevice
from mathmesh.schema.signed import object_in
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal
from mathmesh.stores.spool import CLOSED
from mathmesh.types import Entropy


class ClaimError(PolicyError):
    """A claim that was refused."""


class AlreadyClaimed(ClaimError):
    """Another account holds the device. `by` is its address."""

    def __init__(self, by: str) -> None:
        super().__init__(
            f"this device is already claimed by {by}; ask its owner to release it, or reset the device"
        )
        self.by = by


class UnknownPublication(ClaimError):
    """The maker's account publishes nothing under this code."""

    def __init__(self, maker: str) -> None:
        super().__init__(
            f"{maker} publishes nothing under this code; check it letter by letter against the label"
        )
        self.maker = maker


class OtherMaker(ClaimError):
    """The code names an account that the service at hand does not serve. `domain` is that account's."""

    def __init__(self, domain: str) -> None:
        super().__init__(
            f"this is a device of another maker, {domain}, which this hub does not serve; "
            "its maker's service must be reachable to add it"
        )
        self.domain = domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """The account that claims: address in lower case, profile UDF, CommonSignature key."""

    address: str
    udf: str
    signature: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResult:
    """A device that was claimed: its verified profile, and `k`, the secret octets of the label."""

    profile_device: ProfileDevice
    profile_envelope: Envelope
    hailing: tuple[str, ...]
    publication_id: str
    k: bytes = field(repr=False)
    claim_message_id: str
    maker: str


def parse_label(connect_uri: str) -> tuple[str, bytes]:
    """Maker's account address and secret octets of the code on a label.

    Raises EncodingError when it is no Mesh Connect URI, PolicyError when it is one of another use.
    """
    account, key = uri.parse_mcu(connect_uri)
    code, secret = udf.parse(key)
    if code != udf.ENCRYPTION:
        raise PolicyError("this code is an invitation to an account, not the label of a device")
    return account, secret


def claim(
    connect_uri: str, claimant: Claimant, *, entropy: Entropy, now: datetime
) -> Generator[wire.Request, wire.Response, ClaimResult]:
    """Claim the device whose label shows `connect_uri`, and read its publication.

    Raises AlreadyClaimed, UnknownPublication, OtherMaker; what `parse_label` raises; VerificationError when
    what the maker published is not authentic.
    """
    maker, secret = parse_label(connect_uri)
    envelope = make_message_claim(
        secret,
        sender=claimant.address,
        recipient=maker,
        claimant_udf=claimant.udf,
        signer=claimant.signature,
        entropy=entropy,
        now=now,
    )
    message = object_in(envelope, MessageClaim)
    try:
        response = yield wire.ClaimRequest(enveloped_message_claim=envelope)
    except ServiceRefusal as refusal:
        raise _claim_error(refusal, maker) from refusal
    if not isinstance(response, wire.ClaimResponse) or response.cataloged_publication is None:
        raise ProtocolError("the service accepted the claim and sent no publication")
    profile, hailing, profile_envelope = open_publication(response.cataloged_publication, secret)
    return ClaimResult(
        profile_device=profile,
        profile_envelope=profile_envelope,
        hailing=hailing,
        publication_id=message.publication_id or "",
        k=secret,
        claim_message_id=message.message_id or "",
        maker=maker,
    )


def standing_claim(
    publisher: str, publication_id: str, address: str
) -> Generator[wire.Request, wire.Response, MessageClaim | None]:
    """The claim by which the account at `address` holds a publication of `publisher`; None when it does
    not.
    """
    request = wire.PollClaimRequest(target_account_address=publisher, publication_id=publication_id)
    try:
        response = yield request
    except ServiceRefusal as refusal:
        if refusal.status == wire.NOT_FOUND:
            return None
        raise
    if not isinstance(response, wire.PollClaimResponse) or response.enveloped_message is None:
        return None
    message = object_in(response.enveloped_message, MessageClaim)
    return message if (message.sender or "").lower() == address else None


def acceptance(
    result: ClaimResult, entry: CatalogedDevice, claimant: Claimant, *, entropy: Entropy, now: datetime
) -> Envelope:
    """The answer to the claimed device, for the Local spool of the claimant: it makes the lock permanent."""
    return make_respond_connection(
        result.claim_message_id,
        "Accept",
        entry,
        result.profile_device,
        sender=claimant.address,
        signer=claimant.signature,
        entropy=entropy,
        now=now,
    )


def release(message: MessageClaim, claimant: Claimant, *, entropy: Entropy, now: datetime) -> Envelope:
    """The message, for the Local spool of the claimant, that gives up a claim and the earlier ones."""
    return make_message_complete(
        [Reference(message_id=message.message_id, relationship=CLOSED)],
        sender=claimant.address,
        signer=claimant.signature,
        entropy=entropy,
        now=now,
    )


def _claim_error(refusal: ServiceRefusal, maker: str) -> MeshError:
    response = refusal.response
    if isinstance(response, wire.ClaimResponse) and response.claimed_by:
        return AlreadyClaimed(response.claimed_by)
    if refusal.status == wire.NOT_FOUND and refusal.status_extended == wire.MOVED:
        return OtherMaker(maker.rpartition("@")[2])
    if refusal.status == wire.NOT_FOUND:
        return UnknownPublication(maker)
    return refusal
