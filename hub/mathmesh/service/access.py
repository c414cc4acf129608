"""Who is asking, and what they may do (draft-hallambaker-mesh-protocol; protocol book, "Rights").

A caller is what a transport has established: an account and the authentication key that was proven. The
service looks the key up in the account's MMM_Access and requires an active AccessCapability. Two callers
are the account itself: the holder of the profile's CommonAuthentication key, and a caller without a key,
which is how a transport says that the machine's own file permissions were the credential.
"""

from __future__ import annotations

from dataclasses import dataclass

from mathmesh.schema.capability import AccessCapability
from mathmesh.schema.profile import ProfileAccount
from mathmesh.stores import ACCESS, DEVICE, PUBLICATION

ADMINISTRATOR_STORES = frozenset({ACCESS, DEVICE, PUBLICATION})
"""Stores that only an administrator may write: who is in the account, and what strangers may fetch."""

ADMINISTRATOR_RIGHTS = frozenset({"admin", "super", "root"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An identified caller: account address in lower case, UDF of the proven authentication key.

    `key_id` None means that the transport vouches for the caller as the account itself. A caller of an
    account at another service has proven `profile_udf`, the UDF of that account's profile; its address is
    only what it says. Another service has proven `service_udf` and has no account.
    """

    account: str
    key_id: str | None = None
    profile_udf: str | None = None
    service_udf: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a caller may do in its account; `capability` is the device's, None for the account itself."""

    administrator: bool
    capability: AccessCapability | None = None

    def may_write(self, store: str) -> bool:
        """Whether the caller may append to a catalog."""
        return self.administrator or store not in ADMINISTRATOR_STORES


def rights_of(caller: Caller, profile: ProfileAccount, capability: AccessCapability | None) -> Rights | None:
    """The rights of `caller` in the account of `profile`; None when it has none.

    `capability` is the entry of MMM_Access under the caller's key, if there is one.
    """
    if caller.key_id is None:
        return Rights(administrator=True)
    common = profile.common_authentication
    if common is not None and common.udf == caller.key_id:
        return Rights(administrator=True)
    if capability is None or capability.active is not True or capability.id != caller.key_id:
        return None
    granted = {right.lower() for right in capability.rights or ()}
    return Rights(administrator=not granted.isdisjoint(ADMINISTRATOR_RIGHTS), capability=capability)
