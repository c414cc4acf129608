"""What the roles of a device grant (mesh-schema §8): keys of stores and of the account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mathmesh.errors import PolicyError
from mathmesh.keys import derive
from mathmesh.schema.activation import ActivationCommon, ActivationEntry
from mathmesh.schema.build.profile import ACCOUNT
from mathmesh.schema.key_data import KeyData

_DEVICE = ("MMM_Network", "MMM_Application")
_MESSAGE = (*_DEVICE, "MMM_Contact", "MMM_Publication", "MMM_Inbound", "MMM_Outbound")
_WEB = (*_MESSAGE, "MMM_Credential", "MMM_Task", "MMM_Bookmark")
_ADMIN = (*_WEB, "MMM_Local", "MMM_Archive")
_SUPER = (*_ADMIN, "MMM_Device", "MMM_Access")

STORES: dict[str, tuple[str, ...]] = {
    "null": (),
    "device": _DEVICE,
    "message": _MESSAGE,
    "web": _WEB,
    "admin": _ADMIN,
    "super": _SUPER,
}
"""Role → stores whose entries the device can read."""

_ACCOUNT_KEYS = {"encryption": "Encrypt", "authentication": "Authenticate", "signature": "Sign"}
KEYS: dict[str, dict[str, str]] = {
    "message": _ACCOUNT_KEYS,
    "web": _ACCOUNT_KEYS,
    "admin": {**_ACCOUNT_KEYS, "administrator_signature": "AdminSign"},
    "super": {**_ACCOUNT_KEYS, "administrator_signature": "AdminSign", "profile_signature": "Profile"},
}
"""Role → member of ActivationCommon → operation that names the account's key."""


def make_activation_common(account_seed: str, roles: Iterable[str]) -> ActivationCommon:
    """The private keys that `roles` grant in the account with `account_seed` (type 0x0102).

    Raises PolicyError for a role that is not known, rather than granting less than was meant.
    """
    stores: dict[str, None] = {}
    keys: dict[str, str] = {}
    for role in roles:
        if role not in STORES:
            raise PolicyError(f"there is no role {role}; roles are {', '.join(STORES)}")
        stores.update(dict.fromkeys(STORES[role]))
        keys.update(KEYS.get(role, {}))
    granted: dict[str, Any] = {
        member: _private(account_seed, operation) for member, operation in keys.items()
    }
    return ActivationCommon(entries=store_entries(account_seed, stores), **granted)


def store_entries(account_seed: str, stores: Iterable[str]) -> tuple[ActivationEntry, ...]:
    """The private keys of `stores` in the account with `account_seed`."""
    return tuple(
        ActivationEntry(resource=store, key=_private(account_seed, "Encrypt" + store)) for store in stores
    )


def _private(account_seed: str, operation: str) -> KeyData:
    return KeyData.of_private(derive.derive_key(account_seed, ACCOUNT + operation))
