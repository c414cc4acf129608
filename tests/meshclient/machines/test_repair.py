"""A service that was set back to an old backup: every device notices, and gives it back what it lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from mathmesh.errors import PolicyError
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.stores import ACCESS, CREDENTIAL, INBOUND
from mathmesh.stores.sync import Diverged
from meshclient import correspondence, inbox, offline
from meshclient.repair import repair
from meshservice.engines.files import FileEngine

World = Any  # the fixture's class lives in conftest
DOMAIN = "example.com"


class Backup:
    """The folder of a service, copied and put back."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._live = world.folder / "services" / DOMAIN
        self._copy = folder
        self._restart(lambda: shutil.copytree(self._live, self._copy))

    def put_back(self) -> None:
        self._restart(lambda: (shutil.rmtree(self._live), shutil.copytree(self._copy, self._live)))

    def _restart(self, act: Any) -> None:
        engine = self._world.engines[DOMAIN]
        engine.close()
        act()
        self._world.engines[DOMAIN] = FileEngine(
            self._live, engine.identity, entropy=os.urandom, clock=self._world.clock
        )


def login(service: str, password: str) -> CatalogedCredential:
    return CatalogedCredential(service=service, username="alice1", password=password)


async def write(world: World, machine: Any, service: str, password: str) -> None:
    with world.session(machine) as session:
        await session.sync()
        await session.context.update(CREDENTIAL, [login(service, password)])


async def passwords(world: World, machine: Any) -> dict[str, str]:
    with world.session(machine) as session:
        await session.sync()
        found = session.context.catalog(CREDENTIAL).entries().values()
        return {one.service: one.password for one in found}


async def test_an_old_backup_is_noticed_and_given_back_what_it_lost(world: World, tmp_path: Path) -> None:
    alice = await world.account("alice", "alice@example.com")
    await write(world, alice, "one.example", "first")
    backup = Backup(world, tmp_path / "backup")
    phone = await world.joined("phone", alice, "web")
    await write(world, phone, "one.example", "second")
    await write(world, alice, "two.example", "first")
    newest = await passwords(world, phone)
    backup.put_back()

    with world.session(alice) as session:
        service = session.context.profile.service_udf
        with pytest.raises(Diverged, match=r"sync --repair") as noticed:
            await session.sync()
        assert str(noticed.value).startswith(f"the service {service} of alice@example.com has ")
        assert f"frames of {noticed.value.store} and had" in str(noticed.value)
        with pytest.raises(Diverged):
            await session.context.update(CREDENTIAL, [login("three.example", "never")])
        assert len(session.context.catalog(CREDENTIAL).entries()) == 2
    with world.session(phone) as session, pytest.raises(PolicyError):
        await session.sync()

    with world.session(alice) as session:
        done = await repair(session)
        assert done.given_back[CREDENTIAL] == 2
        assert ACCESS in done.given_back
        assert not done.merged
        assert not done.conflicts
    assert await passwords(world, alice) == await passwords(world, phone) == newest
    await write(world, phone, "three.example", "later")
    assert (await passwords(world, alice))["three.example"] == "later"


async def test_what_was_written_on_both_sides_is_brought_together(world: World, tmp_path: Path) -> None:
    alice = await world.account("alice", "alice@example.com")
    phone = await world.joined("phone", alice, "web")
    for service in ("same.example", "both.example", "gone.example"):
        await write(world, alice, service, "first")
    await passwords(world, phone)
    backup = Backup(world, tmp_path / "backup")
    await write(world, alice, "same.example", "of alice")
    await write(world, alice, "both.example", "of alice")
    await write(world, alice, "new.example", "of alice")
    with world.session(alice) as session:
        await session.context.update(CREDENTIAL, [], deletes=[":gone.example"])
    backup.put_back()
    for number in range(5):
        await write(world, phone, "both.example", f"of the phone {number}")
    copy = next((tmp_path / "homes" / "alice").rglob("MMM_Credential.dcon"))
    before = copy.read_bytes()
    with world.session(alice) as session:
        with pytest.raises(Diverged, match="written to"):
            await session.sync()
        assert copy.read_bytes() == before
        done = await repair(session)
        assert done.merged == [CREDENTIAL]
        assert [one.key for one in done.conflicts] == [":both.example"]
        await offline.resolve(session, ":both.example", mine=True)
        assert [one.name for one in session.context.aside.iterdir()] == ["MMM_Credential.merged"]
    expected = {"same.example": "of alice", "both.example": "of alice", "new.example": "of alice"}
    assert await passwords(world, alice) == await passwords(world, phone) == expected
    with world.session(alice) as session:
        assert (await repair(session)).given_back == {}


async def test_messages_that_the_service_lost_are_there_again(world: World, tmp_path: Path) -> None:
    alice = await world.account("alice", "alice@example.com")
    bob = await world.account("bob", "bob@example.com")
    backup = Backup(world, tmp_path / "backup")
    with world.session(bob) as session:
        await session.sync()
        await correspondence.request_contact(session, "alice@example.com")
    with world.session(alice) as session:
        await session.sync()
        [before] = (await inbox.inbound(session)).items
    backup.put_back()
    with world.session(alice) as session:
        with pytest.raises(Diverged, match=INBOUND):
            await session.sync()
        assert (await repair(session)).given_back[INBOUND] == 1
        [after] = (await inbox.inbound(session)).items
        assert after.message_id == before.message_id
        await correspondence.accept(session, after)


async def test_an_account_that_the_service_has_forgotten_is_made_again(world: World, tmp_path: Path) -> None:
    backup = Backup(world, tmp_path / "backup")
    alice = await world.account("alice", "alice@example.com")
    phone = await world.joined("phone", alice, "web")
    await write(world, phone, "one.example", "first")
    await passwords(world, alice)
    backup.put_back()
    for machine in (alice, phone):
        with world.session(machine) as session, pytest.raises(PolicyError, match="does not have alice"):
            await session.sync()
    with world.session(phone) as session, pytest.raises(PolicyError, match="seed"):
        await repair(session)
    with world.session(alice) as session:
        assert (await repair(session)).bound_again
    assert await passwords(world, alice) == await passwords(world, phone) == {"one.example": "first"}
