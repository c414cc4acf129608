"""Many accounts: few files open at a time, little at hand, and the same answers as ever."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest

from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.service import messages as wire
from mathmesh.service import state
from meshservice.engines import journal, open_stores
from meshservice.engines.files import JOURNAL

World = Any  # the fixture's class lives in conftest
NETWORK = "MMM_Network"


def network(name: str) -> CatalogedNetwork:
    return CatalogedNetwork(protocol="wifi", service=name, password="secret")


def open_files(world: World) -> int:
    folder = str(world.folder)
    links = [f"/proc/self/fd/{one}" for one in os.listdir("/proc/self/fd")]
    return sum(os.readlink(link).startswith(folder) for link in links if os.path.lexists(link))


@pytest.fixture
def small(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A service that has room for eight open files and two accounts at hand."""
    monkeypatch.setattr(open_stores, "OPEN_MOST", 8)
    monkeypatch.setattr(state, "LOADED_MOST", 2)
    world.reopen()
    return world


def test_more_accounts_than_files_may_be_open(small: World) -> None:
    accounts = [
        small.account(f"user{number}", begin=("MMM_Access", "MMM_Device", NETWORK)) for number in range(6)
    ]
    devices = [small.connect(account, account.address) for account in accounts]
    for turn in range(3):
        for number, account in enumerate(accounts):
            assert small.transact(account, MMM_Network=[network(f"{turn} {number}")]).status == 201
            asked = small.ask(wire.StatusRequest(), wire.StatusResponse, devices[number])
            assert asked.status == 201
            assert open_files(small) <= 8 + 1
    small.reopen()
    for account in accounts:
        assert small.counts(account)[NETWORK] == 4
        small.engine._stores.sequence(account.profile.udf, NETWORK).verify()


def test_claims_are_known_of_accounts_that_are_not_at_hand(small: World) -> None:
    maker, first, second = (small.account(name) for name in ("maker", "first", "second"))
    secret = small.publish(maker, "a lamp")
    claim = wire.ClaimRequest(enveloped_message_claim=first.claim(secret, maker.address))
    assert small.ask(claim, wire.ClaimResponse).status == 201
    others = [small.account(f"other{number}") for number in range(4)]
    late = wire.ClaimRequest(enveloped_message_claim=second.claim(secret, maker.address))
    for again in range(2):
        for other in others:
            small.connect(other, f"{other.address} {again}")
        assert small.ask(late, wire.ClaimResponse).status == 409
        small.reopen()
    small.clock.now += timedelta(seconds=121)
    assert small.ask(late, wire.ClaimResponse).status == 201


def test_a_transaction_costs_one_sync(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    account = world.account("alice", begin=(NETWORK, "MMM_Task"))
    synced = []
    for name in ("fsync", "fdatasync"):
        real = getattr(os, name)

        def counted(descriptor: int, real: Any = real) -> None:
            synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            real(descriptor)

        monkeypatch.setattr(os, name, counted)
    answer = world.transact(account, MMM_Network=[network("a")], MMM_Task=[network("b")])
    assert answer.status == 201
    assert synced == [str(world.folder / JOURNAL)]


def test_a_full_journal_begins_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "OCTETS", 16 * 1024)
    world.reopen()
    account = world.account("alice", begin=(NETWORK,))
    for number in range(40):
        assert world.transact(account, MMM_Network=[network(str(number))]).status == 201
        assert (world.folder / JOURNAL).stat().st_size >= 16 * 1024
    assert world.counts(account)[NETWORK] == 41
    world.reopen()
    assert world.counts(account)[NETWORK] == 41
    assert not world.engine.recovered


def test_a_journal_that_was_cut_or_changed_gives_its_whole_records_only(world: World) -> None:
    path = world.folder / "other journal"
    writes = [journal.Write(path=f"{one}/MMM_Task.dcon", offset=one, octets=bytes([one])) for one in range(3)]
    made = journal.Journal(path, world.entropy)
    for write in writes:
        made.write([write])
    made.close()
    octets = bytearray(path.read_bytes())
    for changed, whole in ((20, 0), (60, 0), (512 + 30, 1), (1024 + 90, 2), (3000, 3)):
        damaged = bytearray(octets)
        damaged[changed] ^= 1
        path.write_bytes(damaged)
        made = journal.Journal(path, world.entropy)
        assert [one for [one] in made.pending()] == writes[:whole]
        made.close()
