"""After a service was set back to an old state: it is given back what it lost, from the copies here.

Where the service has the first frames of a copy, the later ones are sent again, as they are. Where it was
written to meanwhile, the copy here is set aside, the service's is taken in, and what had been changed here
is written anew; an entry that was changed on both sides is a conflict for a person to decide. An account that
the service has forgotten is bound again. What was set aside is kept, in the folder `aside`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mathmesh.dare.envelope import Envelope, open_envelope
from mathmesh.errors import MeshError, PolicyError, StoreError
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal, Transport, transact
from mathmesh.stores import SPOOLS
from mathmesh.stores.catalog import Catalog
from mathmesh.stores.sync import Diverged, same_apex
from meshclient import offline
from meshclient.account_keys import SeedKeys
from meshclient.account_setup import bind
from meshclient.account_stores import SUFFIX
from meshclient.resend import send_frames
from meshclient.session import Session, device_credentials, root_credentials
from meshclient.store_files import SequenceFile

MERGED = ".merged"


@dataclass(slots=True, kw_only=True)
class Repaired:
    """What was done: frames given back and stores that were brought together; and the conflicts left."""

    given_back: dict[str, int] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)
    conflicts: list[offline.Change] = field(default_factory=list)
    bound_again: bool = False


async def repair(session: Session, invitation: str | None = None) -> Repaired:
    """Bring this machine's copies and the service's together; nothing of either is lost.

    One that was interrupted goes on when it is called again. Raises PolicyError where this device may not
    write what the service lost: another one of the account must do it.
    """
    done = Repaired()
    transport = _transport(session)
    done.bound_again = await _bound(session, transport, invitation)
    known = set(session.context.frame_counts())
    for _ in range(2 * len(known) + 1):
        try:
            await session.context.sync_as(transport)
            break
        except Diverged as found:
            sent = await _send_again(session, found.store, transport)
            if sent:
                done.given_back[found.store] = sent
            else:
                session.context.set_aside(found.store)
    else:
        raise StoreError(f"{session.address} cannot be repaired; the service loses what it is given")
    await session.sync()
    changes: list[offline.Change] = []
    for path in sorted(session.context.aside.glob("*" + SUFFIX)):
        name = path.name.partition(".")[0]
        changes += await _lost(session, name, path, transport)
        done.merged.append(name)
    offline.keep(session, changes)
    for path in sorted(session.context.aside.glob("*" + SUFFIX)):
        path.rename(path.with_suffix(MERGED))
    done.conflicts = await offline.merge(session)
    return done


def _transport(session: Session) -> Transport:
    """The account itself where its seed is here: the service may have forgotten this device."""
    keys = session.context.keys
    if isinstance(keys, SeedKeys):
        return session.directory.caller(session.address, root_credentials(keys.seeds))
    return session.directory.caller(session.address, device_credentials(keys, session.now))


async def _bound(session: Session, transport: Transport, invitation: str | None) -> bool:
    try:
        await transact(transport, wire.StatusRequest(), wire.StatusResponse)
    except ServiceRefusal as refusal:
        if refusal.status_extended != wire.ABSENT:
            raise
        if not isinstance(session.context.keys, SeedKeys):
            text = f"the service has forgotten {session.address}; repair it from a device with its seed"
            raise PolicyError(text) from refusal
        await bind(session, invitation)
        return True
    return False


async def _send_again(session: Session, name: str, transport: Transport) -> int:
    """Send what the service lacks, when it has the first frames of the copy here; the number of frames."""
    status = await transact(transport, wire.StatusRequest(catalogs=(name,)), wire.StatusResponse)
    stated = next((one for one in status.container_status if one.container == name), None)
    present = stated.index or 0 if stated else 0
    frames = [envelope for _, envelope in reversed(session.context.spooled(name))]
    count = len(frames) + 1
    apex = stated.digest if stated else None
    if present >= count or not same_apex(session.context.apex_at(name, present), apex):
        return 0
    try:
        await send_frames(name, frames, present, transport)
    except ServiceRefusal as refusal:
        if refusal.status == wire.UNAUTHORIZED:
            text = f"{name}: {refusal}; repair it from a device that may write it"
            raise PolicyError(text) from refusal
        return 0
    return count - present


async def _lost(session: Session, name: str, path: Path, transport: Transport) -> list[offline.Change]:
    """The changes of entries in a copy that was set aside; messages are sent to the spool again."""
    with SequenceFile.open(path, keyring=session.context.keyring) as file:
        ours = [file.envelope(index) for index in range(1, file.count)]
    theirs = [envelope for _, envelope in reversed(session.context.spooled(name))]
    common = 0
    for mine, other in zip(ours, theirs, strict=False):
        if mine.merged().get("TreeDigest") != other.merged().get("TreeDigest"):
            break
        common += 1
    if name in SPOOLS:
        await _deliver(name, ours[common:], {envelope.body for envelope in theirs}, transport)
        await session.sync()
        return []
    base = (await _fold(session, name, ours[:common])).entries()
    entries = (await _fold(session, name, ours)).entries()
    return [
        offline.Change(store=name, key=key, base=offline.digest(base.get(key)), entry=entries.get(key))
        for key in dict.fromkeys((*base, *entries))
        if offline.digest(base.get(key)) != offline.digest(entries.get(key))
    ]


async def _deliver(name: str, lost: Iterable[Envelope], present: set[bytes], transport: Transport) -> None:
    for envelope in lost:
        if envelope.body in present:
            continue
        try:
            await send_frames(name, [envelope], 1, transport)
        except ServiceRefusal as refusal:
            if refusal.status == wire.UNAUTHORIZED:
                raise


async def _fold(session: Session, name: str, envelopes: Iterable[Envelope]) -> Catalog:
    catalog = Catalog(session.context.keys.name_secret(name))
    for index, envelope in enumerate(envelopes, start=1):
        keyring = await session.context.keyring_for(envelope.header)
        try:
            opened = open_envelope(envelope, keyring=keyring)
        except MeshError:
            continue
        catalog.apply(index, opened.content_meta, opened.plaintext)
    return catalog
