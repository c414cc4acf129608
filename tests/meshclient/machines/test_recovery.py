"""The account's seed in shares: made, printed, tried out, used, and removed from a machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from mathmesh.errors import PolicyError
from mathmesh.stores import CREDENTIAL
from meshclient import account_setup, devices, withdrawal
from meshclient.meshman import running


class Nobody:
    """A `ServiceDirectory` of a machine that knows no service."""

    def known_domains(self) -> Iterable[str]:
        return ()

    def stranger(self, address: str) -> Any:
        raise AssertionError(f"{address} was asked")

    def caller(self, address: str, credentials: Any) -> Any:
        raise AssertionError(f"{address} was asked")

    async def close(self) -> None:
        pass


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, except the lock of an account."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def shares_of(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.startswith("Share: ")]


def test_a_rehearsal_changes_nothing_and_asks_nobody(
    meshman: Callable[..., Any], alice: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = shares_of(alice("account escrow").out)
    assert len(shares) == 3
    udf = alice("account info").out.splitlines()[1]
    before = tree(tmp_path)
    monkeypatch.setattr(running, "Directory", lambda home: Nobody())
    for actor in ("nobody", "alice"):
        for pair in (shares[:2], shares[1:], shares[::2]):
            said = meshman(actor, "account recover /verify", *pair)
            assert (said.code, said.out) == (0, udf + "\n")
    one = meshman("nobody", "account recover /verify", shares[0])
    assert one.code == 1
    assert "2 are needed" in one.err
    assert tree(tmp_path) == before
    assert not (tmp_path / "homes" / "nobody").exists()


def test_cards_are_printed(alice: Callable[..., Any], tmp_path: Path) -> None:
    said = alice("account escrow /quorum=3 /shares=5 /cards=cards.svg")
    assert said.code == 0
    drawing = (tmp_path / "cards.svg").read_text()
    assert "Recovery share 5 of 5" in drawing
    assert "3 of 5 such cards recover the account" in drawing
    assert "alice@example.com" in drawing
    for share in shares_of(said.out):
        assert "-".join(share.split("-")[:5]) + "-" in drawing
    wrong = alice("account escrow /cards=cards.txt")
    assert (wrong.code, wrong.out) == (1, "")
    assert "neither in .svg nor in .pdf nor in .png" in wrong.err


async def test_an_empty_machine_administers_again(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    await world.keep(alice, "first")
    lost = await world.joined("lost", alice, "web")
    with world.session(alice) as session:
        shares = account_setup.escrow(session, 2, 3)
        udf = session.context.udf
    new = world.machine("new")
    restored = account_setup.restore(shares[1:], udf)
    found = await account_setup.find_account(restored, "alice@example.com", world.directory)
    await account_setup.recover_account(new, found, world.directory, entropy=os.urandom, clock=world.clock)
    assert await world.password(new) == "first"
    with world.session(new) as session:
        await session.sync()
        for machine in (alice, lost):
            keys = machine.select().keys
            name = keys.entry.device_udf if keys.entry is not None else None
            name = name or next(one for one in listed_but(session, lost))
            await withdrawal.delete(session, devices.find(session, name))
        assert [one.roles for one in devices.in_good_standing(session)] == [account_setup.ROLES]
    for machine in (alice, lost):
        with pytest.raises(PolicyError, match="this device was revoked"):
            await world.password(machine)
    await world.keep(new, "second")
    again = await world.joined("again", new, "web")
    assert await world.password(again) == "second"


def listed_but(session: Any, machine: Any) -> list[str]:
    """The devices of the account that are neither the session's own nor `machine`."""
    others = (session.context.device.profile.udf, machine.select().keys.entry.device_udf)
    return [one.device_udf for one in devices.listed(session) if one.device_udf not in others]


async def test_a_machine_without_the_seed_is_an_administrator_still(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    await world.keep(alice, "first")
    with world.session(alice) as session:
        await session.sync()
        seed = session.seed_keys.seeds.seed
        shares = account_setup.escrow(session, 2, 3)
        account_setup.purge(session)
    assert all(seed.encode() not in content for content in tree(alice.home).values())
    second = await world.joined("second", alice, "web")
    assert await world.password(second) == "first"
    with world.session(alice) as session:
        await session.sync()
        with pytest.raises(PolicyError, match="account recover"):
            account_setup.escrow(session, 2, 3)
        before = session.context.keys.recipient(CREDENTIAL).udf
        await withdrawal.delete(session, devices.find(session, second.select().keys.entry.device_udf))
    restored = account_setup.restore(shares[:2])
    found = await account_setup.find_account(restored, "alice@example.com", world.directory)
    new = world.machine("new")
    await account_setup.recover_account(new, found, world.directory, entropy=os.urandom, clock=world.clock)
    with world.session(new) as session:
        await session.sync()
        assert await withdrawal.finish(session)
        assert session.context.keys.recipient(CREDENTIAL).udf != before
    await world.keep(new, "second")
    assert await world.password(alice) == "second"
