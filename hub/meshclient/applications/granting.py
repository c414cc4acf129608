"""The keys of applications on the devices of an account (mesh-schema §6, §9).

An application is an entry of MMM_Application; its private keys lie in the CatalogedDevice of each device
whose roles it is granted to, encrypted to that device, and in escrow for the account. Only an administrator
gives them out; keys that it does not have itself are left to another one. `regrant` brings all devices to
what applications and roles say now; call it when one changes. Keys may also be granted to one device alone,
by `device:` and its UDF in place of a role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from mathmesh.errors import KeyUnavailableError, PolicyError, VerificationError
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.activation import (
    ActivationApplication,
    ActivationApplicationMail,
    ActivationApplicationSsh,
)
from mathmesh.schema.application import (
    CatalogedApplication,
    CatalogedApplicationMail,
    CatalogedApplicationSsh,
)
from mathmesh.schema.application_entry import ApplicationEntry, ApplicationEntryMail, ApplicationEntrySsh
from mathmesh.schema.build.application import is_granted, make_application_entry
from mathmesh.schema.build.device import make_access_capability
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedDevice
from mathmesh.schema.key_data import KeyData, same_udf
from mathmesh.schema.mesh_object import MeshObject, members
from mathmesh.schema.signed import object_in
from mathmesh.schema.validation import VerifiedDevice, verify_cataloged_device
from mathmesh.schema.verify.application import verify_application_entry, verify_cataloged_application
from mathmesh.schema.vpn import ActivationApplicationVpn, ApplicationEntryVpn, CatalogedApplicationVpn
from mathmesh.stores import ACCESS, APPLICATION, DEVICE
from meshclient.account_keys import GrantedKeys
from meshclient.session import Session

KINDS: dict[type[CatalogedApplication], type[ActivationApplication]] = {
    CatalogedApplicationSsh: ActivationApplicationSsh,
    CatalogedApplicationMail: ActivationApplicationMail,
    CatalogedApplicationVpn: ActivationApplicationVpn,
}
"""The applications that this module gives out, and the activations that hold their keys."""
Kind = TypeVar("Kind", bound=CatalogedApplication)

DEVICE_GRANT = "device:"
ADMINISTRATORS = frozenset({"admin", "super"})
"""Roles with which a device may give keys to others."""

_MANAGED = (ApplicationEntrySsh, ApplicationEntryMail, ApplicationEntryVpn)


def applications(session: Session) -> Iterator[CatalogedApplication]:
    """The verified SSH, mail and VPN entries of the account."""
    for entry in session.context.catalog(APPLICATION).entries().values():
        if isinstance(entry, CatalogedApplication) and type(entry) in KINDS:
            yield verify_cataloged_application(entry, now=session.now)


def of_kind(session: Session, kind: type[Kind]) -> list[Kind]:
    """The verified entries of one kind."""
    return [one for one in applications(session) if isinstance(one, kind)]


def own_activation(session: Session, application: CatalogedApplication) -> ActivationApplication:
    """The verified private keys of an application on this device, else those in escrow where it opens here.

    Raises KeyUnavailableError where this device's roles do not grant them.
    """
    for entry in _own_entry(session).application_entries or ():
        if isinstance(entry, ApplicationEntry) and entry.identifier == application.key:
            return verify_application_entry(
                entry,
                application=application,
                account=session.context.profile_user,
                keyring=session.context.keyring,
                now=session.now,
            )
    escrowed = _from_escrow(session, application)
    if escrowed is not None:
        return escrowed
    roles, granted = session.context.keys.roles, application.grant or ()
    raise KeyUnavailableError(
        f"this device has no keys of {application.key}: its roles are {', '.join(roles) or 'none'}, "
        f"the keys are for {', '.join(granted) or 'none'}"
    )


def _from_escrow(session: Session, application: CatalogedApplication) -> ActivationApplication | None:
    """The keys in escrow, each found by the UDF of the public key that the application states."""
    found: dict[str, Any] = {}
    kind = KINDS[type(application)]
    for envelope in application.enveloped_escrow or ():
        try:
            data = object_in(envelope, KeyData, keyring=session.context.keyring)
        except KeyUnavailableError:
            return None
        for name in members(kind).values():
            published = getattr(application, name.attribute, None)
            if isinstance(published, KeyData) and same_udf(published.udf, data.udf):
                found[name.attribute] = data
    return kind(**found) if found else None


async def add(session: Session, application: CatalogedApplication, keys: ActivationApplication) -> int:
    """Write a new or changed application and give its keys to the devices that it is granted to, which are
    counted.

    Raises PolicyError where this device is no administrator that sees the devices.
    """
    _require_devices(session)
    present = [one for one in applications(session) if one.key != application.key]
    updates, given = regranted(session, [*present, application], {application.key or "": keys})
    updates[APPLICATION] = [application]
    await session.context.transact(updates=updates)
    return given


async def remove(session: Session, application: CatalogedApplication) -> None:
    """Delete an application and its keys in the entries of all devices; what they had they may have kept.

    Raises PolicyError where this device is no administrator that sees the devices.
    """
    _require_devices(session)
    present = [one for one in applications(session) if one.key != application.key]
    updates, _ = regranted(session, present, {})
    await session.context.transact(updates=updates, deletes={APPLICATION: [application.key or ""]})


def is_given(application: CatalogedApplication, device: CatalogedDevice, roles: Sequence[str]) -> bool:
    """Whether `device` with `roles` has the keys of an application: administrators have all, to give them
    to others.
    """
    held = (*roles, DEVICE_GRANT + (device.device_udf or ""))
    return is_granted(application, held) or not ADMINISTRATORS.isdisjoint(roles)


def escrow_key(session: Session) -> PublicKey | None:
    """The account's EscrowEncryption key, to which a copy of each application's keys is encrypted."""
    data = session.context.profile_user.escrow_encryption
    return data.public_key() if data is not None else None


async def regrant(session: Session) -> int:
    """Give every device the keys that its roles grant now and no others; how many devices got any changed."""
    updates, _ = regranted(session, list(applications(session)), {})
    changed = updates.get(DEVICE, [])
    if changed:
        await session.context.transact(updates=updates)
    return len(changed)


def regranted(
    session: Session,
    present: Sequence[CatalogedApplication],
    fresh: Mapping[str, ActivationApplication],
    *,
    without: CatalogedDevice | None = None,
) -> tuple[dict[str, list[MeshObject]], int]:
    """Entries of devices with their access to write, and how many devices get keys that they had not.

    `fresh` holds keys, by application, that every device is given anew; the device `without` stays as it is.
    """
    keys = _Keys(session, fresh)
    devices: list[MeshObject] = []
    access: list[MeshObject] = []
    given = 0
    for device in session.context.catalog(DEVICE).entries().values():
        if not isinstance(device, CatalogedDevice):
            continue
        if without is not None and same_udf(device.device_udf, without.device_udf):
            continue
        verified = verify_cataloged_device(device, session.context.profile_user)
        if _has_ended(verified, session.now):
            continue
        roles = tuple(verified.connection_device.roles or ())
        wanted = [one for one in present if is_given(one, device, roles) or _is_own(session, device)]
        entries = device.application_entries or ()
        made = keys.entries(entries, wanted, verified.keys.encryption)
        given += any(one not in entries for one in made)
        if made != list(entries):
            changed = replace(device, application_entries=tuple(made) or None)
            devices.append(changed)
            access.append(_access(session, changed, roles))
    return ({DEVICE: devices, ACCESS: access} if devices else {}), given


def _require_devices(session: Session) -> None:
    """Refuse, before anything is written, where keys could be given to nobody."""
    session.context.administrator  # noqa: B018 - PolicyError where this device is no administrator
    if not session.context.keys.readable(DEVICE):
        raise PolicyError("this needs the role root: this device does not see the devices of the account")


class _Keys:
    """Makes entries for devices from the keys that this device has or is making."""

    def __init__(self, session: Session, fresh: Mapping[str, ActivationApplication]) -> None:
        self._session = session
        self._fresh = fresh
        self._keys: dict[str, ActivationApplication | None] = dict(fresh)

    def entries(
        self, present: Sequence[MeshObject], wanted: Sequence[CatalogedApplication], device_key: PublicKey
    ) -> list[MeshObject]:
        """The entries that a device has now in place of `present`; groups and callsigns are left alone."""
        managed = {entry.identifier: entry for entry in present if isinstance(entry, _MANAGED)}
        made = [entry for entry in present if not isinstance(entry, _MANAGED)]
        for application in wanted:
            key = application.key or ""
            kept = managed.get(key) if key not in self._fresh else None
            entry = kept or self._entry(application, device_key)
            made += [entry] if entry is not None else []
        return made

    def _entry(self, application: CatalogedApplication, device_key: PublicKey) -> ApplicationEntry | None:
        """The entry that gives a device this application; None where this administrator lacks its keys."""
        key = application.key or ""
        if key not in self._keys:
            try:
                self._keys[key] = own_activation(self._session, application)
            except KeyUnavailableError:
                self._keys[key] = None
        activation = self._keys[key]
        if activation is None:
            return None
        return make_application_entry(
            application,
            activation,
            device_key=device_key,
            administrator=self._session.context.administrator,
            entropy=self._session.context.entropy,
            now=self._session.now,
        )


def _has_ended(device: VerifiedDevice, now: datetime) -> bool:
    key = device.connection_device.authentication
    return key is not None and key.not_on_or_after is not None and key.not_on_or_after <= now


def _access(session: Session, device: CatalogedDevice, roles: Sequence[str]) -> CatalogedAccess:
    """The device's access, by which it learns of its new entry."""
    context = session.context
    return make_access_capability(
        device, context.entropy, session.now, administrator=context.administrator, rights=roles
    )


def _own_entry(session: Session) -> CatalogedDevice:
    keys = session.context.keys
    if isinstance(keys, GrantedKeys):
        return keys.entry
    for entry in session.context.catalog(DEVICE).entries().values():
        if isinstance(entry, CatalogedDevice) and _is_own(session, entry):
            return entry
    raise VerificationError("the account's catalog does not hold this device")


def _is_own(session: Session, entry: CatalogedDevice) -> bool:
    return same_udf(entry.device_udf, session.context.device.profile.udf)


def find(session: Session, name: str | None, kind: type[Kind]) -> Kind:
    """The application of a kind with a key, address or friendly name; without a name the only one."""
    found = of_kind(session, kind)
    if name is not None:
        wanted = name.lower()
        found = [
            one
            for one in found
            if same_udf(one.key, name)
            or wanted in ((one.local_name or "").lower(), (one.key or "").lower().removeprefix("mailto:"))
        ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise PolicyError(f"there is no such key{f': {name}' if name else ''}; `create` or `add` makes one")
    raise PolicyError(f"there are several: {', '.join(one.key or '' for one in found)}; name one")
