"""The keys of an account on this machine, behind one interface for the two kinds of machine.

An administrator with the account's seed derives every key (`SeedKeys`). A connected device has its own
seed and its CatalogedDevice, whose activations give it the keys that its roles grant (`GrantedKeys`).
Some of these may be shares, of which the account's service holds the other part (mesh-schema §7); to use
them, see `meshclient.shared_keys`.

A store's key may be renewed when a device is removed: the newest one encrypts, the former ones still open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from mathmesh.dare.content_meta import format_time
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import KeyUnavailableError, PolicyError, VerificationError
from mathmesh.keys import derive
from mathmesh.keys.keyring import Keyring, MemoryKeyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.messaging.granting import ENTRY_NAMES, FORMER
from mathmesh.schema.activated import BASE, ENCRYPT, activate
from mathmesh.schema.activation import ActivationCommon
from mathmesh.schema.build.profile import ACCOUNT, common_key_name, make_profile_user
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.connection import ConnectionDevice
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.profile import ProfileGroup, ProfileUser
from mathmesh.schema.signed import envelope_of, object_in
from mathmesh.schema.validation import (
    verify_activation_common,
    verify_cataloged_device,
    verify_profile_user,
)
from mathmesh.stores import CATALOGS, SPOOLS
from mathmesh.stores.catalog import name_secret
from mathmesh.threshold import key_share
from mathmesh.threshold.key_share import KeyShare
from meshclient.device_keys import DeviceKeys, device_keys

COMMON = "Common"
"""The name in `AccountSeed.renewals` of the account's keys CommonEncryption and CommonSignature."""
MAXIMUM_RENEWALS = 64
"""How many renewals of a key by other machines are looked for at once."""


class AccountKeys(Protocol):
    """The keys of one account on this machine."""

    @property
    def profile_envelope(self) -> Envelope:
        """The account's profile, as signed."""

    @property
    def profile(self) -> ProfileUser | ProfileGroup:
        """The account's profile, verified."""

    @property
    def device(self) -> DeviceKeys:
        """This machine as a device of the account."""

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of this device."""

    @property
    def administrator(self) -> PrivateKey | None:
        """The AdministratorSignature key, where this device is an administrator."""

    @property
    def signature(self) -> PrivateKey | None:
        """The CommonSignature key, with which messages are signed; None without the right to send any."""

    @property
    def keyring(self) -> Keyring:
        """The whole decryption keys."""

    @property
    def shares(self) -> Mapping[str, KeyShare]:
        """By UDF of the whole key, the keys of which the service holds the other share."""

    def readable(self, store: str) -> bool:
        """Whether the entries of a store can be read, with the service's help where need be."""

    def recipient(self, store: str) -> PublicKey:
        """The key to which new entries of a store are encrypted; KeyUnavailableError when it is not known."""

    def store_key(self, store: str) -> PrivateKey:
        """The whole key of a store; KeyUnavailableError when this device has none."""

    def name_secret(self, store: str) -> str | None:
        """The secret that hides the names of a store's entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSeed:
    """What an administrator's keys follow from; `created` is the time in both profiles.

    `renewals` counts, by store, how often its key was renewed, and under COMMON the account's own.
    """

    address: str
    seed: str = field(repr=False)
    device_seed: str = field(repr=False)
    activation: str = field(repr=False)
    created: datetime
    service_udf: str
    roles: tuple[str, ...] = ()
    renewals: Mapping[str, int] = field(default_factory=dict)
    device_created: datetime | None = None

    @property
    def common(self) -> int:
        """How often the account's own keys were renewed."""
        return self.renewals.get(COMMON, 0)


class SeedKeys:
    """An `AccountKeys` of a machine that holds the account's seed."""

    def __init__(self, seeds: AccountSeed) -> None:
        self.seeds = seeds
        self.profile_envelope = make_profile_user(
            seeds.seed, seeds.address, seeds.service_udf, seeds.created, renewal=seeds.common
        )
        self.profile = verify_profile_user(self.profile_envelope)
        self.device = device_keys(seeds.device_seed, seeds.activation, seeds.device_created or seeds.created)
        self.roles = seeds.roles
        self.administrator = derive.derive_key(seeds.seed, ACCOUNT + "AdminSign")
        self.signature = derive.derive_key(seeds.seed, common_key_name("Sign", seeds.common))
        self.encryption = tuple(encryption_key(seeds.seed, number) for number in range(seeds.common, -1, -1))
        """The account's encryption keys, the newest first."""
        self.shares: Mapping[str, KeyShare] = {}
        self._keys = MemoryKeyring(
            [
                *self.encryption,
                derive.derive_key(seeds.seed, ACCOUNT + "Escrow"),
                derive.derive_key(seeds.device_seed, BASE + ENCRYPT),
                self.device.encryption,
            ]
        )
        self._stores: dict[str, tuple[PrivateKey, ...]] = {}
        for store in (*CATALOGS, *SPOOLS):
            self.store_keys(store)

    @property
    def keyring(self) -> Keyring:
        """The account's, the stores' and this device's decryption keys."""
        return self._keys

    def readable(self, store: str) -> bool:
        """Every store."""
        return True

    def store_keys(self, store: str) -> tuple[PrivateKey, ...]:
        """The keys of a store, the newest first."""
        keys = self._stores.get(store)
        if keys is None:
            count = self.seeds.renewals.get(store, 0)
            keys = tuple(store_key(self.seeds.seed, store, number) for number in range(count, -1, -1))
            self._stores[store] = keys
            for key in keys:
                self._keys.add(key)
        return keys

    def store_key(self, store: str) -> PrivateKey:
        """The newest key of a store."""
        return self.store_keys(store)[0]

    def recipient(self, store: str) -> PublicKey:
        """Its public key."""
        return self.store_key(store).public

    def name_secret(self, store: str) -> str | None:
        """It follows from the first key of a store, so that names stay the same when the key is renewed."""
        return name_secret(self.store_keys(store)[-1])


class GrantedKeys:
    """An `AccountKeys` of a connected device."""

    def __init__(
        self, device_seed: str, created: datetime, entry: CatalogedDevice, account_udf: str, now: datetime
    ) -> None:
        """`created` is the time in the device's profile, `entry` its catalog entry in the account
        `account_udf`; everything in it is verified here.
        """
        self.entry = entry
        self.profile_envelope = envelope_of(entry.enveloped_profile_user, "EnvelopedProfileUser")
        self.profile = verify_profile_user(self.profile_envelope, now=now)
        if self.profile.udf != account_udf:
            raise VerificationError(f"the entry is for account {self.profile.udf}, not for {account_udf}")
        self.expires = rights_end(entry)
        if self.expires is not None and self.expires <= now:
            raise PolicyError(
                f"the rights of this device in {self.profile.account_address} ended at "
                f"{format_time(self.expires)}; ask for its connection anew with `meshman device request`"
            )
        base = derive.derive_key(device_seed, BASE + ENCRYPT)
        verified = verify_cataloged_device(entry, self.profile, base_keyring=MemoryKeyring([base]), now=now)
        activation = verified.activation_account.activation_key if verified.activation_account else None
        self.device = device_keys(device_seed, activation or "", created)
        self.roles = tuple(verified.connection_device.roles or ())
        own = MemoryKeyring([base, activate(device_seed, activation or "").encryption])
        common = verify_activation_common(
            envelope_of(entry.enveloped_activation_common, "EnvelopedActivationCommon"),
            self.profile,
            own,
            now=now,
        )
        self.common = common
        self.administrator = _whole(common.administrator_signature)
        self.signature = _whole(common.signature)
        self.keyring: Keyring = own
        self.shares: dict[str, KeyShare] = {}
        self._stores: dict[str, list[KeyData]] = {}
        self._secrets: dict[str, str] = {}
        self._take(common, own)

    def _take(self, common: ActivationCommon, own: MemoryKeyring) -> None:
        granted = [common.encryption]
        for entry in common.entries or ():
            if entry.key is None or entry.resource is None:
                continue
            granted.append(entry.key)
            self._stores.setdefault(entry.resource, []).append(entry.key)
            secret = entry.unknown.get(ENTRY_NAMES)
            if isinstance(secret, str):
                self._secrets[entry.resource] = secret
        for data in granted:
            if data is None:
                continue
            if _is_share(data):
                share = data.key_share()
                self.shares[share.public_primary.udf] = share
            else:
                own.add(data.private_key())

    def whole_account_keys(self) -> dict[str, PrivateKey]:
        """By member of ActivationCommon, the account's own keys that this device has whole."""
        names = (
            "encryption",
            "authentication",
            "signature",
            "administrator_signature",
            "profile_signature",
        )
        found = {name: _whole(getattr(self.common, name)) for name in names}
        return {name: key for name, key in found.items() if key is not None}

    @property
    def former(self) -> tuple[PrivateKey, ...]:
        """The account's former encryption keys, as far as this device has them whole."""
        return tuple(data.private_key() for data in self._stores.get(FORMER, ()) if not _is_share(data))

    def readable(self, store: str) -> bool:
        """The stores that the roles grant."""
        return store in self._stores

    def recipient(self, store: str) -> PublicKey:
        """The public key of a granted store."""
        data = self._granted(store)
        return data.key_share().public_primary if _is_share(data) else data.private_key().public

    def store_keys(self, store: str) -> tuple[PrivateKey, ...]:
        """The whole keys of a store, the newest first."""
        self._granted(store)
        return tuple(data.private_key() for data in self._stores[store] if not _is_share(data))

    def store_key(self, store: str) -> PrivateKey:
        """The newest whole key of a store."""
        keys = self.store_keys(store)
        if not keys:
            raise KeyUnavailableError(f"this device has only a share of the key of {store}")
        return keys[0]

    def name_secret(self, store: str) -> str | None:
        """As granted, or from the first key of the store."""
        stated = self._secrets.get(store)
        if stated is not None or store not in self._stores:
            return stated
        data = self._stores[store][-1]
        return None if _is_share(data) else name_secret(data.private_key())

    def _granted(self, store: str) -> KeyData:
        keys = self._stores.get(store)
        if not keys:
            raise KeyUnavailableError(
                f"this device has no right to {store}; its roles are {', '.join(self.roles) or 'none'}"
            )
        return keys[0]


def with_renewals(seeds: AccountSeed, newest: Mapping[str, Iterable[str]]) -> AccountSeed:
    """`seeds` with the renewals that other machines made: `newest` tells by store to which keys its newest
    entry is encrypted.
    """
    renewals = dict(seeds.renewals)
    for store, kids in newest.items():
        wanted = set(kids)
        known = renewals.get(store, 0)
        if not wanted or any(
            store_key(seeds.seed, store, number).public.udf in wanted for number in range(known + 1)
        ):
            continue
        for number in range(known + 1, known + 1 + MAXIMUM_RENEWALS):
            if store_key(seeds.seed, store, number).public.udf in wanted:
                renewals[store] = number
                break
    return seeds if renewals == dict(seeds.renewals) else replace(seeds, renewals=renewals)


def encryption_key(account_seed: str, renewal: int) -> PrivateKey:
    """The account's CommonEncryption key after so many renewals."""
    return derive.derive_key(account_seed, common_key_name("Encrypt", renewal))


def with_profile(seeds: AccountSeed, profile: ProfileUser) -> AccountSeed:
    """`seeds` as they are for a newer `profile` of the account, verified, that another machine has made.

    Raises VerificationError when the profile does not follow from the seed.
    """
    stated = profile.common_encryption.udf if profile.common_encryption is not None else None
    for number in range(seeds.common, seeds.common + MAXIMUM_RENEWALS):
        if encryption_key(seeds.seed, number).public.udf == stated and profile.updated is not None:
            return replace(
                seeds,
                address=(profile.account_address or "").lower(),
                service_udf=profile.service_udf or "",
                created=profile.updated,
                renewals={**seeds.renewals, COMMON: number} if number else dict(seeds.renewals),
            )
    raise VerificationError(f"the profile of {profile.account_address} does not follow from its seed")


def store_key(account_seed: str, store: str, number: int = 0) -> PrivateKey:
    """The X448 key of a store after `number` renewals: `CompleteAccountEncrypt` + name, then `.` + number."""
    suffix = f".{number}" if number else ""
    return derive.derive_key(account_seed, ACCOUNT + "Encrypt" + store + suffix)


def rights_end(entry: CatalogedDevice) -> datetime | None:
    """When the rights of a device end, as its connection states it; the connection is verified elsewhere."""
    envelope = envelope_of(entry.enveloped_connection_device, "EnvelopedConnectionDevice")
    key = object_in(envelope, ConnectionDevice).authentication
    return key.not_on_or_after if key is not None else None


def _is_share(data: KeyData) -> bool:
    return data.private_parameters is not None and key_share.TAG in data.private_parameters


def _whole(data: KeyData | None) -> PrivateKey | None:
    return None if data is None or _is_share(data) else data.private_key()
