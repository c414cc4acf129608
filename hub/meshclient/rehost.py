"""Moving an account to another service: the UDF, the contacts and the devices stay, the address is new.

The stores go over as they are; what the services' hosts read (MMM_Access, MMM_Publication) is sealed anew.
Every device finds its renewed entry, with the new profile, at the old service when it asks there next, and
goes on at the new one. The account stays at the old service until all have, and then is unbound there.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from mathmesh.codec import uri
from mathmesh.errors import PolicyError
from mathmesh.messaging import contact as contacts
from mathmesh.messaging.effects import Changes
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.service import messages as wire
from mathmesh.service.client import Transport, transact
from mathmesh.stores import ACCESS, CONTACT, DEVICE, PUBLICATION
from meshclient import devices
from meshclient.account_keys import AccountSeed, SeedKeys
from meshclient.account_setup import service_of
from meshclient.context import AccountContext
from meshclient.machine import ACCOUNT as COPIES
from meshclient.resend import send_frames
from meshclient.session import Session, contact_access, root_credentials

_REMADE = frozenset({ACCESS, DEVICE, PUBLICATION})
_FOLDER = "rehost"


async def rehost(session: Session, address: str) -> str:
    """Move the account to `address` at another service; the new address is returned.

    The session is closed afterwards. One that was interrupted goes on when it is called again. Raises
    PolicyError on a machine without the account's seed, and when the service is the one that it is at.
    """
    address = uri.account_address(address)
    service, _ = await service_of(session.directory, address)
    await session.sync()
    old = session.seed_keys.seeds
    if service.udf == old.service_udf:
        raise PolicyError(f"{session.address} is at that service already")
    seeds = replace(old, address=address, service_udf=service.udf, created=session.now.replace(microsecond=0))
    moved = _bound_before(session, address) or seeds
    root = session.directory.caller(address, root_credentials(moved))
    keys = SeedKeys(moved)
    await transact(
        root,
        wire.BindRequest(account_address=address, enveloped_profile_account=keys.profile_envelope),
        wire.BindResponse,
    )
    session.file.save(replace(session.file.keys, moving=moved))
    folder = session.file.folder / _FOLDER
    context = AccountContext(
        accounts=folder,
        keys=keys,
        transport=root,
        entropy=session.context.entropy,
        clock=lambda: session.now,
    )
    try:
        await context.sync_as(root)
        await _copy(session.context, context, root)
        await _renew(session, context)
    finally:
        context.close()
    sender = replace(session.sender, profile=keys.profile, profile_envelope=keys.profile_envelope)
    for changes in contacts.news(sender, session.contacts()):
        request = wire.TransactRequest(outbound=changes.outbound, accounts=changes.accounts)
        await transact(root, request, wire.TransactResponse)
    session.file.save(replace(session.file.keys, seeds=moved, address=address, moving=None))
    session.context.close()
    _replace(session.file.folder / COPIES, folder)
    return address


def _bound_before(session: Session, address: str) -> AccountSeed | None:
    moving = session.file.keys.moving
    return moving if moving is not None and moving.address == address else None


async def _copy(old: AccountContext, new: AccountContext, root: Transport) -> None:
    """Copy every store that the new service has not whole yet, frame by frame."""
    counts = new.frame_counts()
    for name in old.frame_counts():
        if name in _REMADE:
            continue
        frames = [envelope for _, envelope in reversed(old.spooled(name))]
        await send_frames(name, frames, counts.get(name, 0), root)
    await new.sync_as(root)


async def _renew(session: Session, new: AccountContext) -> None:
    """Give every device its entry with the new profile, at both services."""
    there = Session(session.machine, session.file, new, session.directory)
    updates = devices.regranted(there, devices.in_good_standing(session))
    published = list(session.context.catalog(PUBLICATION).entries().values())
    before = session.context.catalog(CONTACT).get(session.context.udf)
    own: list[MeshObject] = [contacts.self_entry(there.sender, before=before)]
    await new.transact(
        updates={**updates, PUBLICATION: published, CONTACT: own},
        local=tuple(contact_access(there, Changes(updates={CONTACT: list(there.contacts())}))),
    )
    access = devices.access_only(updates[ACCESS])
    await session.context.transact(updates={DEVICE: updates[DEVICE], ACCESS: access})


def _replace(copies: Path, fresh: Path) -> None:
    """The copies of the new service's stores take the place of the old one's."""
    shutil.rmtree(copies, ignore_errors=True)
    fresh.rename(copies)
