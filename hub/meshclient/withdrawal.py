"""Taking devices out of an account and rights from them (mesh-schema §7, §8; protocol book, "Removal").

The service refuses a device at once. The keys that it had whole, of stores and of the account, it may have
kept: they are renewed on a machine with the account's seed, and those that may have them are given the new
ones. Another administrator leaves a note in MMM_Access of the keys that are to be renewed; `finish` does it
when a machine with the seed syncs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mathmesh.errors import PolicyError
from mathmesh.keys import ids
from mathmesh.messaging import connect
from mathmesh.messaging import contact as contacts
from mathmesh.messaging.granting import canonical_roles
from mathmesh.schema.build.grants import KEYS, STORES
from mathmesh.schema.capability import NullCapability
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedDevice
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.service import messages as wire
from mathmesh.service.client import transact
from mathmesh.stores import ACCESS, CATALOGS, CONTACT, SPOOLS
from meshclient.account_keys import COMMON, AccountSeed, SeedKeys
from meshclient.applications import granting, renewal
from meshclient.devices import Standing, access_entries, in_good_standing, listed, regranted, standing
from meshclient.session import Session, root_credentials

RENEW = "MeshRenew"
"""Extension member of a NullCapability of ours: the stores whose keys are to be renewed, and COMMON for the
account's own keys (protocol book, "Removal").
"""

Updates = Mapping[str, Sequence[MeshObject]]


async def delete(session: Session, entry: CatalogedDevice) -> Standing:
    """Take a device out of the account; what it was in it is returned.

    Its access and the service's shares for it end at once. The other devices and the contacts are given the
    keys that take the place of those that it had; SSH and VPN keys that it had are renewed
    too.
    """
    if same_udf(entry.device_udf, session.context.device.profile.udf):
        raise PolicyError("this is the device that you are using; remove it from another one")
    removed = standing(session, entry)
    await renewal.renew(session, entry)
    changes = connect.removal(entry, list(access_entries(session)))
    remaining = [one for one in in_good_standing(session) if one.entry.device_udf != entry.device_udf]
    await _write(session, keys_of(removed.roles), remaining, updates=changes.updates, deletes=changes.deletes)
    return removed


async def change_roles(
    session: Session, entry: CatalogedDevice, roles: Sequence[str], expires: datetime | None = None
) -> bool:
    """Give a device other roles, until `expires`; it learns of them when it syncs.

    The keys that it loses are renewed; whether there are such is returned.
    """
    before = standing(session, entry)
    after = replace(before, roles=canonical_roles(roles), expires=expires)
    lost = keys_of(before.roles) - keys_of(after.roles)
    await renewal.renew(session, entry, after.roles)
    devices = [
        after if one.entry.device_udf == entry.device_udf else one
        for one in in_good_standing(session)
        if lost or one.entry.device_udf == entry.device_udf
    ]
    if before.has_ended(session.now):
        devices.append(after)
    await _write(session, lost, devices, changed=[after])
    await granting.regrant(session)
    return bool(lost)


async def finish(session: Session) -> bool:
    """On a machine with the account's seed, renew the keys that other administrators left to be renewed;
    whether there were any is returned.
    """
    notes = list(_notes(session))
    if not notes or not isinstance(session.context.keys, SeedKeys):
        return False
    owed = {name for one in notes for name in _named(one)}
    deletes = {ACCESS: [one.id or "" for one in notes]}
    await _write(session, owed, in_good_standing(session), deletes=deletes)
    return True


async def delete_ended(session: Session) -> list[Standing]:
    """Take out the devices whose rights have ended."""
    found = [standing(session, entry) for entry in listed(session)]
    own = session.context.device.profile.udf
    ended = [one for one in found if one.has_ended(session.now) and not same_udf(one.entry.device_udf, own)]
    return [await delete(session, one.entry) for one in ended]


def keys_of(roles: Iterable[str]) -> frozenset[str]:
    """What a device with `roles` has whole: the stores whose keys it has, and COMMON for the account's own
    keys.
    """
    named = tuple(roles)
    stores = {store for role in named for store in STORES.get(role, ())}
    return frozenset(stores | ({COMMON} if any(KEYS.get(role) for role in named) else set()))


async def _write(
    session: Session,
    lost: Collection[str],
    devices: Sequence[Standing],
    *,
    changed: Sequence[Standing] = (),
    updates: Updates | None = None,
    deletes: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Make a change after which the keys `lost` must be new ones, which `devices` are given.

    Where the seed is not at hand only the devices in `changed` are written, and a note of `lost`.
    """
    keys = session.context.keys
    if lost and isinstance(keys, SeedKeys):
        await _renew(session, keys.seeds, lost, devices, updates or {}, deletes or {})
        return
    written = regranted(session, changed) if changed else {}
    notes: list[MeshObject] = [_note(session, lost)] if lost else []
    written[ACCESS] = [*(updates or {}).get(ACCESS, ()), *written.get(ACCESS, ()), *notes]
    await session.context.transact(updates=written, deletes=deletes)


async def _renew(
    session: Session,
    seeds: AccountSeed,
    lost: Collection[str],
    devices: Sequence[Standing],
    updates: Updates,
    deletes: Mapping[str, Sequence[str]],
) -> None:
    renewed = _renewed(session, seeds, lost)
    common = COMMON in lost
    if common:
        await _rebind(session, renewed)
    with session.context.provisional_keys(SeedKeys(renewed)):
        written = regranted(session, devices)
        written[ACCESS] = [*updates.get(ACCESS, ()), *written[ACCESS]]
        if common:
            before = session.context.catalog(CONTACT).get(session.context.udf)
            written[CONTACT] = [contacts.self_entry(session.sender, before=before)]
        await session.context.transact(updates=written, deletes=deletes)
    session.file.save(replace(session.file.keys, seeds=renewed))
    for told in contacts.news(session.sender, session.contacts()) if common else ():
        await session.apply(told)


def _renewed(session: Session, seeds: AccountSeed, lost: Collection[str]) -> AccountSeed:
    """`seeds` after the renewal; a newer profile is one of a later second."""
    renewals = {**seeds.renewals, **{name: seeds.renewals.get(name, 0) + 1 for name in sorted(lost)}}
    if COMMON not in lost:
        return replace(seeds, renewals=renewals)
    created = max(session.now.replace(microsecond=0), seeds.created + timedelta(seconds=1))
    return replace(seeds, renewals=renewals, created=created)


async def _rebind(session: Session, renewed: AccountSeed) -> None:
    """Give the service the account's new profile. Interrupted after this, the next sync finds it there."""
    seeds = session.seed_keys.seeds
    request = wire.BindRequest(
        account_address=session.address, enveloped_profile_account=SeedKeys(renewed).profile_envelope
    )
    root = session.directory.caller(session.address, root_credentials(seeds))
    await transact(root, request, wire.BindResponse)


def _note(session: Session, lost: Collection[str]) -> CatalogedAccess:
    name = ids.nonce_id(session.context.entropy)
    return CatalogedAccess(capability=NullCapability(id=name, active=False, unknown={RENEW: sorted(lost)}))


def _notes(session: Session) -> Iterable[NullCapability]:
    for entry in access_entries(session):
        if isinstance(entry.capability, NullCapability) and RENEW in entry.capability.unknown:
            yield entry.capability


def _named(note: NullCapability) -> Iterable[str]:
    names = note.unknown[RENEW]
    known = (*CATALOGS, *SPOOLS, COMMON)
    return [name for name in names if name in known] if isinstance(names, list) else []
