"""BindAccount: how an account comes to be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.profile_validation import verify_profile_account
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.effects import MASTER_FOLDER, MASTER_STORE, Append, StoreReader
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import ServiceState, account_entry
from mathmesh.stores import SPOOLS
from mathmesh.types import Entropy


def bind_account(
    request: wire.BindRequest,
    state: ServiceState,
    reader: StoreReader,
    caller: Caller | None,
    now: datetime,
    entropy: Entropy,
) -> tuple[wire.BindResponse, tuple[Append, ...]]:
    """Take an account in: its profile verifies, the caller holds its CommonAuthentication key, the address
    is free.

    Binding an account that is bound already, with the same profile, succeeds and changes nothing.
    """
    if request.enveloped_profile_account is None or caller is None:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "the request carries no profile of an account")
    profile = verify_profile_account(request.enveloped_profile_account, now=now)
    address = uri.account_address(profile.account_address or "")
    if (request.account_address or address).lower() != address or caller.account != address:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, f"the profile is for {address}, the request is not")
    common = profile.common_authentication
    if caller.key_id is not None and (common is None or not same_udf(common.udf, caller.key_id)):
        raise Refusal(
            wire.UNAUTHORIZED, wire.NOT_ADMINISTRATOR, "an account is bound by the holder of its own keys"
        )
    if not state.identity.serves(address):
        raise Refusal(wire.NOT_FOUND, wire.MOVED, f"this service does not serve {address.rpartition('@')[2]}")
    if profile.service_udf is not None and not same_udf(profile.service_udf, state.identity.profile.udf):
        raise Refusal(
            wire.CONFLICT, wire.REFUSED, f"the profile names another service, {profile.service_udf}"
        )
    response = wire.BindResponse(
        status=wire.SUCCESS,
        status_description=wire.SUCCESS_TEXT,
        enveloped_account_host_assignment=state.identity.assignment(address, now),
    )
    present = state.by_address(address)
    if present is not None and same_udf(present.udf, profile.udf):
        return response, ()
    if present is not None or state.by_udf(profile.udf) is not None:
        raise Refusal(wire.CONFLICT, wire.ACCOUNT_REGISTERED, f"{address} is taken by another account")
    return response, tuple(
        _new_account(state, reader, request.enveloped_profile_account, profile.udf, now, entropy)
    )


def _new_account(
    state: ServiceState, reader: StoreReader, profile: Envelope, udf: str, now: datetime, entropy: Entropy
) -> Iterable[Append]:
    entry = seal(
        account_entry(profile, udf, now).encode(),
        entropy=entropy,
        recipients=[state.identity.access_encrypt.public],
    )
    master = reader.status(MASTER_FOLDER, MASTER_STORE)
    yield Append(
        folder=MASTER_FOLDER,
        store=MASTER_STORE,
        index=master.count if master else 1,
        envelopes=(entry,),
        received=now,
        create=master is None,
    )
    for spool in SPOOLS:
        yield Append(folder=udf, store=spool, index=1, received=now, create=True)
