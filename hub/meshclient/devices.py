"""Devices of an account: how this machine joins one, and how an administrator takes others in and out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from mathmesh.codec import udf, uri
from mathmesh.errors import PolicyError, StoreError, VerificationError
from mathmesh.keys import earl
from mathmesh.messaging import connect
from mathmesh.messaging.connect import NewDevice, Requested
from mathmesh.messaging.granting import canonical_roles
from mathmesh.schema.build import make_preconfiguration_private, make_publication
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
from mathmesh.service.client import converse
from mathmesh.stores import ACCESS, DEVICE, PUBLICATION
from mathmesh.types import Entropy
from meshclient import inbox
from meshclient.account_keys import GrantedKeys
from meshclient.applications import granting
from meshclient.context import Clock
from meshclient.context_file import DEVICE as CONNECTED
from meshclient.context_file import PENDING, PRECONFIGURED, ContextFile, ContextKeys
from meshclient.inbox import Item
from meshclient.machine import Machine
from meshclient.session import ServiceDirectory, Session

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
    if any(one.keys.connected and one.keys.address == address for one in _in_now(machine, clock())):
        raise PolicyError(f"this machine is in the account {address} already; see `meshman account list`")
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
    for former in machine.contexts():
        if former.keys.id == account_udf and former.keys.has_ended(clock()):
            machine.remove(former)
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


def _in_now(machine: Machine, now: datetime) -> Iterable[ContextFile]:
    return (one for one in machine.contexts() if not one.keys.has_ended(now))


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
    session: Session,
    request: VerifiedAcknowledgement,
    roles: Sequence[str],
    local_name: str | None = None,
    *,
    expires: datetime | None = None,
) -> CatalogedDevice:
    """Take the device of a verified request into the account, with rights that end at `expires`."""
    entry, changes = connect.accept(
        session.administrator, request, canonical_roles(roles), local_name=local_name, expires=expires
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
    session: Session,
    code: str,
    roles: Sequence[str],
    local_name: str | None = None,
    *,
    expires: datetime | None = None,
) -> CatalogedDevice:
    """Connect the device whose label shows `code`, with rights that end at `expires`."""
    maker, _ = uri.parse_mcu(code)
    administrator = session.administrator
    named = canonical_roles(roles)
    result = await session.context.claim(code, session.directory.stranger(maker))
    entry, access = administrator.connect(
        result.profile_envelope, named, local_name=local_name, expires=expires
    )
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A device with its roles, and when these end."""

    entry: CatalogedDevice
    roles: tuple[str, ...]
    expires: datetime | None = None

    def has_ended(self, now: datetime) -> bool:
        """Whether the device has no rights any more."""
        return self.expires is not None and self.expires <= now


def standing(session: Session, entry: CatalogedDevice) -> Standing:
    """What a device may do, as its verified connection states it."""
    connection = verify_cataloged_device(entry, session.context.profile_user).connection_device
    key = connection.authentication
    return Standing(
        entry=entry,
        roles=tuple(connection.roles or ()),
        expires=key.not_on_or_after if key is not None else None,
    )


def in_good_standing(session: Session) -> list[Standing]:
    """The devices of the account whose rights have not ended."""
    found = [standing(session, entry) for entry in listed(session)]
    return [one for one in found if not one.has_ended(session.now)]


def roles_of(session: Session, entry: CatalogedDevice) -> tuple[str, ...]:
    """The roles of a device, as its verified connection states them."""
    return standing(session, entry).roles


def find(session: Session, name: str) -> CatalogedDevice:
    """The device with a UDF or a friendly name; PolicyError for none or several."""
    found = [
        entry
        for entry in listed(session)
        if same_udf(entry.device_udf, name) or (entry.local_name or "").lower() == name.lower()
    ]
    if len(found) != 1:
        many = "there are several devices" if found else "there is no device"
        raise PolicyError(f"{many} {name}; `meshman device list` tells their UDFs")
    return found[0]


def regranted(session: Session, devices: Iterable[Standing]) -> dict[str, list[MeshObject]]:
    """What to write to give devices what their roles grant now, shares of the service's included."""
    administrator = session.administrator
    present = list(access_entries(session))
    entries: list[MeshObject] = []
    access: list[MeshObject] = []
    for one in devices:
        made, granted = administrator.regrant(one.entry, one.roles, one.expires)
        entries.append(made)
        access += [*connect.withdrawn_shares(one.entry, present), *granted]
    return {DEVICE: entries, ACCESS: access}


def access_only(entries: Iterable[MeshObject]) -> list[MeshObject]:
    """Of entries of MMM_Access, those that let devices in, without shares."""
    return [
        one
        for one in entries
        if isinstance(one, CatalogedAccess) and isinstance(one.capability, AccessCapability)
    ]


def access_entries(session: Session) -> Iterable[CatalogedAccess]:
    """The entries of MMM_Access."""
    for entry in session.context.catalog(ACCESS).entries().values():
        if isinstance(entry, CatalogedAccess):
            yield entry
