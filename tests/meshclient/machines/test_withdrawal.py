"""Devices leave an account, lose rights, or have them for a time; what they kept opens nothing new."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest

from mathmesh.dare.envelope import open_envelope
from mathmesh.errors import KeyUnavailableError, PolicyError
from mathmesh.keys.keyring import Keyring
from mathmesh.schema.capability import NullCapability
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal, transact
from mathmesh.stores import CREDENTIAL
from meshclient import devices, withdrawal
from meshclient.machine import Machine
from meshclient.session import device_credentials

DAY = timedelta(days=1)


def kept_keys(world: Any, machine: Machine) -> Keyring:
    """All keys of an account that a machine has now, as it may keep them."""
    with world.session(machine) as session:
        found: Keyring = session.context.keyring
        return found


def opened(world: Any, machine: Machine, keyring: Keyring) -> list[bool]:
    """Which entries of the passwords, as `machine` has them, `keyring` opens; the oldest first."""
    with world.session(machine) as session:
        frames = session.context.spooled(CREDENTIAL)
    result = []
    for _, envelope in reversed(frames):
        try:
            open_envelope(envelope, keyring=keyring)
            result.append(True)
        except KeyUnavailableError:
            result.append(False)
    return result


def entry_of(session: Any, machine: Machine) -> Any:
    return devices.find(session, machine.select().keys.entry.device_udf)


async def test_kept_keys_open_nothing_new(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    await world.keep(alice, "first")
    second = await world.joined("second", alice, "web")
    kept = kept_keys(world, second)
    assert opened(world, alice, kept) == [True]
    with world.session(alice) as session:
        await session.sync()
        await withdrawal.delete(session, entry_of(session, second))
    await world.keep(alice, "second")
    assert opened(world, alice, kept) == [True, False]


@pytest.mark.parametrize(("before", "after"), [("web", "device"), ("web", "threshold")])
async def test_fewer_rights_are_new_keys(world: Any, before: str, after: str) -> None:
    alice = await world.account("alice", "alice@example.com")
    await world.keep(alice, "first")
    second = await world.joined("second", alice, before)
    third = await world.joined("third", alice, before)
    kept = kept_keys(world, second)
    with world.session(alice) as session:
        await session.sync()
        assert await withdrawal.change_roles(session, entry_of(session, second), [after])
    await world.keep(third, "second")
    assert await world.password(alice) == "second"
    assert opened(world, alice, kept) == [True, False]
    assert await world.password(second) == ("second" if after == "threshold" else None)
    with world.session(second) as session:
        assert session.context.keys.roles == (after,)


async def test_more_rights_are_no_new_keys(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    await world.keep(alice, "first")
    second = await world.joined("second", alice, "device")
    with world.session(alice) as session:
        await session.sync()
        before = session.context.keys.recipient(CREDENTIAL).udf
        assert not await withdrawal.change_roles(session, entry_of(session, second), ["web"])
        assert session.context.keys.recipient(CREDENTIAL).udf == before
    assert await world.password(second) == "first"


async def test_an_administrator_without_the_seed_leaves_a_note(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    await world.keep(alice, "first")
    second = await world.joined("second", alice, "super", "admin", "web")
    third = await world.joined("third", alice, "web")
    kept = kept_keys(world, third)
    with world.session(second) as session:
        await session.sync()
        await withdrawal.delete(session, entry_of(session, third))
        assert not await withdrawal.finish(session)
    with pytest.raises(PolicyError, match="this device was revoked"):
        await world.password(third)
    with world.session(alice) as session:
        await session.sync()
        assert await withdrawal.finish(session)
        assert not await withdrawal.finish(session)
        capabilities = [one.capability for one in devices.access_entries(session)]
        assert not any(isinstance(one, NullCapability) and one.unknown for one in capabilities)
    await world.keep(second, "second")
    assert await world.password(alice) == "second"
    assert opened(world, alice, kept) == [True, False]


async def test_rights_end(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    await world.keep(alice, "first")
    second = await world.joined("second", alice, "web", expires=world.now + DAY)
    bystander = await world.joined("third", alice, "web")
    assert await world.password(second) == "first"
    with world.session(second) as session:
        credentials = device_credentials(session.context.keys, session.now)
    kept = kept_keys(world, second)
    world.now += 2 * DAY
    with pytest.raises(PolicyError, match=r"rights of this device in alice@example\.com ended at 2031-05-02"):
        await world.password(second, sync=False)
    caller = world.directory.caller("alice@example.com", credentials)
    with pytest.raises(ServiceRefusal, match=r"has no access to alice@example\.com; its rights ended at"):
        await transact(caller, wire.StatusRequest(), wire.StatusResponse)
    with world.session(alice) as session:
        await session.sync()
        [ended] = await withdrawal.delete_ended(session)
        assert ended.entry.device_udf == second.select().keys.entry.device_udf
        assert len(list(devices.listed(session))) == 2
    await world.keep(bystander, "second")
    assert await world.password(alice) == "second"
    assert opened(world, alice, kept) == [True, False]
    await world.joined("second", alice, "web")
    assert await world.password(second) == "second"


async def test_rights_are_prolonged(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    second = await world.joined("second", alice, "web", expires=world.now + DAY)
    with world.session(alice) as session:
        await session.sync()
        changed = world.now + 3 * DAY
        assert not await withdrawal.change_roles(session, entry_of(session, second), ["web"], changed)
    assert await world.password(second) is None
    world.now += 2 * DAY
    await world.keep(second, "later")
    assert await world.password(alice) == "later"
    world.now += 2 * DAY
    with pytest.raises(PolicyError, match="ended at 2031-05-04"):
        await world.password(second)
    with world.session(alice) as session:
        await session.sync()
        await withdrawal.change_roles(session, entry_of(session, second), ["web"], world.now + DAY)
        [found] = [one for one in devices.in_good_standing(session) if one.expires is not None]
        assert found.expires is not None


async def test_one_machine_is_in_an_account_once(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    second = await world.joined("second", alice, "web")
    with pytest.raises(PolicyError, match=r"in the account alice@example\.com already"):
        await devices.request_connection(
            second, "alice@example.com", world.directory, entropy=os.urandom, clock=world.clock
        )
    with world.session(alice) as session:
        await session.sync()
        await withdrawal.delete(session, entry_of(session, second))
    with pytest.raises(PolicyError, match="this device was revoked"):
        await world.password(second)
    await world.joined("second", alice, "web")
    await world.keep(alice, "again")
    assert await world.password(second) == "again"
    assert len(second.contexts()) == 1
