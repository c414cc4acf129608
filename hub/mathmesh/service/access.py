"""Who is asking, and what they may do (draft-hallambaker-mesh-protocol; protocol book, "Rights").

A caller is what a transport has established: an account and the authentication key that was proven. The
service looks the key up in the account's MMM_Access and requires an active AccessCapability. Two callers
are the account itself: the holder of the profile's CommonAuthentication key, and a caller without a key,
which is how a transport says that the machine's own file permissions were the credential.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mathmesh.schema.build.grants import STORES
from mathmesh.schema.capability import AccessCapability
from mathmesh.schema.profile import ProfileAccount
from mathmesh.stores import ACCESS, DEVICE, LOCAL, OUTBOUND, PUBLICATION

ADMINISTRATOR_STORES = frozenset({ACCESS, DEVICE, PUBLICATION})
"""Stores that only an administrator may write: who is in the account, and what strangers may fetch."""

ADMINISTRATOR_RIGHTS = frozenset({"admin", "super", "root"})

_STORES = {**STORES, "threshold": STORES["web"], "developer": STORES["web"]}
"""Right → stores that a device with it reaches (mesh-schema §8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An identified caller: account address in lower case, UDF of the proven authentication key.

    `key_id` None means that the transport vouches for the caller as the account itself. A caller of an
    account at another service has proven `profile_udf`, the UDF of that account's profile; its address is
    only what it says. Another service has proven `service_udf` and has no account; `domain` is one that it
    was found to serve, empty when it does not serve the one that it names, None when that is not known.
    `remote` callers come over the network and are admitted by the service's policy.
    """

    account: str
    key_id: str | None = None
    profile_udf: str | None = None
    service_udf: str | None = None
    domain: str | None = None
    remote: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a caller may do in its account; `capability` is the device's, None for the account itself.

    `stores` are those that a device's roles reach; an administrator reaches all.
    """

    administrator: bool
    capability: AccessCapability | None = None
    stores: frozenset[str] = frozenset()

    def may_read(self, store: str) -> bool:
        """Whether the caller may fetch a store."""
        return self.administrator or store in self.stores

    def may_write(self, store: str) -> bool:
        """Whether the caller may append to a store: who sends messages may also leave some in Local."""
        if self.administrator:
            return True
        wanted = OUTBOUND if store == LOCAL else store
        return wanted in self.stores and store not in ADMINISTRATOR_STORES


def rights_of(
    caller: Caller, profile: ProfileAccount, capability: AccessCapability | None, now: datetime
) -> Rights | None:
    """The rights of `caller` in the account of `profile`; None when it has none, or none any more.

    `capability` is the entry of MMM_Access under the caller's key, if there is one.
    """
    if caller.key_id is None:
        return Rights(administrator=True)
    common = profile.common_authentication
    if common is not None and common.udf == caller.key_id:
        return Rights(administrator=True)
    if capability is None or capability.active is not True or capability.id != caller.key_id:
        return None
    if capability.expires is not None and capability.expires <= now:
        return None
    granted = {right.lower() for right in capability.rights or ()}
    stores = frozenset(store for right in granted for store in _STORES.get(right, ()))
    return Rights(
        administrator=not granted.isdisjoint(ADMINISTRATOR_RIGHTS), capability=capability, stores=stores
    )
