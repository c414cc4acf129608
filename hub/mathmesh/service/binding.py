"""BindAccount and UnbindAccount: how an account comes to be, is renewed, and goes."""

from __future__ import annotations

from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.errors import PolicyError
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.profile import ProfileAccount
from mathmesh.schema.profile_validation import verify_profile_account
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller, Rights, rights_of
from mathmesh.service.effects import MASTER_FOLDER, MASTER_STORE, Append, StoreReader
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import CONNECTED, UNBOUND, Account, ServiceState, account_entry
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
    is free, and the service's policy admits it.

    Binding an account that is bound already, with the same profile, succeeds and changes nothing; a later
    profile takes the place of the one before.
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
    envelope = request.enveloped_profile_account
    present = state.by_address(address)
    if present is not None and same_udf(present.udf, profile.udf):
        if present.profile_envelope.body == envelope.body:
            return response, ()
        _check_newer(present, profile, caller, now)
        return response, (_entry(state, reader, envelope, profile.udf, now, entropy),)
    if present is not None or state.by_udf(profile.udf) is not None:
        raise Refusal(wire.CONFLICT, wire.ACCOUNT_REGISTERED, f"{address} is taken by another account")
    invitation = _admit(request.invitation, state, address, caller, now)
    entry = _entry(state, reader, envelope, profile.udf, now, entropy, invitation=invitation)
    spools = (Append(folder=profile.udf, store=spool, index=1, received=now, create=True) for spool in SPOOLS)
    return response, (entry, *spools)


def unbind_account(
    state: ServiceState,
    reader: StoreReader,
    account: Account,
    rights: Rights,
    now: datetime,
    entropy: Entropy,
) -> tuple[wire.UnbindResponse, tuple[Append, ...]]:
    """Let an account go: its address is free again, and the engine keeps none of its stores."""
    if not rights.administrator:
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_ADMINISTRATOR, "only an administrator unbinds the account")
    entry = _entry(state, reader, account.profile_envelope, account.udf, now, entropy, status=UNBOUND)
    return wire.UnbindResponse(status=wire.SUCCESS, status_description=wire.SUCCESS_TEXT), (entry,)


def _check_newer(present: Account, profile: ProfileAccount, caller: Caller, now: datetime) -> None:
    """A newer profile of an account is given by the account itself or an administrator of it."""
    rights = rights_of(caller, present.profile, present.access(caller.key_id), now)
    if rights is None or not rights.administrator:
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_ADMINISTRATOR, "only an administrator renews the profile")
    before = present.profile.updated
    if before is not None and (profile.updated is None or profile.updated <= before):
        raise Refusal(wire.CONFLICT, wire.REFUSED, f"the service has a profile of {before}, which is newer")


def _admit(
    invitation: str | None, state: ServiceState, address: str, caller: Caller, now: datetime
) -> str | None:
    """The name of the invitation used; who is on this machine needs none."""
    if not caller.remote:
        return None
    try:
        name = state.admission.check(invitation, address, now)
    except PolicyError as error:
        raise Refusal(wire.UNAUTHORIZED, wire.REFUSED, str(error)) from None
    if name is not None and name in state.invitations:
        raise Refusal(wire.UNAUTHORIZED, wire.REFUSED, "the invitation was used; ask for another one")
    return name


def _entry(
    state: ServiceState,
    reader: StoreReader,
    profile: Envelope,
    udf: str,
    now: datetime,
    entropy: Entropy,
    *,
    status: str = CONNECTED,
    invitation: str | None = None,
) -> Append:
    entry = account_entry(profile, udf, now, status=status, invitation=invitation)
    sealed = seal(entry.encode(), entropy=entropy, recipients=[state.identity.access_encrypt.public])
    master = reader.status(MASTER_FOLDER, MASTER_STORE)
    return Append(
        folder=MASTER_FOLDER,
        store=MASTER_STORE,
        index=master.count if master else 1,
        envelopes=(sealed,),
        received=now,
        create=master is None,
    )
