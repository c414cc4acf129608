"""How an account comes to a machine as its administrator's: made new, or recovered from shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mathmesh.codec import uri
from mathmesh.errors import KeyUnavailableError, PolicyError, ProtocolError
from mathmesh.keys import derive
from mathmesh.messaging import contact as contacts
from mathmesh.schema.build.profile import ACCOUNT
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.contact import Contact
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.profile import ProfileService, ProfileUser
from mathmesh.schema.validation import verify_profile_service, verify_profile_user
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal, transact
from mathmesh.stores import ACCESS, CATALOGS, CONTACT, DEVICE
from mathmesh.threshold import recovery
from mathmesh.types import Entropy
from meshclient.account_keys import MAXIMUM_RENEWALS, AccountSeed, GrantedKeys, SeedKeys, with_profile
from meshclient.context import Clock
from meshclient.context_file import ADMINISTRATOR, ContextFile, ContextKeys
from meshclient.context_file import DEVICE as CONNECTED
from meshclient.machine import Machine
from meshclient.session import ServiceDirectory, Session, account_credentials, opened, root_credentials

ROLES = ("super", "admin", "web")
"""What the first device of an account is in it."""


class BindRefused(PolicyError):
    """The service does not take the account in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """An account that shares stand for; `address` is known where its service was asked."""

    seed: str = field(repr=False)
    udf: str
    address: str | None = None
    profile: ProfileUser | None = None


async def service_of(
    directory: ServiceDirectory, address: str
) -> tuple[ProfileService, wire.MeshHelloResponse]:
    """The verified profile of the service of an address, and what it says of itself."""
    hello = await transact(directory.stranger(address), wire.HelloRequest(), wire.MeshHelloResponse)
    if hello.enveloped_profile_service is None:
        raise ProtocolError("the service states no profile")
    return verify_profile_service(hello.enveloped_profile_service), hello


async def create_account(
    machine: Machine,
    address: str,
    directory: ServiceDirectory,
    *,
    entropy: Entropy,
    clock: Clock,
    local_name: str | None = None,
    device_name: str | None = None,
    contact: Contact | None = None,
    invitation: str | None = None,
) -> ContextFile:
    """Make a new account at `address`, with this machine as its first device and administrator.

    `invitation` is for a service that takes in only whom it invited. An account whose making was interrupted
    is finished; one that the service refuses leaves nothing behind. Raises PolicyError when the machine is in
    that account already.
    """
    address = uri.account_address(address)
    file = _unfinished(machine, address)
    if file is None:
        service, _ = await service_of(directory, address)
        now = clock().replace(microsecond=0)
        seeds = AccountSeed(
            address=address,
            seed=derive.new_seed(derive.PROFILE_ACCOUNT, entropy),
            device_seed=derive.new_seed(derive.PROFILE_DEVICE, entropy),
            activation=derive.new_seed(derive.ACTIVATION_ACCOUNT, entropy),
            created=now,
            service_udf=service.udf,
            roles=ROLES,
            device_created=now,
        )
        file = machine.add(_context_keys(seeds, local_name))
    try:
        with opened(machine, file, directory, entropy=entropy, clock=clock) as session:
            await bind(session, invitation)
            await _establish(session, contact, device_name)
            session.file.save(replace(session.file.keys, complete=True))
    except BindRefused:
        machine.remove(file)
        raise
    return file


async def delete_account(session: Session, address: str) -> None:
    """Let the service of `address` forget the account and all its stores; nothing of it can be read again.

    `address` is the account's, or a former one at another service from which it has moved.
    """
    seeds = session.seed_keys.seeds
    pin = seeds.service_udf if address == session.address else None
    root = session.directory.caller(
        address, account_credentials(address, seeds.seed, pin, renewal=seeds.common)
    )
    await transact(root, wire.UnbindRequest(account=address), wire.UnbindResponse)


def escrow(session: Session, quorum: int, shares: int) -> list[str]:
    """Shares of the account's seed, any `quorum` of which recover the account with all that it holds."""
    return recovery.share(session.seed_keys.seeds.seed, quorum, shares, session.context.entropy)


def purge(session: Session) -> None:
    """Remove the account's seed from this machine, which remains an administrator as it stands in the
    account's catalog; call it after a sync.

    Raises PolicyError on a machine without the seed, and while the account is being moved.
    """
    before, seeds = session.file.keys, session.seed_keys.seeds
    entry = session.context.catalog(DEVICE).get(session.context.device.profile.udf)
    if not isinstance(entry, CatalogedDevice):
        raise PolicyError("this machine is not among the account's devices; repeat `account sync`")
    if before.moving is not None:
        raise PolicyError("the account is being moved; finish that with `account rehost` first")
    keys = GrantedKeys(seeds.device_seed, before.device_created, entry, session.context.udf, session.now)
    if keys.administrator is None:
        raise PolicyError("this machine would be no administrator any more")
    session.file.save(replace(before, kind=CONNECTED, seeds=None, entry=entry))


def restore(shares: Sequence[str], expected: str | None = None) -> Restored:
    """The account that `shares` stand for; nobody is asked and nothing is written.

    Raises VerificationError when they do not belong together, or are not those of account `expected`.
    """
    found = recovery.recover(shares, expected=expected)
    if derive.seed_type(found.udf) != derive.PROFILE_ACCOUNT:
        raise PolicyError("the shares are those of another secret, not of an account")
    return Restored(seed=found.udf, udf=derive.derive_key(found.udf, ACCOUNT + "Profile").public.udf)


async def find_account(restored: Restored, address: str, directory: ServiceDirectory) -> Restored:
    """The account at the service of `address`: its profile, which must be that of the seed."""
    status = await _status(restored.seed, address, directory)
    if status.enveloped_profile_account is None:
        raise ProtocolError("the service states no profile of the account")
    profile = verify_profile_user(status.enveloped_profile_account)
    if profile.udf != restored.udf:
        raise PolicyError(f"the account at {address} is {profile.udf}, the shares are of {restored.udf}")
    return replace(restored, address=(profile.account_address or "").lower(), profile=profile)


async def _status(seed: str, address: str, directory: ServiceDirectory) -> wire.StatusResponse:
    """Ask as the account itself, whose key for answers may have been renewed any number of times."""
    for renewal in range(MAXIMUM_RENEWALS):
        root = directory.caller(address, account_credentials(address, seed, renewal=renewal))
        try:
            return await transact(root, wire.StatusRequest(), wire.StatusResponse)
        except KeyUnavailableError:
            continue
    raise KeyUnavailableError(f"the service answers {address} under a key that does not follow from the seed")


async def recover_account(
    machine: Machine,
    found: Restored,
    directory: ServiceDirectory,
    *,
    entropy: Entropy,
    clock: Clock,
    device_name: str | None = None,
) -> ContextFile:
    """Make this machine an administrator of the account that was found, with a device of its own."""
    profile, address = found.profile, found.address
    if profile is None or address is None or profile.updated is None:
        raise PolicyError("the account was not found at a service")
    seeds = AccountSeed(
        address=address,
        seed=found.seed,
        device_seed=derive.new_seed(derive.PROFILE_DEVICE, entropy),
        activation=derive.new_seed(derive.ACTIVATION_ACCOUNT, entropy),
        created=profile.updated,
        service_udf=profile.service_udf or "",
        roles=ROLES,
        device_created=clock().replace(microsecond=0),
    )
    seeds = with_profile(seeds, profile)
    file = _unfinished(machine, address) or machine.add(_context_keys(seeds, None))
    with opened(machine, file, directory, entropy=entropy, clock=clock) as session:
        if session.context.udf != found.udf:
            raise PolicyError("the profile at the service does not follow from the shares")
        root = directory.caller(address, root_credentials(seeds))
        await session.context.sync_as(root)
        session.take_renewals()
        await _establish(session, None, device_name)
        session.file.save(replace(session.file.keys, complete=True))
    return file


async def bind(session: Session, invitation: str | None) -> None:
    """Have the service take the account in, which it may have done already."""
    context = session.context
    bind = wire.BindRequest(
        account_address=context.address,
        enveloped_profile_account=context.profile_envelope,
        invitation=invitation,
    )
    root = session.directory.caller(context.address, root_credentials(session.seed_keys.seeds))
    try:
        await transact(root, bind, wire.BindResponse)
    except ServiceRefusal as refusal:
        raise BindRefused(str(refusal)) from refusal


async def _establish(session: Session, contact: Contact | None, device_name: str | None) -> None:
    """Begin the account's catalogs, and enter this device and the own contact, unless that was done."""
    context, seeds = session.context, session.seed_keys.seeds
    root = session.directory.caller(context.address, root_credentials(seeds))
    await context.sync_as(root)
    device = context.device
    if context.catalog(DEVICE).get(device.profile.udf) is not None:
        return
    entry, access = session.administrator.cataloged(
        device.profile_envelope, device.profile, seeds.activation, seeds.roles, local_name=device_name
    )
    updates: dict[str, list[MeshObject]] = {DEVICE: [entry], ACCESS: [*access]}
    if context.catalog(CONTACT).get(context.udf) is None:
        updates[CONTACT] = [contacts.self_entry(session.sender, contact)]
    await context.transact_as(root, updates, {}, begin=CATALOGS)


def _context_keys(seeds: AccountSeed, local_name: str | None) -> ContextKeys:
    return ContextKeys(
        kind=ADMINISTRATOR,
        id=SeedKeys(seeds).profile.udf,
        address=seeds.address,
        device_seed=seeds.device_seed,
        device_created=seeds.device_created or seeds.created,
        local_name=local_name,
        complete=False,
        seeds=seeds,
    )


def _unfinished(machine: Machine, address: str) -> ContextFile | None:
    for file in machine.contexts():
        if file.keys.address == address and file.keys.connected:
            if file.keys.complete or file.keys.seeds is None:
                raise PolicyError(f"this machine is in the account {address} already")
            return file
    return None
