"""Transact: how the stores of an account grow.

Transact is all or nothing: every update, message and delivery is checked first, and one that cannot be taken
refuses the whole. The engine then makes all effects durable together.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import MeshError
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedPublication
from mathmesh.service import messages as wire
from mathmesh.service.access import ADMINISTRATOR_STORES, Rights
from mathmesh.service.effects import Append, StoreReader
from mathmesh.service.envelope_checks import check_envelope
from mathmesh.service.posting import queue, send
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import Account, ServiceState, claim_in
from mathmesh.stores import (
    ACCESS,
    DEVICE,
    HOST_READABLE,
    INBOUND,
    LOCAL,
    OUTBOUND,
    PUBLICATION,
    SPOOLS,
    is_store_name,
)
from mathmesh.stores.catalog import DELETE, read_entry
from mathmesh.stores.first_frame import is_first_frame, is_ours
from mathmesh.stores.spool import clear_message, closed_messages
from mathmesh.stores.sync import StoreStatus
from mathmesh.types import Entropy

_ENTRY_TYPES: dict[str, type[CatalogedAccess] | type[CatalogedPublication]] = {
    ACCESS: CatalogedAccess,
    PUBLICATION: CatalogedPublication,
}


def transact(
    request: wire.TransactRequest,
    state: ServiceState,
    reader: StoreReader,
    account: Account,
    rights: Rights,
    now: datetime,
    entropy: Entropy,
) -> tuple[wire.TransactResponse, tuple[Append, ...]]:
    """Append to the account's catalogs and spools and deliver its messages, all or nothing.

    An update whose Index or Digest is not that of the store is in Conflict: the caller syncs and tries again.
    Only an administrator writes MMM_Access, MMM_Device and MMM_Publication; in the first and the last the
    service must be able to read what is written.
    """
    names = [update.container or "" for update in request.updates]
    if len(set(names)) != len(names):
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "one Transact updates each store once")
    for name in names:
        _check_may_write(name, rights)
    spooled = {INBOUND: request.inbound, LOCAL: request.local, OUTBOUND: request.outbound}
    for spool, envelopes in spooled.items():
        if envelopes:
            _check_right(spool, rights)
    entries = [
        _check_position(number, update, reader, account) for number, update in enumerate(request.updates)
    ]
    if any(entry.result != wire.ACCEPT for entry in entries):
        raise Refusal(
            wire.CONFLICT,
            wire.REFUSED,
            "a store has changed since the caller read it; sync and try again",
            entries=tuple(entries),
        )
    effects = [
        _update(update, (entry.index_container or 0) - len(update.envelopes), state, now, account)
        for update, entry in zip(request.updates, entries, strict=True)
    ]
    _check_local(request, state, account, rights, now)
    for envelope in (*request.inbound, *request.local, *request.outbound):
        check_envelope(envelope)
    effects += _spooled(request, state, reader, account, now, entropy)
    response = wire.TransactResponse(
        status=wire.SUCCESS, status_description=wire.SUCCESS_TEXT, entries=tuple(entries)
    )
    return response, tuple(effects)


def _check_may_write(name: str, rights: Rights) -> None:
    if not is_store_name(name) or name in SPOOLS:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, f"{name[:80]!r} is not a catalog that can be updated")
    _check_right(name, rights)


def _check_right(name: str, rights: Rights) -> None:
    if rights.may_write(name):
        return
    if name in ADMINISTRATOR_STORES:
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_ADMINISTRATOR, f"only an administrator writes {name}")
    raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, f"this device has no right to {name}")


def _check_position(
    number: int, update: wire.ContainerUpdate, reader: StoreReader, account: Account
) -> wire.EntryResponse:
    status = reader.status(account.udf, update.container or "") or StoreStatus(count=0)
    begins = _begins(update)
    expected = 0 if begins else status.count
    fits = update.index in (None, expected)
    if begins:
        fits = fits and status.count == 0
    elif status.count == 0:
        fits = False
    elif update.digest is not None and status.apex is not None:
        fits = fits and hmac.compare_digest(update.digest, status.apex)
    count = expected + len(update.envelopes) if fits else status.count
    return wire.EntryResponse(
        index_request=number, index_container=count, result=wire.ACCEPT if fits else wire.IN_CONFLICT
    )


def _begins(update: wire.ContainerUpdate) -> bool:
    return bool(update.envelopes) and is_first_frame(update.envelopes[0])


def _update(
    update: wire.ContainerUpdate, start: int, state: ServiceState, now: datetime, account: Account
) -> Append:
    name = update.container or ""
    begins = _begins(update)
    envelopes = update.envelopes
    if begins:
        _check_first_frame(name, envelopes[0])
        envelopes = envelopes[1:]
    for envelope in envelopes:
        check_envelope(envelope)
        if name in HOST_READABLE:
            _check_readable(name, envelope, state)
    index = 1 if begins else start
    return Append(
        folder=account.udf, store=name, index=index, envelopes=envelopes, received=now, create=begins
    )


def _check_first_frame(name: str, envelope: Envelope) -> None:
    if not is_ours(envelope):
        raise Refusal(
            wire.BAD_REQUEST,
            wire.REFUSED,
            f"{name}: a store here is a Merkle sequence whose frame 0 has no body",
        )


def _check_readable(name: str, envelope: Envelope, state: ServiceState) -> None:
    try:
        meta, plaintext = state.open(envelope)
        if meta.event == DELETE:
            return
        value, _ = read_entry(meta, plaintext)
    except MeshError as error:
        raise Refusal(
            wire.BAD_REQUEST, wire.REFUSED, f"{name}: the service must be able to read this entry: {error}"
        ) from None
    if not isinstance(value, _ENTRY_TYPES[name]):
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, f"{name} holds entries of its own type only")


# -- messages ------------------------------------------------------------------------------------
def _check_local(
    request: wire.TransactRequest, state: ServiceState, account: Account, rights: Rights, now: datetime
) -> None:
    """Claims are made with Claim only; who answers or closes one holds it, is an administrator, and says so
    rightly.
    """
    for envelope in request.local:
        message = clear_message(envelope)
        if claim_in(account.address, message, now) is not None:
            raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "a MessageClaim is delivered with Claim")
        _check_answer(envelope.envelope_id, request, state, account, rights, now)
        for message_id in closed_messages(message):
            claimed = state.claims.closed_by(message_id)
            if claimed is not None and account.address in (claimed.account, claimed.publisher):
                _require_administrator(rights, "releases a claim")


def _check_answer(
    name: str | None,
    request: wire.TransactRequest,
    state: ServiceState,
    account: Account,
    rights: Rights,
    now: datetime,
) -> None:
    claimed = state.claims.answered_by(name) if name else None
    if claimed is None or claimed.account != account.address:
        return
    _require_administrator(rights, "answers a claim")
    holder = state.claims.holder_of(claimed, now)
    if holder is not None and holder.claim.account != account.address:
        raise Refusal(
            wire.CONFLICT, wire.REFUSED, f"the device was claimed by {holder.claim.account} in the meantime"
        )
    if not any(update.container == DEVICE and update.envelopes for update in request.updates):
        raise Refusal(
            wire.BAD_REQUEST, wire.REFUSED, "the answer to a claim goes together with the CatalogedDevice"
        )


def _require_administrator(rights: Rights, deed: str) -> None:
    if not rights.administrator:
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_ADMINISTRATOR, f"only an administrator {deed}")


def _spooled(
    request: wire.TransactRequest,
    state: ServiceState,
    reader: StoreReader,
    account: Account,
    now: datetime,
    entropy: Entropy,
) -> list[Append]:
    deliveries: dict[tuple[str, str], list[Envelope]] = {}

    def deliver(to: Account, spool: str, envelopes: tuple[Envelope, ...]) -> None:
        if envelopes:
            deliveries.setdefault((to.udf, spool), []).extend(envelopes)

    deliver(account, LOCAL, request.local)
    deliver(account, INBOUND, request.inbound)
    deliver(account, OUTBOUND, request.outbound)
    sent = send(request, state, account, _count(reader, account.udf, OUTBOUND), now, entropy)
    for recipient, envelopes in sent.here:
        deliver(recipient, INBOUND, envelopes)
    made = [
        Append(
            folder=folder,
            store=spool,
            index=_count(reader, folder, spool),
            envelopes=tuple(envelopes),
            received=now,
        )
        for (folder, spool), envelopes in deliveries.items()
    ]
    host = state.identity.access_encrypt.public
    return [*made, *queue([one.sealed(host, entropy) for one in sent.elsewhere], reader, now)]


def _count(reader: StoreReader, folder: str, spool: str) -> int:
    status = reader.status(folder, spool)
    if status is None:
        raise Refusal(wire.SERVER_ERROR, None, f"{folder} has no {spool}")
    return status.count
