"""The first start and every later one: the household's account, the maker's account, this hub in both.

The key file is written first and whole; everything after it follows from the seeds in it or is one
transaction at the service, and each step finds out whether it was done. A first start that was
interrupted, wherever, is thus finished by the next one, with the same accounts; the key file then says
`complete`.

    DATA/keys.json              the seeds (mode 0600)
    DATA/account/<udf8>/        this machine's copies of each account's stores
    DATA/service/               the service's files, where this machine hosts it
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mathmesh.codec import uri
from mathmesh.errors import EncodingError, PolicyError, StoreError
from mathmesh.schema.build.device import make_access_capability, make_cataloged_device
from mathmesh.schema.build.grants import make_activation_common
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.client import Service, transact
from mathmesh.service.identity import ServiceIdentity
from mathmesh.stores import ACCESS, CATALOGS, DEVICE
from mathmesh.types import Entropy
from meshclient.account_keys import AccountSeed, SeedKeys
from meshclient.context import AccountContext, Clock, utc_now
from meshclient.key_file import KeyFile, Keys

OWNER, MAKER = "owner", "maker"
KEY_FILE = "keys.json"
ACCOUNTS = "account"
ROLES = ("super", "admin", "web")
"""The hub is the account's first device and its administrator."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """The two accounts of a hub. `owner` is the household's, `maker` publishes devices made here."""

    owner: AccountContext
    maker: AccountContext
    key_file: KeyFile

    def close(self) -> None:
        """Close all files."""
        self.owner.close()
        self.maker.close()


def open_keys(
    data: Path, *, address: str | None = None, hub_name: str = "hub", entropy: Entropy, now: datetime
) -> KeyFile:
    """Open the key file of the folder `data`, or make it with fresh seeds.

    `address` is the household's account (default `home@<hub_name>.local`); the maker's is
    `maker@<hub_name>.local`. Raises PolicyError when the folder holds another account than the `address`
    asked for, or when a name is none; StoreError as KeyFile does.
    """
    wanted = _address(address) if address else None

    def make() -> Keys:
        domain = f"{_hub_label(hub_name)}.local"
        keys = Keys.fresh(entropy, now)
        keys = keys.with_account(OWNER, wanted or f"home@{domain}", entropy)
        return keys.with_account(MAKER, f"maker@{domain}", entropy)

    key_file = KeyFile.open_or_create(data / KEY_FILE, make)
    held = key_file.keys.accounts[OWNER].address
    if wanted is not None and wanted != held:
        raise PolicyError(f"{data} belongs to {held}; choose another folder for {wanted}")
    return key_file


def service_identity(keys: Keys) -> ServiceIdentity:
    """The identity of the service that this machine hosts: it serves the domains of the accounts in the key
    file.
    """
    domains = frozenset(account.address.rpartition("@")[2] for account in keys.accounts.values())
    return ServiceIdentity.from_seed(keys.service_seed, domains, keys.created)


async def open_or_create(
    data: Path,
    *,
    address: str | None = None,
    hub_name: str = "hub",
    service: Service,
    entropy: Entropy,
    now: datetime,
    clock: Clock = utc_now,
) -> Household:
    """Open the accounts of the folder `data`, made at the first start, and bring their stores up to the
    service's.

    `now` is the time of a first start. Raises what `open_keys` and `AccountContext.sync` raise, and
    ServiceRefusal when the service does not take an account.
    """
    key_file = open_keys(data, address=address, hub_name=hub_name, entropy=entropy, now=now)
    keys = key_file.keys
    opened: list[AccountContext] = []
    try:
        for role in (OWNER, MAKER):
            opened.append(await _open_account(data / ACCOUNTS, role, keys, service, entropy, clock))
    except BaseException:
        _close(opened)
        raise
    if not keys.complete:
        key_file.save(replace(keys, complete=True))
    owner, maker = opened
    return Household(owner=owner, maker=maker, key_file=key_file)


async def open_account(
    data: Path, role: str, *, service: Service, copies: Path, entropy: Entropy, clock: Clock = utc_now
) -> AccountContext:
    """Open one account of the folder `data` from another process than the one that has its stores open.

    `copies` is the folder for this process's own copies of the stores. Raises StoreError when `data` holds
    no key file or its first start was not finished, and what `AccountContext.sync` raises.
    """
    keys = KeyFile.open(data / KEY_FILE).keys
    if not keys.complete:
        raise StoreError(f"the first start of the hub in {data} is not finished; try again when it runs")
    return await _open_account(copies, role, keys, service, entropy, clock)


async def _open_account(
    accounts: Path, role: str, keys: Keys, service: Service, entropy: Entropy, clock: Clock
) -> AccountContext:
    secrets = keys.accounts[role]
    derived = SeedKeys(
        AccountSeed(
            address=secrets.address,
            seed=secrets.seed,
            device_seed=keys.device_seed,
            activation=secrets.activation,
            created=keys.created,
            service_udf=keys.service_udf,
            roles=ROLES,
        )
    )
    own = Caller(account=secrets.address, key_id=derived.device.authentication.public.udf)
    context = AccountContext(
        accounts=accounts,
        keys=derived,
        transport=service.as_caller(own),
        entropy=entropy,
        clock=clock,
    )
    try:
        if keys.complete:
            await context.sync()
        else:
            await _establish(context, keys, role, service, entropy)
    except BaseException:
        context.close()
        raise
    return context


async def _establish(
    context: AccountContext, keys: Keys, role: str, service: Service, entropy: Entropy
) -> None:
    """Bind the account, then begin its catalogs and enter this device, in one transaction."""
    common = context.profile_user.common_authentication
    root = service.as_caller(Caller(account=context.address, key_id=common.udf if common else None))
    bind = wire.BindRequest(
        account_address=context.address, enveloped_profile_account=context.profile_envelope
    )
    await transact(root, bind, wire.BindResponse)
    await context.sync_as(root)
    if context.catalog(DEVICE).get(context.device.profile.udf) is not None:
        return
    device = _cataloged_hub(context, keys, role, entropy)
    access = make_access_capability(
        device, entropy, keys.created, administrator=context.administrator, rights=ROLES
    )
    await context.transact_as(root, {DEVICE: [device], ACCESS: [access]}, {}, begin=CATALOGS)


def _cataloged_hub(context: AccountContext, keys: Keys, role: str, entropy: Entropy) -> CatalogedDevice:
    secrets = keys.accounts[role]
    return make_cataloged_device(
        context.profile_envelope,
        context.device.profile_envelope,
        context.administrator,
        ROLES,
        secrets.activation,
        entropy,
        keys.created,
        make_activation_common(secrets.seed, ROLES),
        local_name="hub",
    )


def _close(contexts: Iterable[AccountContext]) -> None:
    for context in contexts:
        context.close()


def _address(text: str) -> str:
    try:
        return uri.account_address(text)
    except EncodingError as error:
        raise PolicyError(f"{text} is no account address: {error}") from error


def _hub_label(name: str) -> str:
    label = name.lower()
    if not _LABEL.fullmatch(label):
        raise PolicyError(f"a hub's name is made of letters, digits and dashes; {name!r} is not")
    return label
