"""Keys for files: to whom a file is encrypted, who signs it, and what opens it.

Names are addresses or UDFs of the account itself, its contacts and groups. A file that is encrypted to a
group, or opened on a device that has shares only, needs the service: it is asked at that moment.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mathmesh.errors import KeyUnavailableError, PolicyError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.messaging import contact as contacts
from mathmesh.messaging import group as groups
from mathmesh.messaging.sender import encryption_key
from mathmesh.schema.profile import ProfileAccount, ProfileUser
from mathmesh.schema.validity import key_in_use
from mathmesh.service import messages as wire
from meshclient.context import utc_now
from meshclient.machine import Machine, default_home
from meshclient.session import Session, opened
from meshclient.shared_keys import NO_KEY, AgreedKeyring, needed, operate

Result = TypeVar("Result")


class KeySource:
    """The keys of one account on this machine, with its contacts and groups. Made by `open_source`."""

    def __init__(self, session: Session, runner: asyncio.Runner) -> None:
        self._session = session
        self._runner = runner

    @property
    def address(self) -> str:
        """The account's address."""
        return self._session.address

    def recipient(self, name: str) -> PublicKey:
        """The CommonEncryption key of the account, a contact or a group, by address or UDF.

        Raises PolicyError for a name that is none of them.
        """
        self._unlock()
        return recipient(self._session, name)

    def signer(self, name: str | None = None) -> PrivateKey:
        """The CommonSignature key of this account, which `name` may name.

        Raises PolicyError for another name, and on a device that may not sign.
        """
        context = self._session.context
        if name and name.lower() not in (context.address, context.udf.lower()):
            raise PolicyError(f"only {context.address} signs here, not {name}")
        return context.signature

    def signers(self) -> Mapping[str, PublicKey]:
        """The signature keys of the account and its contacts, by UDF."""
        self._unlock()
        profiles: list[ProfileAccount] = [self._session.context.profile]
        for _, source in contacts.sources(self._session.contacts(), self._session.now):
            profiles += source.profiles
        keys = [
            key_in_use(one.common_signature, "CommonSignature", None)
            for one in profiles
            if isinstance(one, ProfileUser)
        ]
        return {key.udf: key for key in keys}

    def keyring(self, header: Mapping[str, Any]) -> Keyring:
        """A keyring that opens the envelope with this header.

        Raises KeyUnavailableError when it is for none of the keys here, PolicyError when a service refuses
        its part.
        """
        return self._run(keyring_for(self._session, header))

    def _unlock(self) -> None:
        self._run(self._session.context.unlock())

    def _run(self, step: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(step)


@contextmanager
def open_source(home: Path | None = None, account: str | None = None) -> Iterator[KeySource]:
    """The keys of an account on this machine; PolicyError when there is none, or when it must be named."""
    from meshclient.directory import Directory

    machine = Machine(home or default_home())
    file = machine.select(account)
    with asyncio.Runner() as runner:
        directory = Directory(machine.home)
        try:
            with opened(machine, file, directory, entropy=os.urandom, clock=utc_now) as session:
                yield KeySource(session, runner)
        finally:
            runner.run(directory.close())


async def keyring_for(session: Session, header: Mapping[str, Any]) -> Keyring:
    """A keyring that opens the envelope with this header, made with the service's help where need be.

    Raises KeyUnavailableError when it is for none of the keys here, PolicyError when a service refuses its
    part.
    """
    context = session.context
    keyring = await context.keyring_for(header)
    if not header.get("recipients") or _opens(header, keyring):
        return keyring
    await context.unlock()
    for profile, share in groups.shares_in(session.contacts(), session.now):
        found = needed(header, keyring, {share.public_primary.udf: share})
        if found is None:
            continue
        kid, wanted = found
        address = share.service_address or profile.account_address or ""
        request = wire.OperateRequest(account_address=address, operations=(wanted.operation.to_json(),))
        transport = session.directory.caller(address, session.introduced())
        [agreement] = await operate(transport, request, [wanted])
        return AgreedKeyring(keyring, kid, agreement)
    raise KeyUnavailableError(NO_KEY)


def recipient(session: Session, name: str) -> PublicKey:
    """The CommonEncryption key of the account, a contact or a group, by address or UDF."""
    profile: ProfileAccount | None = session.account_at(name)
    if profile is None:
        for group in groups.profiles_in(session.contacts(), session.now):
            if name.lower() in ((group.account_address or "").lower(), group.udf.lower()):
                profile = group
    if profile is None:
        raise PolicyError(f"{name} is not among the contacts; exchange contacts first")
    return encryption_key(profile, session.now)


def _opens(header: Mapping[str, Any], keyring: Keyring) -> bool:
    entries = [entry for entry in header.get("recipients") or () if isinstance(entry, dict)]
    kids = [str(entry.get("kid", "")) for entry in entries]
    return any(keyring.private(kid) is not None or keyring.symmetric(kid) is not None for kid in kids)
