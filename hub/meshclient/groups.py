"""Groups that an account administers: accounts of their own, whose keys lie in the founder's catalog."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError
from mathmesh.keys import derive, hkdf
from mathmesh.keys.keyring import Keyring, MemoryKeyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.messaging import group as groups
from mathmesh.messaging.group import GroupKeys
from mathmesh.schema.application import GROUP_KEY, CatalogedGroup
from mathmesh.schema.cataloged import CatalogedMember
from mathmesh.schema.profile import ProfileGroup
from mathmesh.schema.signed import envelope_of
from mathmesh.service import messages as wire
from mathmesh.service.client import transact
from mathmesh.service.credentials import Credentials
from mathmesh.stores import ACCESS, APPLICATION, MEMBER, PUBLICATION
from mathmesh.stores.catalog import name_secret
from mathmesh.threshold.key_share import KeyShare
from meshclient.account_setup import service_of
from meshclient.context import AccountContext
from meshclient.device_keys import DeviceKeys
from meshclient.session import Session

GROUP_STORES = (ACCESS, MEMBER, PUBLICATION)
COPIES = "groups"
_STORE = "mmm/group/store/"
_SCALAR_OCTETS = 56
_X448_SEED_OCTETS = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAccount:
    """The keys of a group's account, an `AccountKeys` without a device: the administrator acts as the
    group.
    """

    group: GroupKeys
    roles: tuple[str, ...] = ("admin",)
    shares: Mapping[str, KeyShare] = field(default_factory=dict)

    @property
    def profile_envelope(self) -> Envelope:
        """The group's profile, as signed."""
        return self.group.profile_envelope

    @property
    def profile(self) -> ProfileGroup:
        """The group's profile, verified."""
        return self.group.profile

    @property
    def device(self) -> DeviceKeys:
        """There is none."""
        raise PolicyError("a group has no devices")

    @property
    def administrator(self) -> PrivateKey:
        """The group's AdministratorSignature key."""
        return self.group.administrator

    @property
    def signature(self) -> PrivateKey | None:
        """A group signs no messages."""
        return None

    @property
    def keyring(self) -> Keyring:
        """The keys of the group's stores; not the group's own, with which members' files open."""
        return MemoryKeyring([self.store_key(store) for store in GROUP_STORES])

    def readable(self, store: str) -> bool:
        """The catalogs of a group."""
        return store in GROUP_STORES

    def store_key(self, store: str) -> PrivateKey:
        """The key of a store, which follows from the group's."""
        scalar = self.group.encryption.scalar.to_bytes(_SCALAR_OCTETS, "little")
        return PrivateKey.from_seed("X448", hkdf.hkdf(scalar, (_STORE + store).encode(), _X448_SEED_OCTETS))

    def recipient(self, store: str) -> PublicKey:
        """Its public key."""
        return self.store_key(store).public

    def name_secret(self, store: str) -> str | None:
        """As for other accounts."""
        return name_secret(self.store_key(store))


def listed(session: Session) -> Iterable[CatalogedGroup]:
    """The groups that the account administers."""
    for entry in session.context.catalog(APPLICATION).entries().values():
        if isinstance(entry, CatalogedGroup):
            yield entry


def address_of(entry: CatalogedGroup) -> str:
    """The address of a group."""
    return (entry.key or "").removeprefix(GROUP_KEY)


async def create(session: Session, address: str) -> str:
    """Make a group at `address`, which this account administers; the UDF of its profile.

    One whose founding was interrupted is finished.
    """
    address = uri.account_address(address)
    if not any(address_of(entry).lower() == address for entry in listed(session)):
        service, _ = await service_of(session.directory, address)
        seed = derive.new_seed(derive.PROFILE_ACCOUNT, session.context.entropy)
        _, changes = groups.create(session.sender, seed, address, service.udf)
        await session.apply(changes)
    keys = await _keys(session, address)
    root = session.directory.caller(address, _credentials(keys))
    bind = wire.BindRequest(account_address=address, enveloped_profile_account=keys.profile_envelope)
    await transact(root, bind, wire.BindResponse)
    async with opened(session, address) as context:
        await context.transact_as(root, {}, {}, begin=GROUP_STORES)
    return keys.profile.udf


@asynccontextmanager
async def opened(session: Session, address: str) -> AsyncIterator[AccountContext]:
    """The account of a group that this account administers, synced."""
    keys = await _keys(session, address)
    context = AccountContext(
        accounts=session.file.folder / COPIES,
        keys=GroupAccount(group=keys),
        transport=session.directory.caller(keys.address, _credentials(keys)),
        entropy=session.context.entropy,
        clock=lambda: session.now,
    )
    try:
        await context.sync()
        yield context
    finally:
        context.close()


async def add(session: Session, address: str, member: str, text: str | None = None) -> CatalogedMember:
    """Make a contact a member, and send the invitation with its share of the group's key."""
    profile = session.user_at(member)
    keys = await _keys(session, address)
    async with opened(session, address) as context:
        if context.catalog(MEMBER).get((profile.account_address or "").lower()) is not None:
            raise PolicyError(f"{member} is a member of {address} already")
        made, inside, invitation = groups.invite(session.sender, keys, context.host_key, profile, text=text)
        await context.transact(inside.updates)
    await session.apply(invitation)
    return made.member


async def delete(session: Session, address: str, member: str) -> CatalogedMember:
    """Take a member out: from then on the service refuses its part."""
    async with opened(session, address) as context:
        entry = _member(context, address, member)
        changes = groups.remove(entry)
        await context.transact(changes.updates, changes.deletes)
    return entry


async def get(session: Session, address: str, member: str) -> CatalogedMember:
    """The entry of a member."""
    async with opened(session, address) as context:
        return _member(context, address, member)


async def members(session: Session, address: str) -> list[CatalogedMember]:
    """The members of a group."""
    async with opened(session, address) as context:
        found = context.catalog(MEMBER).entries().values()
    return [entry for entry in found if isinstance(entry, CatalogedMember)]


def _member(context: AccountContext, address: str, member: str) -> CatalogedMember:
    found = context.catalog(MEMBER).get(member.lower())
    if not isinstance(found, CatalogedMember):
        raise PolicyError(f"{member} is no member of {address}; see `meshman group list {address}`")
    return found


async def _keys(session: Session, address: str) -> GroupKeys:
    entry = groups.entry_of(listed(session), address)
    envelope = envelope_of(entry.enveloped_activation_common, "EnvelopedActivationCommon")
    keyring = await session.context.keyring_for(envelope.header)
    return groups.keys_of(entry, keyring, session.now)


def _credentials(keys: GroupKeys) -> Credentials:
    return Credentials(
        account=keys.address,
        authentication=keys.authentication,
        signature=keys.administrator,
        encryption=keys.encryption,
        service_udf=keys.profile.service_udf,
    )
