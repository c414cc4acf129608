"""One account in the hands of a program on this machine: its context, and who it is to others.

A `ServiceDirectory` finds services and speaks to them; this module knows no network.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError
from mathmesh.keys import derive
from mathmesh.messaging import contact as contacts
from mathmesh.messaging.connect import Administrator
from mathmesh.messaging.effects import Changes
from mathmesh.messaging.granting import Granter
from mathmesh.messaging.sender import Sender
from mathmesh.schema.build.capability import Service
from mathmesh.schema.build.enveloped import enveloped, no_entropy, seconds
from mathmesh.schema.build.message_access import make_contact_access
from mathmesh.schema.build.profile import ACCOUNT
from mathmesh.schema.cataloged import CatalogedContact, CatalogedDevice
from mathmesh.schema.connection import ConnectionDevice
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.profile import ProfileAccount, ProfileUser
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal, Transport
from mathmesh.service.credentials import Credentials
from mathmesh.stores import CATALOGS, CONTACT
from mathmesh.types import Entropy
from meshclient.account_keys import (
    AccountKeys,
    AccountSeed,
    GrantedKeys,
    SeedKeys,
    encryption_key,
    with_profile,
    with_renewals,
)
from meshclient.context import AccountContext, Clock
from meshclient.context_file import ContextFile
from meshclient.machine import ACCOUNT as COPIES
from meshclient.machine import Machine, account_keys


class ServiceDirectory(Protocol):
    """Finds the service of an account's domain and speaks to it."""

    def stranger(self, address: str) -> Transport:
        """The public operations of the service of the account `address`."""

    def caller(self, address: str, credentials: Credentials) -> Transport:
        """The service of the account `address`, as the holder of `credentials`."""

    def known_domains(self) -> Iterable[str]:
        """The domains whose services are known on this machine, without asking anybody."""

    async def close(self) -> None:
        """Close all connections."""


class Session:
    """An open account. Made by `opened`."""

    def __init__(
        self, machine: Machine, file: ContextFile, context: AccountContext, directory: ServiceDirectory
    ) -> None:
        self.machine = machine
        self.file = file
        self.context = context
        self.directory = directory

    @property
    def address(self) -> str:
        """The account's address."""
        return self.context.address

    @property
    def now(self) -> datetime:
        """The time of this machine."""
        return self.context.now

    @property
    def sender(self) -> Sender:
        """The account as one that sends messages; PolicyError without the right to sign them."""
        return Sender(
            profile=self.context.profile_user,
            profile_envelope=self.context.profile_envelope,
            signature=self.context.signature,
            entropy=self.context.entropy,
            now=self.now,
        )

    @property
    def administrator(self) -> Administrator:
        """The account as one that connects devices; PolicyError where this device is no administrator."""
        return Administrator(
            sender=self.sender,
            signature=self.context.administrator,
            granter=granter(self.context.keys),
            service=Service(
                address=self.address,
                host_key=self.context.host_key,
                administrator=self.context.administrator,
            ),
        )

    @property
    def seed_keys(self) -> SeedKeys:
        """The account's seed; PolicyError on a machine that does not hold it."""
        if not isinstance(self.context.keys, SeedKeys):
            raise PolicyError(
                "this needs the account's seed: do it on its first administrator's machine, or on one made "
                "with `meshman account recover`"
            )
        return self.context.keys

    def introduced(self) -> Credentials:
        """This device as a caller at the service of another account, which does not know it."""
        credentials = device_credentials(self.context.keys, self.now)
        return replace(credentials, profile=self.context.profile_envelope, service_udf=None)

    def contacts(self) -> Collection[MeshObject]:
        """The entries of MMM_Contact."""
        return self.context.catalog(CONTACT).entries().values()

    def account_at(self, name: str) -> ProfileAccount | None:
        """The verified profile of this account or of a contact, by address or UDF."""
        if name.lower() in (self.address, self.context.udf.lower()):
            return self.context.profile_user
        return contacts.account_at(self.contacts(), name, self.now)

    def user_at(self, name: str) -> ProfileUser:
        """The verified profile of a contact that is a person's; PolicyError when there is none."""
        profile = self.account_at(name)
        if not isinstance(profile, ProfileUser):
            raise PolicyError(f"{name} is not among the contacts; exchange contacts first")
        return profile

    async def sync(self) -> None:
        """Bring this machine's copies up to the service's, and learn of keys that were renewed.

        Raises PolicyError when this device was taken out of the account or the service has no such account,
        Diverged when the service was set back to an old state.
        """
        try:
            await self.context.sync()
        except ServiceRefusal as refusal:
            if refusal.status_extended == wire.ABSENT and self.context.frame_counts():
                text = f"its service does not have {self.address} any more: the account was deleted there, or"
                text += " the service was set back to an old state. Nothing is lost here:"
                text += " `meshman account sync --repair` makes the account there again"
                raise PolicyError(text) from refusal
            if refusal.status_extended != wire.DEVICE_REVOKED:
                raise
            self.file.save(replace(self.file.keys, ended=True))
            raise PolicyError(
                f"this device was revoked: it is none of {self.address} any more; "
                "ask for its connection anew with `meshman device request`"
            ) from refusal
        self.take_renewals()

    def take_renewals(self) -> None:
        """On a machine with the account's seed, find the store keys that another one has renewed."""
        keys = self.context.keys
        if not isinstance(keys, SeedKeys):
            return
        newest = {name: frames[0][1].kids for name in CATALOGS if (frames := self.context.spooled(name))}
        seeds = with_renewals(keys.seeds, newest)
        profile = self.context.newer_profile()
        if profile is not None:
            seeds = with_profile(seeds, profile)
        if seeds is not keys.seeds:
            self.file.save(replace(self.file.keys, seeds=seeds))
            self.context.change_keys(SeedKeys(seeds))

    async def apply(self, changes: Changes) -> None:
        """Make the changes of one step, all or nothing. The service is told whom the account hears now."""
        await self.context.transact(
            changes.updates,
            changes.deletes,
            (*changes.local, *contact_access(self, changes)),
            changes.inbound,
            outbound=changes.outbound,
            accounts=changes.accounts,
        )


@contextmanager
def opened(
    machine: Machine, file: ContextFile, directory: ServiceDirectory, *, entropy: Entropy, clock: Clock
) -> Iterator[Session]:
    """Work with an account of this machine; its service is not asked yet."""
    with machine.locked(file):
        file = ContextFile.open(file.path)
        context = _context(file, directory, entropy, clock)
        try:
            yield Session(machine, file, context, directory)
        finally:
            context.close()


def _context(
    file: ContextFile, directory: ServiceDirectory, entropy: Entropy, clock: Clock
) -> AccountContext:
    keys = account_keys(file, clock())

    def renewed(entry: CatalogedDevice, digest: str) -> AccountKeys:
        before = file.keys
        made = GrantedKeys(before.device_seed, before.device_created, entry, before.id, clock())
        address = (made.profile.account_address or "").lower()
        file.save(replace(before, entry=entry, digest=digest, address=address))
        if address != before.address:
            shutil.rmtree(file.folder / COPIES)
            raise PolicyError(f"the account has moved from {before.address} to {address}; repeat this")
        return made

    return AccountContext(
        accounts=file.folder / COPIES,
        keys=keys,
        transport=directory.caller(file.keys.address, device_credentials(keys, clock())),
        entropy=entropy,
        clock=clock,
        device_digest=file.keys.digest,
        on_renewal=renewed if isinstance(keys, GrantedKeys) else None,
    )


def contact_access(session: Session, changes: Changes) -> Iterator[Envelope]:
    """What the service is to know of contacts that come, and of those that go; nothing on a device that may
    not sign for the account.
    """
    if session.context.keys.signature is None:
        return
    entries = list(session.contacts())
    gone = [entry for key in changes.deletes.get(CONTACT, ()) for entry in entries if _key(entry) == key]
    for active, found in ((False, gone), (True, changes.updates.get(CONTACT, ()))):
        for entry, source in contacts.sources(found, session.now):
            for account in () if entry.is_self else source.profiles:
                if isinstance(account, ProfileUser):
                    yield _access(session, account, active=active)


def _key(entry: MeshObject) -> str | None:
    return entry.key if isinstance(entry, CatalogedContact) else None


def _access(session: Session, account: ProfileUser, *, active: bool) -> Envelope:
    sender = session.sender
    return make_contact_access(
        account.account_address or "",
        account.udf,
        active=active,
        sender=sender.address,
        recipients=[session.context.host_key, sender.encryption],
        signer=sender.signature,
        entropy=sender.entropy,
        now=sender.now,
    )


def device_credentials(keys: AccountKeys, now: datetime) -> Credentials:
    """This device as a caller. An administrator states its connection itself, a connected device shows the
    one that it was given.
    """
    connection: Envelope | None = None
    if isinstance(keys, GrantedKeys):
        connection = keys.entry.enveloped_connection_device
    elif keys.administrator is not None:
        stated = ConnectionDevice(
            updated=seconds(now),
            profile_udf=keys.profile.udf,
            authentication=KeyData.of_public(keys.device.authentication.public),
            roles=keys.roles,
            signature=KeyData.of_public(keys.device.signature.public),
            encryption=KeyData.of_public(keys.device.encryption.public),
        )
        connection = enveloped(stated, entropy=no_entropy, now=now, signer=keys.administrator, json_b=True)
    return Credentials(
        account=(keys.profile.account_address or "").lower(),
        authentication=keys.device.authentication,
        signature=keys.device.signature,
        encryption=keys.device.encryption,
        connection=connection,
        service_udf=keys.profile.service_udf,
    )


def root_credentials(seeds: AccountSeed) -> Credentials:
    """The account itself as a caller at its own service."""
    return account_credentials(seeds.address, seeds.seed, seeds.service_udf, renewal=seeds.common)


def account_credentials(
    address: str, seed: str, service_udf: str | None = None, *, renewal: int = 0
) -> Credentials:
    """The account with `seed` itself as a caller: its administrator signs, since devices that may not
    administer it have its other keys. `service_udf` is the only service that is sent anything, `renewal`
    tells which key the service encrypts its answers to.
    """
    return Credentials(
        account=address,
        authentication=derive.derive_key(seed, ACCOUNT + "Authenticate"),
        signature=derive.derive_key(seed, ACCOUNT + "AdminSign"),
        encryption=encryption_key(seed, renewal),
        service_udf=service_udf,
    )


def granter(keys: AccountKeys) -> Granter:
    """What this machine can grant to a device."""
    if isinstance(keys, SeedKeys):
        seed = keys.seeds.seed
        operations = {
            "authentication": "Authenticate",
            "administrator_signature": "AdminSign",
            "profile_signature": "Profile",
        }
        account = {
            member: derive.derive_key(seed, ACCOUNT + operation) for member, operation in operations.items()
        }
        newest, *former = keys.encryption
        return Granter(
            store_keys=keys.store_keys,
            name_secret=keys.name_secret,
            account={**account, "encryption": newest, "signature": keys.signature},
            former=former,
        )
    if isinstance(keys, GrantedKeys):
        return Granter(
            store_keys=keys.store_keys,
            name_secret=keys.name_secret,
            account=keys.whole_account_keys(),
            former=keys.former,
        )
    raise PolicyError("this device cannot grant anything")
