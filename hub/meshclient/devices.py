"""Devices of an account: how this machine joins one, and how an administrator takes others in and out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from mathmesh.codec import udf, uri
from mathmesh.errors import PolicyError, StoreError, VerificationError
from mathmesh.keys import earl
from mathmesh.messaging import connect
from mathmesh.messaging import contact as contacts
from mathmesh.messaging.connect import NewDevice, Requested
from mathmesh.messaging.granting import canonical_roles
from mathmesh.schema.build import make_preconfiguration_private, make_publication
from mathmesh.schema.build.grants import KEYS, STORES
from mathmesh.schema.build.machine import make_cataloged_preconfigured
from mathmesh.schema.capability import AccessCapability
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedDevice
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.machine import CatalogedPending, CatalogedPreconfigured
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.message_connection import DEVICE as DEVICE_ACTION
from mathmesh.schema.message_connection import AcknowledgeConnection, RequestConnection
from mathmesh.schema.preconfiguration import DevicePreconfigurationPrivate
from mathmesh.schema.signed import envelope_of, object_in
from mathmesh.schema.validation import verify_cataloged_device, verify_profile_device
from mathmesh.schema.verify import VerifiedAcknowledgement, VerifiedResponse, verify_acknowledge_connection
from mathmesh.service import messages as wire
from mathmesh.service.client import converse, transact
from mathmesh.stores import ACCESS, CONTACT, DEVICE, PUBLICATION
from mathmesh.types import Entropy
from meshclient import inbox
from meshclient.account_keys import COMMON, AccountSeed, GrantedKeys, SeedKeys
from meshclient.applications import granting
from meshclient.context import Clock
from meshclient.context_file import DEVICE as CONNECTED
from meshclient.context_file import PENDING, PRECONFIGURED, ContextFile, ContextKeys
from meshclient.inbox import Item
from meshclient.machine import Machine
from meshclient.session import ServiceDirectory, Session, root_credentials

PIN_OCTETS = 15
PIN_LIFE = timedelta(days=1)


# -- this machine joins --------------------------------------------------------------------------
async def request_connection(
    machine: Machine,
    account: str,
    directory: ServiceDirectory,
    *,
    pin: str | None = None,
    roles: Sequence[str] = (),
    entropy: Entropy,
    clock: Clock,
    local_name: str | None = None,
) -> Requested:
    """Ask for this machine's connection to `account`: an address, or the URI that its administrator shows."""
    address, used = connect.parse_invitation(account, pin)
    device = NewDevice.fresh(entropy, clock())
    conversation = connect.request(device, address, used, roles, entropy=entropy, now=clock())
    requested = await converse(directory.stranger(address), conversation)
    machine.add(
        ContextKeys(
            kind=PENDING,
            id=device.profile.udf,
            address=address,
            device_seed=device.seed,
            device_created=device.created,
            local_name=local_name,
            entry=requested.pending,
            request=requested.request,
            pin=used,
        )
    )
    return requested


def install(machine: Machine, medk: Path, *, now: datetime) -> ContextFile:
    """Install a preconfiguration, the file that its maker wrote for this device."""
    private = DevicePreconfigurationPrivate.decode(medk.read_bytes())
    key = (private.private_key or {}).get("PrivateKeyUDF") or {}
    seed = str(key.get("PrivateValue", ""))
    profile_envelope = envelope_of(private.enveloped_profile_device, "EnvelopedProfileDevice")
    stated = verify_profile_device(profile_envelope, now=now)
    device = NewDevice(seed=seed, created=stated.updated or now)
    if device.profile_envelope.body != profile_envelope.body:
        raise VerificationError(f"{medk}: the profile does not follow from the seed in the file")
    entry = make_cataloged_preconfigured(private)
    return machine.add(
        ContextKeys(
            kind=PRECONFIGURED,
            id=device.profile.udf,
            address=entry.account_address or "",
            device_seed=seed,
            device_created=device.created,
            entry=entry,
        )
    )


async def complete(
    machine: Machine, file: ContextFile, directory: ServiceDirectory, *, clock: Clock
) -> tuple[VerifiedResponse, ContextFile | None] | None:
    """Fetch the answer to this machine's request, or to the claim of it; None while there is none.

    With an acceptance the machine is a device of the account from then on.
    """
    keys = file.keys
    device = NewDevice(seed=keys.device_seed, created=keys.device_created)
    address = keys.address
    if isinstance(keys.entry, CatalogedPending) and keys.request is not None:
        conversation = connect.complete(device, keys.entry, keys.request, keys.pin, now=clock())
    elif isinstance(keys.entry, CatalogedPreconfigured):
        claim = await converse(directory.stranger(address), connect.poll_claim(keys.entry, now=clock()))
        if claim is None:
            return None
        address = uri.account_address(claim.sender or "")
        conversation = connect.complete_claim(device, claim, now=clock())
    else:
        raise StoreError(f"the key file {file.path} is of no connection that waits")
    answer = await converse(directory.stranger(address), conversation)
    if answer is None:
        return None
    if answer.device is None:
        machine.remove(file)
        return answer, None
    entry = answer.device.entry
    account_udf = answer.device.profile_user.udf
    GrantedKeys(keys.device_seed, keys.device_created, entry, account_udf, clock())
    made = machine.add(
        ContextKeys(
            kind=CONNECTED,
            id=account_udf,
            address=address,
            device_seed=keys.device_seed,
            device_created=keys.device_created,
            local_name=keys.local_name,
            entry=entry,
        )
    )
    machine.remove(file)
    return answer, made


def own_witness(file: ContextFile) -> str:
    """The witness of this machine's request, for comparison with what the administrator sees."""
    entry = file.keys.entry
    if not isinstance(entry, CatalogedPending):
        raise PolicyError("a preconfigured device has no witness")
    envelope = envelope_of(entry.enveloped_acknowledge_connection, "EnvelopedAcknowledgeConnection")
    return object_in(envelope, AcknowledgeConnection).witness or ""


# -- the administrator ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class PendingDevice:
    """A request for connection that waits for an answer."""

    item: Item
    acknowledged: VerifiedAcknowledgement


async def pending(session: Session) -> list[PendingDevice]:
    """The requests that wait, the newest first; what does not hold up to verification is left out."""
    view = await inbox.inbound(session)
    found = []
    for item in view.of_kind(AcknowledgeConnection):
        if item.is_open:
            try:
                found.append(PendingDevice(item=item, acknowledged=await acknowledged(session, item)))
            except (VerificationError, PolicyError):
                continue
    return found


async def acknowledged(session: Session, item: Item) -> VerifiedAcknowledgement:
    """The verified request in a message, with the PIN that the device proved to know."""
    message = item.message
    pin = None
    enclosed = message.enveloped_request_connection if isinstance(message, AcknowledgeConnection) else None
    request = object_in(envelope_of(enclosed, "EnvelopedRequestConnection"), RequestConnection)
    if request.pin_id is not None:
        pin = await inbox.find_pin(session, request.pin_id, DEVICE_ACTION)
    return verify_acknowledge_connection(
        item.envelope,
        account=session.context.profile_user,
        service=session.context.service_profile,
        now=session.now,
        keyring=item.keyring,
        pin=pin,
    )


async def accept(
    session: Session, request: VerifiedAcknowledgement, roles: Sequence[str], local_name: str | None = None
) -> CatalogedDevice:
    """Take the device of a verified request into the account."""
    entry, changes = connect.accept(
        session.administrator, request, canonical_roles(roles), local_name=local_name
    )
    await session.apply(changes)
    await granting.regrant(session)
    return entry


async def reject(session: Session, request: VerifiedAcknowledgement) -> None:
    """Refuse the device of a verified request."""
    await session.apply(connect.reject(session.sender, request))


async def issue_pin(
    session: Session,
    roles: Sequence[str],
    *,
    octets: int = PIN_OCTETS,
    life: timedelta = PIN_LIFE,
    automatic: bool = True,
) -> tuple[str, str, datetime]:
    """A PIN for a device that is to have `roles`: the PIN, its URI and when it ends."""
    session.context.administrator  # noqa: B018 - refused before anything is written
    expires = (session.now + life).replace(microsecond=0)
    pin, changes = connect.issue_pin(
        session.sender, canonical_roles(roles), octets=octets, expires=expires, automatic=automatic
    )
    await session.apply(changes)
    return pin, uri.mcu(session.address, pin), expires


async def claim(
    session: Session, code: str, roles: Sequence[str], local_name: str | None = None
) -> CatalogedDevice:
    """Connect the device whose label shows `code`."""
    maker, _ = uri.parse_mcu(code)
    administrator = session.administrator
    named = canonical_roles(roles)
    result = await session.context.claim(code, session.directory.stranger(maker))
    entry, access = administrator.connect(result.profile_envelope, named, local_name=local_name)
    await session.context.transact(updates={DEVICE: [entry], ACCESS: access})
    await granting.regrant(session)
    return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Preconfigured:
    """A device that was made: what goes into it, and the code for its label."""

    device_udf: str
    connect_uri: str = field(repr=False)
    private: DevicePreconfigurationPrivate = field(repr=False)


async def preconfigure(session: Session, hailing: Sequence[str]) -> Preconfigured:
    """Make a device, and publish what its label opens in this account, its maker's."""
    now, entropy = session.now, session.context.entropy
    device = NewDevice.fresh(entropy, now)
    secret = earl.connect_secret(device.seed, session.address)
    address = uri.mcu(session.address, udf.text(udf.ENCRYPTION, secret))
    private = make_preconfiguration_private(
        device.seed,
        device.profile_envelope,
        address,
        hailing,
        now,
        maker_profile=session.context.profile_envelope,
        administrator=session.context.administrator,
    )
    publication = make_publication(secret, None, device.profile_envelope, hailing, entropy, now)
    await session.context.update(PUBLICATION, [publication])
    return Preconfigured(device_udf=device.profile.udf, connect_uri=address, private=private)


def listed(session: Session) -> Iterable[CatalogedDevice]:
    """The devices of the account."""
    for entry in session.context.catalog(DEVICE).entries().values():
        if isinstance(entry, CatalogedDevice):
            yield entry


def roles_of(session: Session, entry: CatalogedDevice) -> tuple[str, ...]:
    """The roles of a device, as its verified connection states them."""
    verified = verify_cataloged_device(entry, session.context.profile_user)
    return tuple(verified.connection_device.roles or ())


def find(session: Session, name: str) -> CatalogedDevice:
    """The device with a UDF or a friendly name; PolicyError for none or several."""
    found = [
        entry
        for entry in listed(session)
        if same_udf(entry.device_udf, name) or (entry.local_name or "").lower() == name.lower()
    ]
    if len(found) != 1:
        raise PolicyError(f"there {'are several devices' if found else 'is no device'} {name}")
    return found[0]


async def delete(session: Session, entry: CatalogedDevice) -> tuple[str, ...]:
    """Take a device out of the account; its roles are returned.

    Its access and the service's shares for it end at once. The keys that it had whole, of stores and of the
    account, are renewed on a machine with the account's seed; the devices that remain and the contacts are
    given the new ones. SSH keys that it had are renewed on any administrator's machine.
    """
    if same_udf(entry.device_udf, session.context.device.profile.udf):
        raise PolicyError("this is the device that you are using; remove it from another one")
    roles = roles_of(session, entry)
    await granting.renew(session, entry)
    changes = connect.removal(entry, list(_access(session)))
    stores = sorted({store for role in roles for store in STORES.get(role, ())})
    if not stores or not isinstance(session.context.keys, SeedKeys):
        await session.apply(changes)
        return roles
    common = any(KEYS.get(role) for role in roles)
    renewed = _renewed(session, session.context.keys.seeds, stores, common=common)
    remaining = [one for one in listed(session) if not same_udf(one.device_udf, entry.device_udf)]
    if common:
        await _rebind(session, renewed)
    with session.context.provisional_keys(SeedKeys(renewed)):
        updates = regranted(session, [(one, roles_of(session, one)) for one in remaining])
        updates[ACCESS] = [*changes.updates[ACCESS], *updates[ACCESS]]
        if common:
            before = session.context.catalog(CONTACT).get(session.context.udf)
            updates[CONTACT] = [contacts.self_entry(session.sender, before=before)]
        await session.context.transact(updates=updates, deletes=changes.deletes)
    session.file.save(replace(session.file.keys, seeds=renewed))
    for told in contacts.news(session.sender, session.contacts()) if common else ():
        await session.apply(told)
    return roles


def _renewed(session: Session, seeds: AccountSeed, stores: Sequence[str], *, common: bool) -> AccountSeed:
    """`seeds` after the renewal."""
    names = [*stores, COMMON] if common else stores
    renewals = {**seeds.renewals, **{name: seeds.renewals.get(name, 0) + 1 for name in names}}
    created = session.now.replace(microsecond=0) if common else seeds.created
    if common and created <= seeds.created:
        created = seeds.created + timedelta(seconds=1)
    return replace(seeds, renewals=renewals, created=created)


async def _rebind(session: Session, renewed: AccountSeed) -> None:
    """Give the service the account's new profile. Interrupted after this, the next sync finds it there."""
    seeds = session.seed_keys.seeds
    request = wire.BindRequest(
        account_address=session.address, enveloped_profile_account=SeedKeys(renewed).profile_envelope
    )
    root = session.directory.caller(session.address, root_credentials(seeds))
    await transact(root, request, wire.BindResponse)


async def change_roles(session: Session, entry: CatalogedDevice, roles: Sequence[str]) -> None:
    """Give a device other roles; it learns of them when it syncs. Keys that it has had it may still know."""
    await session.context.transact(updates=regranted(session, [(entry, canonical_roles(roles))]))
    await granting.regrant(session)


def regranted(
    session: Session, devices: Sequence[tuple[CatalogedDevice, Sequence[str]]]
) -> dict[str, list[MeshObject]]:
    """What to write to give devices what their roles grant now, shares of the service's included."""
    administrator = session.administrator
    present = list(_access(session))
    entries: list[MeshObject] = []
    access: list[MeshObject] = []
    for device, roles in devices:
        made, granted = administrator.regrant(device, roles)
        entries.append(made)
        access += [*connect.withdrawn_shares(device, present), *granted]
    return {DEVICE: entries, ACCESS: access}


def access_only(entries: Iterable[MeshObject]) -> list[MeshObject]:
    """Of entries of MMM_Access, those that let devices in, without shares."""
    return [
        one
        for one in entries
        if isinstance(one, CatalogedAccess) and isinstance(one.capability, AccessCapability)
    ]


def _access(session: Session) -> Iterable[CatalogedAccess]:
    for entry in session.context.catalog(ACCESS).entries().values():
        if isinstance(entry, CatalogedAccess):
            yield entry
