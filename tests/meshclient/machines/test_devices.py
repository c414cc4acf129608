"""Machines join an account in every way, and leave it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mathmesh.errors import KeyUnavailableError, PolicyError
from mathmesh.keys import derive
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal, transact
from mathmesh.stores import CREDENTIAL
from meshclient import correspondence, devices, inbox, withdrawal
from meshclient.machine import Machine
from meshclient.session import Credentials


async def test_by_witness_and_out_again(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    await world.keep(alice, "first")
    second = await world.joined("second", alice, "message", "web")
    third = await world.joined("third", alice, "web")
    bob = await world.account("bob", "bob@example.com")
    await world.exchange(bob, alice)
    assert await world.password(second) == "first"
    with world.session(alice) as session:
        await session.sync()
        [entry] = [
            one for one in devices.listed(session) if one.device_udf == second.select().keys.entry.device_udf
        ]
        await withdrawal.delete(session, entry)
        renewed = session.context.keys.recipient(CREDENTIAL).udf
    with pytest.raises(PolicyError, match="this device was revoked"):
        await world.password(second)
    await _account_keys_are_renewed(world, alice, second, third, bob)
    await world.keep(alice, "later")
    assert await world.password(third) == "later"
    await world.keep(third, "last")
    assert await world.password(alice) == "last"
    with world.session(second) as session:
        assert session.context.keys.keyring.private(renewed) is None
    with world.session(third) as session:
        assert session.context.keys.keyring.private(renewed) is not None


async def _account_keys_are_renewed(
    world: Any, alice: Machine, removed: Machine, kept: Machine, contact: Machine
) -> None:
    """Who remains and who is a contact has the account's new keys, who was removed has the old ones only."""
    with world.session(removed) as session:
        old = session.context.profile
        old_signature = session.context.signature.public.udf
    with world.session(contact) as session:
        await session.sync()
        assert len(await correspondence.process_automatic(session)) == 1
        new = session.user_at("alice@example.com")
        assert new.udf == old.udf
        assert new.common_encryption.udf != old.common_encryption.udf
    for machine in (alice, kept):
        with world.session(machine) as session:
            await session.sync()
            assert session.context.profile_user.common_encryption.udf == new.common_encryption.udf
            assert session.context.signature.public.udf == new.common_signature.udf != old_signature
            for key in (old.common_encryption.udf, new.common_encryption.udf):
                assert session.context.keyring.private(key) is not None
            assert [one for one in (await inbox.inbound(session)).items if one.is_open] == []
    with world.session(removed) as session:
        assert session.context.keyring.private(new.common_encryption.udf) is None
    with world.session(contact) as session:
        await correspondence.ask_confirmation(session, "alice@example.com", "still there?")
    with world.session(alice) as session:
        await session.sync()
        [item] = [one for one in (await inbox.inbound(session)).items if one.is_open]
        await correspondence.accept(session, item)


async def test_by_pin(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    with world.session(alice) as session:
        await session.sync()
        pin, code, _ = await devices.issue_pin(session, ["web"])
    machine = world.machine("phone")
    await devices.request_connection(machine, code, world.directory, entropy=os.urandom, clock=world.clock)
    with world.session(alice) as session:
        await session.sync()
        assert len(await correspondence.process_automatic(session)) == 1
    await world.completed(machine)
    again = world.machine("thief")
    await devices.request_connection(
        again, "alice@example.com", world.directory, pin=pin, entropy=os.urandom, clock=world.clock
    )
    with world.session(alice) as session:
        await session.sync()
        assert await correspondence.process_automatic(session) == []
        assert await devices.pending(session) == []


async def test_a_pin_ends(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    with world.session(alice) as session:
        await session.sync()
        _, code, _ = await devices.issue_pin(session, ["web"], life=timedelta(minutes=1))
    machine = world.machine("phone")
    await devices.request_connection(machine, code, world.directory, entropy=os.urandom, clock=world.clock)
    world.now += timedelta(minutes=2)
    with world.session(alice) as session:
        await session.sync()
        assert await correspondence.process_automatic(session) == []


async def test_a_refused_machine_is_in_nothing(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    machine = world.machine("phone")
    await devices.request_connection(
        machine, "alice@example.com", world.directory, entropy=os.urandom, clock=world.clock
    )
    with world.session(alice) as session:
        await session.sync()
        [pending] = await devices.pending(session)
        await devices.reject(session, pending.acknowledged)
    found = await devices.complete(machine, machine.waiting(), world.directory, clock=world.clock)
    assert found is not None
    assert not found[0].accepted
    assert machine.contexts() == []


async def test_threshold_needs_the_service_each_time(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    await world.keep(alice, "canary-55")
    machine = await world.joined("tablet", alice, "threshold")
    assert await world.password(machine, sync=False) == "canary-55"
    with world.session(machine) as session:
        assert list(session.context.catalog(CREDENTIAL).entries()) == []
        with pytest.raises(KeyUnavailableError):
            session.context.store_key(CREDENTIAL)
    with world.session(alice) as session:
        await session.sync()
        entry = devices.find(session, machine.select().keys.entry.device_udf)
        await withdrawal.delete(session, entry)
    with pytest.raises(PolicyError, match="cryptographic operation failed"):
        await world.password(machine, sync=False)


async def test_rights_change(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    await world.keep(alice, "first")
    machine = await world.joined("tablet", alice, "device")
    assert await world.password(machine) is None
    with world.session(alice) as session:
        await session.sync()
        await withdrawal.change_roles(
            session, devices.find(session, machine.select().keys.entry.device_udf), ["web"]
        )
    assert await world.password(machine) == "first"


async def test_by_the_code_of_its_label(world: Any, tmp_path: Path) -> None:
    alice = await world.account("alice", "alice@example.com")
    maker = await world.account("maker", "maker@example.com")
    with world.session(maker) as session:
        await session.sync()
        made = await devices.preconfigure(session, ["mmm-wifi://pot"])
    medk = tmp_path / "pot.medk"
    medk.write_bytes(made.private.encode())
    pot = world.machine("pot")
    devices.install(pot, medk, now=world.clock())
    assert await devices.complete(pot, pot.waiting(), world.directory, clock=world.clock) is None
    assert made.connect_uri.encode() not in pot.waiting().path.read_bytes()
    with world.session(alice) as session:
        await session.sync()
        entry = await devices.claim(session, made.connect_uri, ["web"], "coffee pot")
        assert entry.device_udf == made.device_udf
    await world.completed(pot)
    with world.session(alice) as session:
        await session.sync()
        assert devices.find(session, "coffee pot").device_udf == made.device_udf
    with world.session(maker) as session:
        await session.sync()
        with pytest.raises(PolicyError, match="already claimed by alice"):
            await devices.claim(session, made.connect_uri, ["web"])


async def test_the_makers_keys_open_nothing(world: Any, tmp_path: Path) -> None:
    maker = await world.account("maker", "maker@example.com")
    with world.session(maker) as session:
        await session.sync()
        made = await devices.preconfigure(session, [])
    seed = made.private.private_key["PrivateKeyUDF"]["PrivateValue"]
    key = derive.derive_key(seed, "BaseDeviceAuthenticate")
    credentials = Credentials(
        account="maker@example.com",
        authentication=key,
        signature=derive.derive_key(seed, "BaseDeviceSign"),
        encryption=derive.derive_key(seed, "BaseDeviceEncrypt"),
    )
    transport = world.directory.caller("maker@example.com", credentials)
    for request in (wire.StatusRequest(), wire.TransactRequest(), wire.DownloadRequest()):
        with pytest.raises(ServiceRefusal, match="has no access"):
            await transact(transport, request, wire.response_type(request.OPERATION))
