"""An account on this machine: what `meshman`, the hub and the factory do everything with.

Changes go to the service first and into this machine's copies when the service has made them durable. A
crash in between leaves the copies behind; `sync`, done at every opening, brings them up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.messaging import static_qr
from mathmesh.messaging.static_qr import (
    AlreadyClaimed,
    Claimant,
    ClaimResult,
    OtherMaker,
    UnknownPublication,
)
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.profile import ProfileGroup, ProfileService, ProfileUser
from mathmesh.schema.signed import check_signed_by, object_in
from mathmesh.schema.validation import administrator_key, verify_profile_user
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal, Transport, converse, transact
from mathmesh.stores import DEVICE, HOST_READABLE, folder_name
from mathmesh.stores.spool import Spool
from mathmesh.types import Entropy
from meshclient.account_keys import AccountKeys
from meshclient.account_stores import AccountStores
from meshclient.changes import Planner
from meshclient.device_keys import DeviceKeys
from meshclient.replica import Replica
from meshclient.shared_keys import AgreedKeyring, Needed, batches, needed, operate
from meshclient.store_files import SequenceFile

__all__ = [
    "AccountContext",
    "AlreadyClaimed",
    "CatalogView",
    "ClaimResult",
    "DeviceKeys",
    "OtherMaker",
    "ServiceRefusal",
    "UnknownPublication",
    "utc_now",
]

Clock = Callable[[], datetime]
ATTEMPTS = 12
"""How often a transaction is made anew when another device of the account was quicker."""
PAUSE_SECONDS = 0.05
"""How much longer, at most, each attempt waits than the one before, so that devices do not keep step."""


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CatalogView:
    """A catalog as it stands now: reading it costs no disk access."""

    _entries: Callable[[], Mapping[str, MeshObject]]
    _get: Callable[[str], MeshObject | None]

    def entries(self) -> dict[str, MeshObject]:
        """The entries by primary key, in the order in which they were first written."""
        return dict(self._entries())

    def get(self, key: str) -> MeshObject | None:
        """The entry under a primary key, or None."""
        return self._get(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Envelopes that a transaction delivers: into the own Local and Inbound spools, and to other accounts."""

    local: tuple[Envelope, ...] = ()
    inbound: tuple[Envelope, ...] = ()
    outbound: tuple[Envelope, ...] = ()
    accounts: tuple[str, ...] = ()


class AccountContext:
    """One account, opened with this machine's keys. Made by `meshclient.household` and
    `meshclient.machine`.
    """

    def __init__(
        self,
        *,
        accounts: Path,
        keys: AccountKeys,
        transport: Transport,
        entropy: Entropy,
        clock: Clock = utc_now,
        device_digest: str | None = None,
        on_renewal: Callable[[CatalogedDevice, str], AccountKeys] | None = None,
    ) -> None:
        """Open this machine's copies under the folder `accounts`; the service is not asked yet.

        `transport` speaks to the account's service as this device. A connected device gives the digest of
        its CatalogedDevice and what to do with a new one: keep it, and return the keys that it grants.
        """
        self._entropy = entropy
        self._clock = clock
        self._lock = asyncio.Lock()
        self._claims: dict[str, ClaimResult] = {}
        self.keys = keys
        self.data = accounts / folder_name(self.udf)
        self._transport = transport
        self._device_digest = device_digest
        self._on_renewal = on_renewal
        self._stated_profile: Envelope | None = None
        self._stores = AccountStores(self.data, keys=keys, entropy=entropy)
        self._replica = Replica(self._stores, self.profile, self._wants)
        self._planner = Planner(self._stores, self._recipients, entropy)

    # -- what it is -------------------------------------------------------------------------------
    @property
    def profile_envelope(self) -> Envelope:
        """The account's profile, as signed."""
        return self.keys.profile_envelope

    @property
    def profile(self) -> ProfileUser | ProfileGroup:
        """The account's profile, verified."""
        return self.keys.profile

    @property
    def profile_user(self) -> ProfileUser:
        """The account's profile, verified; PolicyError for a group."""
        if not isinstance(self.keys.profile, ProfileUser):
            raise PolicyError(f"{self.address} is a group")
        return self.keys.profile

    @property
    def device(self) -> DeviceKeys:
        """This machine as a device of the account."""
        return self.keys.device

    @property
    def administrator(self) -> PrivateKey:
        """The AdministratorSignature key; PolicyError on a machine that is no administrator."""
        if self.keys.administrator is None:
            raise PolicyError(
                "only an administrator of the account can do this, and this device is none: use one, or have "
                "it run `meshman device auth` with /admin for this device"
            )
        return self.keys.administrator

    @property
    def signature(self) -> PrivateKey:
        """The CommonSignature key; PolicyError on a machine that may not send messages of the account."""
        if self.keys.signature is None:
            raise PolicyError(
                "this device has no right to sign messages of the account; an administrator gives it with "
                "`meshman device auth` and /message"
            )
        return self.keys.signature

    @property
    def service_profile(self) -> ProfileService | None:
        """The verified profile of the account's service; known after the first `sync`."""
        return self._replica.service

    @property
    def host_key(self) -> PublicKey:
        """The key of the service's host, which reads MMM_Access and holds shares; known after the first
        `sync`.
        """
        return self._replica.host_key

    @property
    def now(self) -> datetime:
        """The time of this machine."""
        return self._clock()

    @property
    def entropy(self) -> Entropy:
        """The machine's source of random octets."""
        return self._entropy

    @property
    def address(self) -> str:
        """The account's address, in lower case."""
        return self.profile.account_address or ""

    @property
    def udf(self) -> str:
        """The UDF of the account's profile."""
        return self.profile.udf

    @property
    def keyring(self) -> Keyring:
        """The account's, the stores' and this device's decryption keys."""
        return self.keys.keyring

    @property
    def recovered(self) -> Mapping[str, int]:
        """Octets of a torn tail that opening cut off, by store; the service has sent them anew."""
        return self._stores.recovered

    def store_key(self, store_name: str) -> PrivateKey:
        """The X448 key to which a store's entries are encrypted."""
        return self.keys.store_key(store_name)

    def catalog(self, name: str) -> CatalogView:
        """A catalog as it stands; empty when it does not exist."""
        fold = self._stores.catalog(name)
        return CatalogView(fold.entries, fold.get)

    def local_sequence(self, name: str) -> SequenceFile:
        """A sequence of this machine alone, never sent: Merkle, encrypted to `store_key(name)`; made if
        absent.
        """
        return self._stores.local_sequence(name)

    def close(self) -> None:
        """Close all files."""
        self._stores.close()

    # -- changing it ------------------------------------------------------------------------------
    async def sync(self) -> None:
        """Bring this machine's copies up to the service's.

        Raises StoreError when the two cannot be states of one history, VerificationError when the service is
        not the one that the account's profile names.
        """
        async with self._lock:
            status = await self._replica.sync(self._transport, self._device_digest)
            self._stated_profile = status.enveloped_profile_account
            if self._renew(status):
                await self._replica.sync(self._transport, self._device_digest)
            await self._unlock()

    def newer_profile(self) -> ProfileUser | None:
        """The verified profile that the service stated at the last `sync`, if newer than the own one."""
        stated = self._stated_profile
        if stated is None or stated.body == self.profile_envelope.body:
            return None
        profile = verify_profile_user(stated, now=self.now)
        before = self.profile.updated
        newer = profile.updated is not None and (before is None or profile.updated > before)
        return profile if newer and profile.udf == self.udf else None

    async def unlock(self) -> None:
        """Read what needs the service's share of a key; nothing happens where there is nothing of the kind.

        Raises PolicyError when the service refuses, TransportError when it cannot be asked.
        """
        async with self._lock:
            await self._unlock()

    async def agreements(self, wanted: Sequence[Needed]) -> list[bytes]:
        """The agreements that `wanted` needs, made together with the services that hold the other shares."""
        made = []
        for batch in batches(wanted):
            request = wire.OperateRequest(
                account_address=self.address, operations=tuple(one.operation.to_json() for one in batch)
            )
            made += await operate(self._transport, request, batch)
        return made

    async def keyring_for(self, header: Mapping[str, Any]) -> Keyring:
        """A keyring that opens the envelope with this header, if it is for this account.

        The service is asked when only a share of the key is here. Raises PolicyError when it refuses.
        """
        found = needed(header, self.keyring, self.keys.shares)
        if found is None:
            return self.keyring
        kid, wanted = found
        [agreement] = await self.agreements([wanted])
        return AgreedKeyring(self.keyring, kid, agreement)

    async def _unlock(self) -> None:
        locked = list(self._stores.locked())
        found = [needed(envelope.header, self.keyring, self.keys.shares) for _, _, envelope in locked]
        agreements = iter(await self.agreements([one[1] for one in found if one is not None]))
        for (name, index, envelope), one in zip(locked, found, strict=True):
            keyring = self.keyring if one is None else AgreedKeyring(self.keyring, one[0], next(agreements))
            self._stores.fold_locked(name, index, envelope, keyring)

    def change_keys(self, keys: AccountKeys) -> None:
        """Work with other keys of the account from now on."""
        self.keys = keys
        self._stores.refold(keys)

    @contextmanager
    def provisional_keys(self, keys: AccountKeys) -> Iterator[None]:
        """Work with other keys of the account; they stay when nothing is raised."""
        before = self.keys
        self.change_keys(keys)
        try:
            yield
        except BaseException:
            self.change_keys(before)
            raise

    def _renew(self, status: wire.StatusResponse) -> bool:
        """Take on the keys of a new CatalogedDevice, if there is one: this device's rights have changed."""
        envelope, digest = status.enveloped_cataloged_device, status.cataloged_device_digest
        if envelope is None or digest is None or self._on_renewal is None:
            return False
        check_signed_by(envelope, administrator_key(self.profile_user, self.now), "CatalogedDevice")
        entry = object_in(envelope, CatalogedDevice, keyring=self.keyring)
        self._device_digest = digest
        self.change_keys(self._on_renewal(entry, digest))
        return True

    def _wants(self, store: str) -> bool:
        return self.keys.readable(store)

    async def update(self, name: str, entries: Iterable[MeshObject], deletes: Iterable[str] = ()) -> None:
        """Write entries to one catalog and delete others by primary key; see `transact`."""
        await self.transact(updates={name: list(entries)}, deletes={name: list(deletes)})

    async def transact(
        self,
        updates: Mapping[str, Sequence[MeshObject]] | None = None,
        deletes: Mapping[str, Sequence[str]] | None = None,
        local: Sequence[Envelope] = (),
        inbound: Sequence[Envelope] = (),
        *,
        outbound: Sequence[Envelope] = (),
        accounts: Sequence[str] = (),
    ) -> None:
        """Change catalogs and deliver messages, all or nothing: at the service first, then in the copies
        here.

        `updates` maps a catalog to entries, `deletes` to primary keys (one that does not exist is passed
        over); a catalog that does not exist is begun. `outbound` goes to the Inbound spool of each of
        `accounts`. An entry of MMM_Device for a device that was claimed here answers the claim: its lock
        becomes permanent. Raises ServiceRefusal when the service refuses.
        """
        answered = self._answered((updates or {}).get(DEVICE, ()))
        answers = tuple(self._answer(claim, entry) for claim, entry in answered)
        messages = Messages(
            local=(*local, *answers),
            inbound=tuple(inbound),
            outbound=tuple(outbound),
            accounts=tuple(accounts),
        )
        await self.transact_as(self._transport, updates or {}, deletes or {}, messages)
        for claim, _ in answered:
            self._claims.pop(claim.profile_device.udf, None)

    async def transact_as(
        self,
        transport: Transport,
        updates: Mapping[str, Sequence[MeshObject]],
        deletes: Mapping[str, Sequence[str]],
        messages: Messages | None = None,
        begin: Sequence[str] = (),
    ) -> None:
        """`transact` as the caller of `transport`; the catalogs in `begin` are begun even without entries.

        An update that conflicts with another device's is made anew, a few times, on the state after a sync.
        """
        messages = messages or Messages()
        async with self._lock:
            for attempt in range(1, ATTEMPTS + 1):
                plan = self._planner.plan(updates, deletes, begin)
                if not plan and messages == Messages():
                    return
                request = wire.TransactRequest(
                    updates=tuple(change.update for change in plan),
                    local=messages.local,
                    inbound=messages.inbound,
                    outbound=messages.outbound,
                    accounts=messages.accounts,
                )
                try:
                    await transact(transport, request, wire.TransactResponse)
                    break
                except ServiceRefusal as refusal:
                    if attempt == ATTEMPTS or not _is_conflict(refusal):
                        raise
                    await asyncio.sleep(PAUSE_SECONDS * (attempt - 1) * self._entropy(1)[0] / 255)
                    self._renew(await self._replica.sync(transport, self._device_digest))
            await self._replica.apply(plan, self._clock())
            if messages != Messages():
                await self._replica.sync(transport)

    async def sync_as(self, transport: Transport) -> None:
        """`sync` as the caller of `transport`: needed before this device has its own access."""
        async with self._lock:
            await self._replica.sync(transport)

    def _recipients(self, name: str) -> list[PublicKey]:
        recipients = [self.keys.recipient(name)]
        return [*recipients, self._replica.host_key] if name in HOST_READABLE else recipients

    # -- messages ---------------------------------------------------------------------------------
    def spool(self, name: str) -> Spool:
        """The fold of a spool: where messages are, and their states."""
        return self._stores.spool(name)

    def frame_counts(self) -> dict[str, int]:
        """The number of frames of each store, as far as this machine has copies."""
        return {name: status.count for name, status in self._stores.status().items()}

    def apex_at(self, name: str, count: int) -> bytes | None:
        """The tree digest that the copy of a store had when it had `count` frames; None for none."""
        return self._stores.apex_at(name, count)

    @property
    def aside(self) -> Path:
        """Where copies lie that were set aside."""
        return self._stores.aside

    def set_aside(self, name: str) -> None:
        """Take the copy of a store away, so that the service's is fetched; it is kept in `aside`."""
        self._stores.set_aside(name)

    def spooled(self, name: str) -> Sequence[tuple[int, Envelope]]:
        """The messages of a spool with their frame numbers, the newest first."""
        return self._stores.newest_first(name)

    # -- claims -----------------------------------------------------------------------------------
    @property
    def claimant(self) -> Claimant:
        """This account as one that claims devices."""
        return Claimant(address=self.address, udf=self.udf, signature=self.signature)

    async def claim(self, connect_uri: str, maker_service: Transport | None = None) -> ClaimResult:
        """Claim the device whose label shows `connect_uri`, and read its publication.

        `maker_service` is the service of its maker, by default the account's own.

        The lock is provisional, 120 seconds, until a transaction writes the device's entry to MMM_Device.
        Raises AlreadyClaimed, UnknownPublication, OtherMaker; EncodingError or PolicyError for a code that is
        no label; VerificationError when what the maker published is not authentic.
        """
        conversation = static_qr.claim(connect_uri, self.claimant, entropy=self._entropy, now=self._clock())
        result = await converse(maker_service or self._transport, conversation)
        self._claims[result.profile_device.udf] = result
        return result

    async def release_claim(self, publication_id: str, maker: str | None = None) -> None:
        """Give up this account's claim of a publication, provisional or permanent; nothing happens without
        one.

        `maker` is the publisher's address; by default the one it was claimed from since this machine
        started, or else `maker@` the domain of this account.
        """
        made = next((one for one in self._claims.values() if one.publication_id == publication_id), None)
        publisher = maker or (made.maker if made else f"maker@{self.address.rpartition('@')[2]}")
        poll = static_qr.standing_claim(publisher, publication_id, self.address)
        message = await converse(self._transport, poll)
        if message is not None:
            closing = static_qr.release(message, self.claimant, entropy=self._entropy, now=self._clock())
            await self.transact(local=[closing])
        if made is not None:
            self._claims.pop(made.profile_device.udf, None)

    def _answered(self, entries: Sequence[MeshObject]) -> list[tuple[ClaimResult, CatalogedDevice]]:
        devices = [entry for entry in entries if isinstance(entry, CatalogedDevice)]
        return [
            (self._claims[entry.device_udf], entry) for entry in devices if entry.device_udf in self._claims
        ]

    def _answer(self, claim: ClaimResult, entry: CatalogedDevice) -> Envelope:
        return static_qr.acceptance(claim, entry, self.claimant, entropy=self._entropy, now=self._clock())


def _is_conflict(refusal: ServiceRefusal) -> bool:
    response = refusal.response
    return isinstance(response, wire.TransactResponse) and any(
        entry.result == wire.IN_CONFLICT for entry in response.entries
    )
