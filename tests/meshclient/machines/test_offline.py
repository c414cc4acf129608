"""Work without the service is merged, or told of as a conflict; nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mathmesh.errors import PolicyError
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.stores import CREDENTIAL
from meshclient import offline
from meshclient.unreachable import ServiceUnreachable
from meshservice.local import LocalTransport

KEY = ":ftp.example.com"
OTHER = ":www.example.com"


def login(password: str, service: str = "ftp.example.com") -> CatalogedCredential:
    return CatalogedCredential(service=service, username="alice1", password=password)


@contextmanager
def cut(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No service answers."""

    async def exchange(self: Any, request: bytes) -> bytes:
        raise ServiceUnreachable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(LocalTransport, "exchange", exchange)
        yield


def passwords(session: Any) -> dict[str, str]:
    return {key: entry.password for key, entry in offline.entries(session, CREDENTIAL).items()}


async def test_work_is_merged(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = await world.account("alice", "alice@example.com")
    with world.session(alice) as session:
        assert await offline.write(session, CREDENTIAL, [login("first"), login("w", "www.example.com")])
        with cut(monkeypatch):
            assert not await offline.write(session, CREDENTIAL, [login("second")], deletes=[OTHER])
            assert passwords(session) == {KEY: "second"}
    text = (alice.select().folder / offline.FILE).read_bytes()
    assert b"second" not in text
    with world.session(alice) as session:
        assert passwords(session) == {KEY: "second"}
        await session.sync()
        assert await offline.merge(session) == []
        assert offline.kept(session) == []
        assert list(session.context.catalog(CREDENTIAL).entries()) == [KEY]
        assert passwords(session) == {KEY: "second"}


@pytest.mark.parametrize("mine", [True, False])
async def test_a_conflict_is_told_and_decided(
    world: Any, monkeypatch: pytest.MonkeyPatch, mine: bool
) -> None:
    alice = await world.account("alice", "alice@example.com")
    with world.session(alice) as session:
        await offline.write(session, CREDENTIAL, [login("first")])
        with cut(monkeypatch):
            await offline.write(session, CREDENTIAL, [login("mine")])
        await session.context.update(CREDENTIAL, [login("theirs")])
        [conflict] = await offline.merge(session)
        assert conflict.key == KEY
        assert [one.entry.password for one in offline.kept(session)] == ["mine"]  # type: ignore[union-attr]
        assert passwords(session) == {KEY: "theirs"}
        assert len(await offline.merge(session)) == 1
        await offline.resolve(session, KEY, mine=mine)
        assert passwords(session) == {KEY: "mine" if mine else "theirs"}
        assert offline.kept(session) == []
        with pytest.raises(PolicyError, match="no conflict"):
            await offline.resolve(session, KEY, mine=True)


async def test_the_same_change_twice_is_none(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = await world.account("alice", "alice@example.com")
    with world.session(alice) as session:
        await session.sync()
        with cut(monkeypatch):
            await offline.write(session, CREDENTIAL, [login("both")])
        await session.context.update(CREDENTIAL, [login("both")])
        assert await offline.merge(session) == []
