"""Claim and PollClaim: how the owner of a label gets its publication, and the device learns by whom it was
claimed.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError
from mathmesh.schema.cataloged import SHARED, CatalogedPublication
from mathmesh.schema.claim import verify_message_claim
from mathmesh.schema.message import MessageClaim
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.signed import object_in
from mathmesh.service import messages as wire
from mathmesh.service.effects import Append, StoreReader
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import Account, ServiceState, claim_envelope_id, claim_in
from mathmesh.stores import LOCAL
from mathmesh.stores.spool import clear_message


def claim(
    request: wire.ClaimRequest, state: ServiceState, reader: StoreReader, now: datetime
) -> tuple[wire.ClaimResponse, tuple[Append, ...]]:
    """File a claim in the publisher's Local spool and hand out the publication.

    The claimant must know the secret of the label (ServiceAuthenticate, at least 125 bits, compared in
    constant time); where it is an account of this service, its signature must hold. A publication that
    another account holds is refused with the holder's address, unless it is one for many readers.
    """
    envelope = request.enveloped_message_claim
    if envelope is None:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "the request carries no MessageClaim")
    message = object_in(envelope, MessageClaim)
    publisher, publication = _publication(message, state, now)
    verify_message_claim(
        envelope,
        claimant=_claimant(message, state),
        publication_id=publication.id or "",
        service_authenticator=publication.authenticator or "",
        recipient=publisher.address,
        now=now,
    )
    response = wire.ClaimResponse(
        status=wire.SUCCESS, status_description=wire.SUCCESS_TEXT, cataloged_publication=publication
    )
    made = claim_in(publisher.address, message, now)
    if made is None:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "the claim names no message, sender or publication")
    holder = state.claims.holder_of(made, now)
    shared = SHARED in (publication.labels or ())
    if holder is not None and holder.claim.account != made.account and not shared:
        raise Refusal(
            wire.CONFLICT,
            wire.REFUSED,
            f"the device is already claimed by {holder.claim.account}",
            claimed_by=holder.claim.account,
        )
    if state.claims.knows_message(made.message_id):
        if holder is None or holder.claim.message_id != made.message_id:
            raise Refusal(wire.CONFLICT, wire.REFUSED, "this claim was made before; make a new one")
        return response, ()
    filed = _filed(envelope, claim_envelope_id(publication.id or ""))
    return response, (_append(publisher, reader, filed, now),)


def poll_claim(
    request: wire.PollClaimRequest, state: ServiceState, reader: StoreReader, now: datetime
) -> wire.PollClaimResponse:
    """The claim that holds a publication at `now`; status 404 when it is free or unknown."""
    address = (request.target_account_address or "").lower()
    publication_id = request.publication_id or ""
    holder = state.claims.holder(address, publication_id, now)
    account = state.by_address(address)
    if holder is None or account is None:
        return wire.PollClaimResponse(
            status=wire.NOT_FOUND, status_extended=wire.ABSENT, status_description="no claim"
        )
    found = _claim_envelope(account, reader, publication_id, holder.claim.message_id)
    return wire.PollClaimResponse(
        status=wire.SUCCESS, status_description=wire.SUCCESS_TEXT, enveloped_message=found
    )


def _publication(
    message: MessageClaim, state: ServiceState, now: datetime
) -> tuple[Account, CatalogedPublication]:
    recipient = message.recipient or ""
    account = state.by_address(recipient)
    if account is None:
        domain = recipient.lower().rpartition("@")[2]
        if not state.identity.serves(recipient):
            raise Refusal(wire.NOT_FOUND, wire.MOVED, f"this service does not serve {domain[:80]}")
        raise Refusal(wire.NOT_FOUND, wire.ABSENT, f"{recipient[:80]} is not an account of this service")
    publication = account.publication(message.publication_id or "")
    expiry = publication.not_on_or_after if publication else None
    if publication is None or (expiry is not None and expiry <= now):
        raise Refusal(wire.NOT_FOUND, wire.ABSENT, f"{account.address} publishes nothing under this label")
    return account, publication


def _claimant(message: MessageClaim, state: ServiceState) -> ProfileUser | None:
    sender = message.sender or ""
    try:
        uri.account_address(sender)
    except EncodingError:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "the claim's Sender is no account address") from None
    account = state.by_address(sender)
    if account is not None:
        return account.user
    if state.identity.serves(sender):
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, f"{sender} is not an account of this service")
    return None


def _filed(envelope: Envelope, name: str) -> Envelope:
    return Envelope(
        header={**envelope.header, "EnvelopeId": name}, body=envelope.body, trailer=envelope.trailer
    )


def _append(account: Account, reader: StoreReader, envelope: Envelope, now: datetime) -> Append:
    status = reader.status(account.udf, LOCAL)
    if status is None:
        raise Refusal(wire.SERVER_ERROR, None, f"{account.address} has no {LOCAL}")
    return Append(folder=account.udf, store=LOCAL, index=status.count, envelopes=(envelope,), received=now)


def _claim_envelope(
    account: Account, reader: StoreReader, publication_id: str, message_id: str
) -> Envelope | None:
    """The filed claim with this message id: the newest under the publication's id, or else an earlier one."""
    name = claim_envelope_id(publication_id)
    newest = account.local.newest(name)
    for index in range(newest if newest is not None else 0, 0, -1):
        for envelope in reader.envelopes(account.udf, LOCAL, index, index + 1):
            message = clear_message(envelope)
            if envelope.envelope_id == name and isinstance(message, MessageClaim):
                if message.message_id == message_id:
                    return envelope
    return None
