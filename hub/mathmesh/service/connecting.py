"""Connect and Complete: how a device asks to join an account, and learns what was decided.

Both are public: the device has no standing in the account yet. The request is signed by the device and what
comes back at last is encrypted to it, so neither side has to trust who carried the message.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.keys import ids
from mathmesh.schema.build.connection import make_acknowledge_connection
from mathmesh.schema.message_connection import RequestConnection
from mathmesh.schema.signed import object_in
from mathmesh.service import messages as wire
from mathmesh.service.effects import Append, StoreReader
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import Account, ServiceState
from mathmesh.stores import INBOUND, LOCAL
from mathmesh.types import Entropy

REQUEST_OCTETS = 32 * 1024
"""Largest RequestConnection that is taken, in octets of its envelope as JSON."""
NOT_THERE_YET = "MeshResponseNotFound"


def connect(
    request: wire.ConnectRequest, state: ServiceState, reader: StoreReader, now: datetime, entropy: Entropy
) -> tuple[wire.ConnectResponse, tuple[Append, ...]]:
    """File a RequestConnection, acknowledged with the service's nonce, in the account's Inbound spool.

    The request must be signed by the device's Signature key and name an account of this service. The answer
    holds the acknowledgement, with the witness to compare, and the account's profile.
    """
    envelope = request.enveloped_request_connection
    if envelope is None:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "the request carries no RequestConnection")
    if len(envelope.to_json()) > REQUEST_OCTETS:
        text = f"a connection request has at most {REQUEST_OCTETS} octets"
        raise Refusal(wire.BAD_REQUEST, wire.TOO_LARGE, text)
    account = _account(object_in(envelope, RequestConnection).account_address, state)
    status = reader.status(account.udf, INBOUND)
    if status is None:
        raise Refusal(wire.SERVER_ERROR, None, f"{account.address} has no {INBOUND}")
    acknowledged = make_acknowledge_connection(
        envelope, account=account.user, signer=state.identity.signature, entropy=entropy, now=now
    )
    if not state.connections.allows(account.udf, now):
        text = f"too many devices ask for {account.address} at this moment; try again in a minute"
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, text)
    response = wire.ConnectResponse(
        status=wire.SUCCESS,
        status_description=wire.SUCCESS_TEXT,
        enveloped_acknowledge_connection=acknowledged,
        enveloped_profile_account=account.profile_envelope,
    )
    filed = Append(
        folder=account.udf, store=INBOUND, index=status.count, envelopes=(acknowledged,), received=now
    )
    return response, (filed,)


def complete(
    request: wire.CompleteRequest, state: ServiceState, reader: StoreReader, now: datetime
) -> wire.CompleteResponse:
    """The envelope that the account's administrator left under a ResponseID; status 400 while
    there is none.
    """
    account = _account(request.account_address, state)
    envelope = _answer(account, reader, request.response_id or "")
    if envelope is None:
        raise Refusal(wire.BAD_REQUEST, wire.NOT_AUTHORIZED, NOT_THERE_YET)
    return wire.CompleteResponse(
        status=wire.SUCCESS,
        status_description=wire.SUCCESS_TEXT,
        enveloped_respond_connection=envelope,
        enveloped_account_host_assignment=state.identity.assignment(account.address, now),
    )


def _account(address: str | None, state: ServiceState) -> Account:
    account = state.by_address(address or "")
    if account is None:
        text = f"{(address or 'an empty address')[:80]} is not an account of this service"
        raise Refusal(wire.NOT_FOUND, wire.ABSENT, text)
    return account


def _answer(account: Account, reader: StoreReader, response_id: str) -> Envelope | None:
    index = account.local.newest(ids.envelope_id(response_id)) if response_id else None
    if index is None:
        return None
    return next(iter(reader.envelopes(account.udf, LOCAL, index, index + 1)), None)
