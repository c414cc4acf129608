"""The service side of every transaction: a request, who asks and the state in; an answer and effects out.

Nothing is read or written here but through the `StoreReader`, and nothing is stored before the engine
carried out the effects. Order of checks in every user transaction: the caller is known, the account is
its own, its rights reach, the stores are where the caller thinks they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mathmesh.errors import EncodingError, MeshError, ProtocolError
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller, Rights, rights_of
from mathmesh.service.binding import bind_account, unbind_account
from mathmesh.service.claiming import claim, poll_claim
from mathmesh.service.connecting import complete, connect
from mathmesh.service.effects import Append, Outcome, StoreReader
from mathmesh.service.envelope_checks import MESSAGE_OCTETS, UPDATE_OCTETS
from mathmesh.service.enveloping import MEDIA_TYPE as ENVELOPED_TYPE
from mathmesh.service.operating import operate
from mathmesh.service.posting import post
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import Account, ServiceState
from mathmesh.service.transacting import transact
from mathmesh.stores import CATALOGS, SPOOLS
from mathmesh.types import Entropy

JSON_TYPE = "application/json"
DOWNLOAD_OCTETS = 4 * 1024 * 1024
"""A Download response ends with the frame that makes it this long; the caller asks again for the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a handler works with; `account` and `rights` are the caller's, None for a public operation."""

    state: ServiceState
    reader: StoreReader
    now: datetime
    entropy: Entropy
    caller: Caller | None
    account: Account | None = None
    rights: Rights | None = None


Handled = tuple[wire.Response, tuple[Append, ...]]


def handle(
    data: bytes,
    *,
    state: ServiceState,
    reader: StoreReader,
    caller: Caller | None,
    now: datetime,
    entropy: Entropy,
    public_only: bool = False,
) -> Outcome:
    """Serve one request.

    `data` is the request as received; `caller` None is a stranger; with `public_only` the transport
    offers the public operations alone. Never raises for what a caller sent: a refusal is an answer with
    its status.
    """
    response_type: type[wire.Response] = wire.Response
    try:
        request = wire.decode_request(data)
        response_type = wire.response_type(request.OPERATION)
        context = _context(request, state, reader, caller, now, entropy, public_only)
        response, effects = _HANDLERS[request.OPERATION](request, context)
    except Refusal as refusal:
        return Outcome(response=refusal.response(response_type).encode())
    except (ProtocolError, EncodingError) as error:
        return Outcome(response=_failure(response_type, wire.BAD_REQUEST, wire.REFUSED, error))
    except MeshError as error:
        return Outcome(response=_failure(response_type, wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, error))
    return Outcome(response=response.encode(), effects=effects)


def failure(status: int, extended: int | None, text: str) -> bytes:
    """An answer for an error outside the state machine, such as a body that is too large."""
    return wire.Response(status=status, status_extended=extended, status_description=text).encode()


def _failure(kind: type[wire.Response], status: int, extended: int, error: MeshError) -> bytes:
    return kind(status=status, status_extended=extended, status_description=str(error)).encode()


def _context(
    request: wire.Request,
    state: ServiceState,
    reader: StoreReader,
    caller: Caller | None,
    now: datetime,
    entropy: Entropy,
    public_only: bool,
) -> Context:
    open_context = Context(state=state, reader=reader, now=now, entropy=entropy, caller=caller)
    if request.OPERATION in wire.PUBLIC_OPERATIONS:
        return open_context
    if public_only or caller is None:
        raise Refusal(
            wire.UNAUTHORIZED,
            wire.NOT_AUTHORIZED,
            f"{request.OPERATION} is only for callers whose account is known",
        )
    if caller.service_udf is not None or request.OPERATION in _FOR_SERVICES:
        _check_service(request.OPERATION, caller)
        return open_context
    if request.OPERATION in (_WITHOUT_ACCOUNT if caller.profile_udf is None else _FOR_MEMBERS):
        return open_context
    account = state.by_address(caller.account) if caller.profile_udf is None else None
    if account is None:
        raise Refusal(wire.NOT_FOUND, wire.ABSENT, f"{caller.account} is not an account of this service")
    stated = getattr(request, "account", None)
    if stated is not None and stated.lower() != account.address:
        raise Refusal(
            wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, f"{account.address} may not act on the account {stated}"
        )
    capability = account.access(caller.key_id)
    rights = rights_of(caller, account.profile, capability, now)
    if rights is None:
        ended = f"; its rights ended at {capability.expires}" if capability and capability.expires else ""
        extended = wire.DEVICE_REVOKED if account.knows(caller.key_id) else wire.NOT_AUTHORIZED
        raise Refusal(
            wire.UNAUTHORIZED, extended, f"the key {caller.key_id} has no access to {account.address}{ended}"
        )
    return Context(
        state=state, reader=reader, now=now, entropy=entropy, caller=caller, account=account, rights=rights
    )


def _check_service(operation: str, caller: Caller) -> None:
    """Another service posts, and nothing else; it must be known whose accounts it speaks for."""
    if operation not in _FOR_SERVICES or caller.service_udf is None:
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, f"{operation} is not for callers of this kind")
    if caller.domain is None:
        text = "this service takes in no messages of others, or cannot ask which service the sender has"
        raise Refusal(wire.UNAVAILABLE, wire.TIMEOUT, text)


def _hello(_: wire.HelloRequest, context: Context) -> Handled:
    identity = context.state.identity
    response = wire.MeshHelloResponse(
        status=wire.SUCCESS,
        version={"Major": 3, "Minor": 0, "Encodings": [{"ID": [JSON_TYPE, ENVELOPED_TYPE]}]},
        constraints_update=wire.ConstraintsData(bytes_max=UPDATE_OCTETS),
        constraints_post=wire.ConstraintsData(bytes_max=MESSAGE_OCTETS),
        policy_account=wire.PolicyAccount(minimum=3, maximum=254, invalid_characters="/?#:%[]\\<>\"' "),
        enveloped_profile_service=identity.profile_envelope,
        enveloped_profile_host=identity.host.profile_envelope if identity.host else None,
        enveloped_connection_host=identity.host.connection_envelope if identity.host else None,
    )
    return response, ()


def _status(request: wire.StatusRequest, context: Context) -> Handled:
    account, rights = _own(context)
    wanted = (*request.catalogs, *request.spools)
    present = context.reader.stores(account.udf)
    listed = [name for name in (*SPOOLS, *CATALOGS) if name in present]
    listed += sorted(set(present) - set(listed))
    statuses = []
    for name in listed:
        status = context.reader.status(account.udf, name)
        if status is not None and rights.may_read(name) and (not wanted or name in wanted):
            statuses.append(wire.ContainerStatus(container=name, index=status.count, digest=status.apex))
    device, digest = None, None
    if rights.capability is not None:
        digest = rights.capability.cataloged_device_digest
        if digest != request.cataloged_device_digest:
            device = rights.capability.enveloped_cataloged_device
    response = wire.StatusResponse(
        status=wire.SUCCESS,
        status_description=wire.SUCCESS_TEXT,
        enveloped_profile_account=account.profile_envelope,
        enveloped_cataloged_device=device,
        cataloged_device_digest=digest,
        container_status=tuple(statuses),
        enveloped_account_host_assignment=context.state.identity.assignment(account.address, context.now),
    )
    return response, ()


def _download(request: wire.DownloadRequest, context: Context) -> Handled:
    account, rights = _own(context)
    budget = DOWNLOAD_OCTETS
    updates = []
    for select in request.select:
        name = select.container or ""
        status = context.reader.status(account.udf, name)
        if status is None:
            raise Refusal(wire.NOT_FOUND, wire.ABSENT, f"{account.address} has no store {name[:80]!r}")
        if not rights.may_read(name):
            raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, f"this device has no right to {name}")
        start = max(0, select.index_min or 0)
        stop = status.count if select.index_max is None else min(select.index_max, status.count)
        envelopes = []
        for envelope in context.reader.envelopes(account.udf, name, start, stop):
            if budget <= 0:
                break
            budget -= len(envelope.to_json())
            envelopes.append(envelope)
        updates.append(
            wire.ContainerUpdate(container=name, index=start, digest=status.apex, envelopes=tuple(envelopes))
        )
    response = wire.DownloadResponse(
        status=wire.SUCCESS, status_description=wire.SUCCESS_TEXT, updates=tuple(updates)
    )
    return response, ()


def _own(context: Context) -> tuple[Account, Rights]:
    """Account and rights of a user operation, which `_context` has put there."""
    if context.account is None or context.rights is None:
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, "this operation needs an account")
    return context.account, context.rights


def _transact(request: wire.TransactRequest, context: Context) -> Handled:
    account, rights = _own(context)
    return transact(request, context.state, context.reader, account, rights, context.now, context.entropy)


def _bind(request: wire.BindRequest, context: Context) -> Handled:
    return bind_account(request, context.state, context.reader, context.caller, context.now, context.entropy)


def _unbind(_: wire.UnbindRequest, context: Context) -> Handled:
    account, rights = _own(context)
    return unbind_account(context.state, context.reader, account, rights, context.now, context.entropy)


def _post(request: wire.PostRequest, context: Context) -> Handled:
    if context.caller is None:
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, "messages are posted by known services only")
    return post(request, context.state, context.reader, context.caller, context.now)


def _claim(request: wire.ClaimRequest, context: Context) -> Handled:
    return claim(request, context.state, context.reader, context.now)


def _poll_claim(request: wire.PollClaimRequest, context: Context) -> Handled:
    return poll_claim(request, context.state, context.reader, context.now), ()


def _connect(request: wire.ConnectRequest, context: Context) -> Handled:
    return connect(request, context.state, context.reader, context.now, context.entropy)


def _complete(request: wire.CompleteRequest, context: Context) -> Handled:
    return complete(request, context.state, context.reader, context.now), ()


def _operate(request: wire.OperateRequest, context: Context) -> Handled:
    if context.caller is None:
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, "shares are used for known callers only")
    return operate(request, context.state, context.caller, context.now), ()


_WITHOUT_ACCOUNT = frozenset({"BindAccount"})
"""Operations of callers that have no account here yet."""
_FOR_MEMBERS = frozenset({"Operate"})
"""Operations of callers whose account is at another service."""
_FOR_SERVICES = frozenset({"Post"})
"""Operations of other services."""

_HANDLERS: dict[str, Callable[[Any, Context], Handled]] = {
    "Hello": _hello,
    "BindAccount": _bind,
    "UnbindAccount": _unbind,
    "Status": _status,
    "Download": _download,
    "Transact": _transact,
    "Post": _post,
    "Claim": _claim,
    "PollClaim": _poll_claim,
    "Connect": _connect,
    "Complete": _complete,
    "Operate": _operate,
}
