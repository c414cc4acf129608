"""An account on this machine: what `meshman`, the hub and the factory do everything with.

Changes go to the service first and into this machine's copies when the service has made them durable. A
crash in between leaves the copies behind; `sync`, done at every opening, brings them up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mathmesh.dare.envelope import Envelope
from mathmesh.keys import derive
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
from mathmesh.schema.activated import BASE, ENCRYPT
from mathmesh.schema.build.profile import ACCOUNT, make_profile_user
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.validation import verify_profile_user
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.client import Service, ServiceRefusal, Transport, converse, transact
from mathmesh.stores import CATALOGS, DEVICE, HOST_READABLE, SPOOLS, folder_name
from mathmesh.types import Entropy
from meshclient.account_stores import AccountStores
from meshclient.changes import Planner
from meshclient.device_keys import DeviceKeys, device_keys
from meshclient.key_file import AccountSecrets
from meshclient.replica import Replica
from meshclient.store_files import SequenceFile
from meshclient.store_keyring import StoreKeyring

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
ATTEMPTS = 3
"""How often a transaction is made anew when another device of the account was quicker."""


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
    """One account, opened with its seeds. Made by `meshclient.household`."""

    def __init__(
        self,
        *,
        accounts: Path,
        secrets: AccountSecrets,
        device_seed: str,
        created: datetime,
        service_udf: str,
        service: Service,
        entropy: Entropy,
        clock: Clock = utc_now,
    ) -> None:
        """Derive all keys and open this machine's copies under the folder `accounts`; the service is not
        asked yet.

        `created` is the time in the account's profile and `service_udf` the service it names: both are
        part of what the account is and must never change.
        """
        self._entropy = entropy
        self._clock = clock
        self._lock = asyncio.Lock()
        self._claims: dict[str, ClaimResult] = {}
        self.profile_envelope = make_profile_user(secrets.seed, secrets.address, service_udf, created)
        self.profile_user: ProfileUser = verify_profile_user(self.profile_envelope)
        self.data = accounts / folder_name(self.udf)
        self.administrator = derive.derive_key(secrets.seed, ACCOUNT + "AdminSign")
        self._claimant = Claimant(
            address=self.address,
            udf=self.udf,
            signature=derive.derive_key(secrets.seed, ACCOUNT + "Sign"),
        )
        self.device = device_keys(device_seed, secrets.activation, created)
        keys = [
            derive.derive_key(secrets.seed, ACCOUNT + "Encrypt"),
            derive.derive_key(device_seed, BASE + ENCRYPT),
            self.device.encryption,
        ]
        self._keyring = StoreKeyring(secrets.seed, keys, (*CATALOGS, *SPOOLS))
        device_key = self.device.authentication.public.udf
        self._transport = service.as_caller(Caller(account=self.address, key_id=device_key))
        self._stores = AccountStores(
            self.data, keyring=self._keyring, store_key=self._keyring.store_key, entropy=entropy
        )
        self._replica = Replica(self._stores, self.profile_user)
        self._planner = Planner(self._stores, self._recipients, entropy)

    # -- what it is -------------------------------------------------------------------------------
    @property
    def address(self) -> str:
        """The account's address, in lower case."""
        return self.profile_user.account_address or ""

    @property
    def udf(self) -> str:
        """The UDF of the account's profile."""
        return self.profile_user.udf

    @property
    def keyring(self) -> Keyring:
        """The account's, the stores' and this device's decryption keys."""
        return self._keyring

    @property
    def recovered(self) -> Mapping[str, int]:
        """Octets of a torn tail that opening cut off, by store; the service has sent them anew."""
        return self._stores.recovered

    def store_key(self, store_name: str) -> PrivateKey:
        """The X448 key to which a store's entries are encrypted."""
        return self._keyring.store_key(store_name)

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
            await self._replica.sync(self._transport)

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
                    await self._replica.sync(transport)
            await self._replica.apply(plan, self._clock())
            if messages != Messages():
                await self._replica.sync(transport)

    async def sync_as(self, transport: Transport) -> None:
        """`sync` as the caller of `transport`: needed before this device has its own access."""
        async with self._lock:
            await self._replica.sync(transport)

    def _recipients(self, name: str) -> list[PublicKey]:
        recipients = [self.store_key(name).public]
        return [*recipients, self._replica.host_key] if name in HOST_READABLE else recipients

    # -- claims -----------------------------------------------------------------------------------
    async def claim(self, connect_uri: str) -> ClaimResult:
        """Claim the device whose label shows `connect_uri`, and read its publication.

        The lock is provisional, 120 seconds, until a transaction writes the device's entry to MMM_Device.
        Raises AlreadyClaimed, UnknownPublication, OtherMaker; EncodingError or PolicyError for a code that is
        no label; VerificationError when what the maker published is not authentic.
        """
        conversation = static_qr.claim(connect_uri, self._claimant, entropy=self._entropy, now=self._clock())
        result = await converse(self._transport, conversation)
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
            closing = static_qr.release(message, self._claimant, entropy=self._entropy, now=self._clock())
            await self.transact(local=[closing])
        if made is not None:
            self._claims.pop(made.profile_device.udf, None)

    def _answered(self, entries: Sequence[MeshObject]) -> list[tuple[ClaimResult, CatalogedDevice]]:
        devices = [entry for entry in entries if isinstance(entry, CatalogedDevice)]
        return [
            (self._claims[entry.device_udf], entry) for entry in devices if entry.device_udf in self._claims
        ]

    def _answer(self, claim: ClaimResult, entry: CatalogedDevice) -> Envelope:
        return static_qr.acceptance(claim, entry, self._claimant, entropy=self._entropy, now=self._clock())


def _is_conflict(refusal: ServiceRefusal) -> bool:
    response = refusal.response
    return isinstance(response, wire.TransactResponse) and any(
        entry.result == wire.IN_CONFLICT for entry in response.entries
    )
