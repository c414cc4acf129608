"""What a device is given with its roles, from the keys of the administrator that gives it (mesh-schema §8).

The role `threshold` gives shares in place of keys: of the account's encryption key and of each store of
`web`. The service holds the other shares, so that nothing opens without it, copies on the disk included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mathmesh.errors import PolicyError
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.activation import ActivationCommon, ActivationEntry
from mathmesh.schema.build.capability import Service, make_split_key
from mathmesh.schema.build.grants import KEYS, STORES
from mathmesh.schema.cataloged import CatalogedAccess
from mathmesh.schema.key_data import KeyData
from mathmesh.types import Entropy

THRESHOLD = "threshold"
ROLE_NAMES = {"root": "super", "developer": "web"}
"""Other names of roles."""
FORMER = "CommonEncryption"
"""Resource of the account's former encryption keys, with which what was encrypted to it opens still."""
ENTRY_NAMES = "MeshNameSecret"
"""Extension member of ActivationEntry: what hides the names of a store's entries, for a device without the
store's whole key (protocol book).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granter:
    """What can be granted: the keys of each store, the newest first, by member of ActivationCommon the
    account's own keys, and its `former` encryption keys.
    """

    store_keys: Callable[[str], Sequence[PrivateKey]]
    name_secret: Callable[[str], str | None]
    account: Mapping[str, PrivateKey] = field(repr=False)
    former: Sequence[PrivateKey] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What goes to the device, and what the service has to hold for it."""

    common: ActivationCommon
    access: tuple[CatalogedAccess, ...] = ()


def canonical_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """Roles by their canonical names; PolicyError for one that is not known."""
    named = tuple(dict.fromkeys(ROLE_NAMES.get(role.lower(), role.lower()) for role in roles))
    for role in named:
        if role not in STORES and role != THRESHOLD:
            raise PolicyError(f"there is no role {role}; roles are {', '.join((*STORES, THRESHOLD))}")
    return named or ("null",)


def grant(
    granter: Granter,
    roles: Sequence[str],
    *,
    device_key_id: str,
    service: Service,
    entropy: Entropy,
    now: datetime,
) -> Grant:
    """What `roles` grant the device with the activated authentication key `device_key_id`.

    `service` holds the shares of a threshold device. Raises PolicyError for roles that exclude each other,
    and when this administrator lacks a key that it would have to grant.
    """
    if THRESHOLD in roles:
        if set(roles) - {THRESHOLD, "null"}:
            raise PolicyError("the role threshold gives shares of keys; other roles would give the keys")
        return _shares(granter, device_key_id, service, entropy, now)
    stores: dict[str, None] = {}
    members: dict[str, str] = {}
    for role in roles:
        stores.update(dict.fromkeys(STORES[role]))
        members.update(KEYS.get(role, {}))
    missing = [member for member in members if member not in granter.account]
    if missing:
        raise PolicyError(f"this device cannot grant {', '.join(missing)}; use the first administrator")
    keys: dict[str, Any] = {member: KeyData.of_private(granter.account[member]) for member in members}
    entries = tuple(
        ActivationEntry(resource=store, key=KeyData.of_private(key))
        for store in stores
        for key in granter.store_keys(store)
    )
    former = granter.former if "encryption" in members else ()
    entries += tuple(ActivationEntry(resource=FORMER, key=KeyData.of_private(key)) for key in former)
    return Grant(common=ActivationCommon(entries=entries, **keys))


def _shares(granter: Granter, device_key_id: str, service: Service, entropy: Entropy, now: datetime) -> Grant:
    access: list[CatalogedAccess] = []

    def share(key: PrivateKey) -> KeyData:
        parts = make_split_key(key, service, entropy=entropy, now=now, grantee_udf=device_key_id)
        access.append(parts.access)
        return KeyData.of_share(parts.share)

    entries = tuple(
        ActivationEntry(
            resource=store, key=share(key), unknown={ENTRY_NAMES: granter.name_secret(store) or ""}
        )
        for store in STORES["web"]
        for key in granter.store_keys(store)
    )
    entries += tuple(ActivationEntry(resource=FORMER, key=share(key)) for key in granter.former)
    common = ActivationCommon(entries=entries, encryption=share(granter.account["encryption"]))
    return Grant(common=common, access=tuple(access))
