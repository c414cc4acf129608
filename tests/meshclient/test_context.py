"""An account at work: updates, deletes, local sequences, and copies that fell behind."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from mathmesh.dare.envelope import seal
from mathmesh.errors import LocalProtocolError, MeshError, StoreError
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.schema.message import MessageComplete
from mathmesh.schema.message_contact import MessageContact
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal
from mathmesh.stores.sync import StoreStatus
from meshclient import household
from meshclient.context import AccountContext
from meshservice.local import LocalTransport

Machine = Any  # the fixture's class lives in conftest
NETWORK, CONTACT = "MMM_Network", "MMM_Contact"


def network(name: str, phrase: str = "x") -> CatalogedNetwork:
    return CatalogedNetwork(protocol="wifi", service=name, password=phrase)


async def second(machine: Machine, copies: Path) -> AccountContext:
    """The owner's account once more, with copies of its own: another device of the account."""
    return await household.open_account(
        machine.data,
        "owner",
        service=LocalTransport(machine.engine),
        copies=copies,
        entropy=os.urandom,
        clock=machine.clock,
    )


def equal(context: AccountContext, machine: Machine) -> bool:
    """Whether all copies have the service's length and digest."""
    return all(
        machine.engine.status(context.udf, name) == status
        for name, status in context._stores.status().items()
    )


async def test_entries_are_written_changed_and_deleted(machine: Machine) -> None:
    owner = machine.home.owner
    await owner.update(NETWORK, [network("a"), network("b")])
    await owner.update(NETWORK, [network("a", "y")])
    await owner.update(NETWORK, [], deletes=["wifi:b", "wifi:absent"])
    expected = {"wifi:a": network("a", "y")}
    assert owner.catalog(NETWORK).entries() == expected
    assert owner.catalog(NETWORK).get("wifi:a") == network("a", "y")
    assert owner.catalog(NETWORK).get("wifi:b") is None
    assert equal(owner, machine)
    await machine.restart()
    assert machine.home.owner.catalog(NETWORK).entries() == expected


async def test_nothing_to_do_asks_nobody(machine: Machine) -> None:
    owner = machine.home.owner
    before = owner._stores.status()
    await owner.update(NETWORK, [], deletes=["wifi:absent"])
    await owner.transact()
    assert owner._stores.status() == before


async def test_several_stores_and_messages_in_one(machine: Machine) -> None:
    owner, maker = machine.home.owner, machine.home.maker
    message = MessageContact(message_id="NAAA", sender=owner.address, recipient=maker.address)
    note = enveloped(message, entropy=os.urandom, now=owner.now, signer=owner.signature)
    await owner.transact(
        updates={NETWORK: [network("a")], "MMM_Callsign": [network("b")]},
        local=[note],
        inbound=[note],
        outbound=[note],
        accounts=[maker.address],
    )
    counts = {name: status.count for name, status in owner._stores.status().items()}
    assert (counts[NETWORK], counts["MMM_Callsign"], counts["MMM_Local"], counts["MMM_Inbound"]) == (2,) * 4
    assert equal(owner, machine)
    await maker.sync()
    assert maker._stores.spool("MMM_Inbound").newest(note.envelope_id or "") == 1


async def test_a_refusal_changes_nothing_anywhere(machine: Machine) -> None:
    owner = machine.home.owner
    before = owner._stores.status()
    with pytest.raises(ServiceRefusal, match="not an account"):
        await owner.transact(
            updates={NETWORK: [network("a")]},
            outbound=[
                enveloped(
                    MessageContact(message_id="NAAA"),
                    entropy=os.urandom,
                    now=owner.now,
                    signer=owner.signature,
                )
            ],
            accounts=["x@y.z"],
        )
    assert owner._stores.status() == before
    assert equal(owner, machine)
    with pytest.raises(LocalProtocolError, match="no primary key"):
        await owner.update(NETWORK, [MessageComplete()])


async def test_local_sequences_stay_here_and_are_sealed(machine: Machine) -> None:
    owner = machine.home.owner
    sequence = owner.local_sequence("MMM_Telemetry_MABC")
    sequence.append_many([b"canary one", b"canary two"])
    assert owner.local_sequence("MMM_Telemetry_MABC") is sequence
    assert [sequence.plaintext(index) for index in (1, 2)] == [b"canary one", b"canary two"]
    assert sequence.policy.encrypt_keys[0].udf == owner.store_key("MMM_Telemetry_MABC").public.udf
    assert b"canary" not in sequence.path.read_bytes()
    await owner.sync()
    assert machine.engine.status(owner.udf, "MMM_Telemetry_MABC") is None
    await machine.restart()
    again = machine.home.owner.local_sequence("MMM_Telemetry_MABC")
    assert again.plaintext(2) == b"canary two"
    with pytest.raises(StoreError):
        machine.home.owner.local_sequence("../escape")


# -- falling behind ------------------------------------------------------------------------------------------
async def test_a_crash_between_service_and_copies_is_made_up_at_the_next_start(machine: Machine) -> None:
    owner = machine.home.owner
    plan = owner._planner.plan({NETWORK: [network("a")], CONTACT: [network("b")]}, {}, ())
    request = wire.TransactRequest(updates=tuple(change.update for change in plan))
    answer = machine.engine.dispatch(request.encode(), owner._transport.caller)
    assert wire.decode_response(answer, wire.TransactResponse).status == 201
    assert not equal(owner, machine)
    await machine.restart()
    assert machine.home.owner.catalog(NETWORK).entries() == {"wifi:a": network("a")}
    assert machine.home.owner.catalog(CONTACT).entries() == {"wifi:b": network("b")}
    assert equal(machine.home.owner, machine)


async def test_a_torn_copy_is_cut_and_fetched_anew(machine: Machine) -> None:
    await machine.home.owner.update(NETWORK, [network("a"), network("b")])
    path = machine.home.owner.data / "MMM_Network.dcon"
    machine.stop()
    whole = path.read_bytes()
    os.truncate(path, len(whole) - 10)
    await machine.start()
    owner = machine.home.owner
    assert set(owner.catalog(NETWORK).entries()) == {"wifi:a", "wifi:b"}
    assert owner.recovered[NETWORK] > 0
    assert equal(owner, machine)


async def test_copies_that_are_gone_are_fetched(machine: Machine) -> None:
    await machine.home.owner.update(NETWORK, [network(f"n{number}") for number in range(5)])
    before = machine.home.owner.catalog(NETWORK).entries()
    folder = machine.home.owner.data
    machine.stop()
    for path in folder.glob("*.dcon"):
        path.unlink()
    await machine.start()
    assert machine.home.owner.catalog(NETWORK).entries() == before
    assert equal(machine.home.owner, machine)


async def test_large_stores_are_fetched_in_several_answers(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mathmesh.service import server

    await machine.home.owner.update(NETWORK, [network(f"n{number}") for number in range(20)])
    monkeypatch.setattr(server, "DOWNLOAD_OCTETS", 3000)
    other = await second(machine, tmp_path / "other")
    assert len(other.catalog(NETWORK).entries()) == 20
    assert equal(other, machine)
    other.close()


async def test_two_devices_that_write_at_once_both_succeed(machine: Machine, tmp_path: Path) -> None:
    owner, other = machine.home.owner, await second(machine, tmp_path / "other")
    await owner.update(NETWORK, [network("a")])
    await other.update(NETWORK, [network("b")])
    assert set(other.catalog(NETWORK).entries()) == {"wifi:a", "wifi:b"}
    await asyncio.gather(*(one.update(NETWORK, [network(f"{id(one)}")]) for one in (owner, other)))
    await asyncio.gather(owner.sync(), other.sync())
    assert owner.catalog(NETWORK).entries() == other.catalog(NETWORK).entries()
    assert len(owner.catalog(NETWORK).entries()) == 4
    assert equal(owner, machine)
    assert equal(other, machine)
    other.close()


async def test_many_updates_at_once(machine: Machine) -> None:
    owner = machine.home.owner
    await asyncio.gather(*(owner.update(NETWORK, [network(f"n{number}")]) for number in range(12)))
    assert len(owner.catalog(NETWORK).entries()) == 12
    assert equal(owner, machine)


async def test_a_service_that_lost_frames_is_told_of(machine: Machine) -> None:
    owner = machine.home.owner
    path = machine.data / "service" / owner.data.name / "MMM_Network.dcon"
    machine.stop()
    backup = path.read_bytes()
    await machine.start()
    await machine.home.owner.update(NETWORK, [network("a")])
    machine.stop()
    newest = path.read_bytes()
    path.write_bytes(backup)
    with pytest.raises(StoreError, match="has 1 frames of MMM_Network and had 2 before: it was set back"):
        await machine.start()
    path.write_bytes(newest)
    await machine.start()


async def test_copies_of_another_history_are_told_of(machine: Machine, stopped: Machine) -> None:
    owner = machine.home.owner
    ours = owner._stores.status()[NETWORK]
    await owner.update(NETWORK, [network("a")])
    path = owner.data / "MMM_Network.dcon"
    machine.stop()
    mine = path.read_bytes()
    await machine.start()
    service = machine.data / "service" / owner.data.name / "MMM_Network.dcon"
    machine.stop()
    for target in (path, service):
        content = bytearray(target.read_bytes())
        os.truncate(target, len(content))
    from meshclient.store_files import SequenceFile

    path.unlink()
    with SequenceFile.create(path, entropy=os.urandom) as forged:
        assert StoreStatus(count=forged.count, apex=forged.apex) == ours
        forged.append_envelope(seal(b"forged", entropy=os.urandom))
    with pytest.raises(StoreError, match="has other frames of MMM_Network than the 2 here"):
        await machine.start()
    path.write_bytes(mine)
    await machine.start()


async def test_entries_need_the_hosts_key_first(machine: Machine, tmp_path: Path) -> None:
    context = AccountContext(
        accounts=tmp_path / "copies",
        keys=machine.home.owner.keys,
        transport=LocalTransport(machine.engine),
        entropy=os.urandom,
    )
    with pytest.raises(MeshError, match="sync first"):
        await context.update("MMM_Access", list(machine.home.owner.catalog("MMM_Access").entries().values()))
    context.close()
