"""Several devices of an account write at once: all of it is there in the end, everywhere the same."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any

import pytest

from mathmesh.schema.cataloged import CatalogedCredential, CatalogedNetwork
from mathmesh.stores import CREDENTIAL, NETWORK
from meshclient.session import Session
from meshservice.local import LocalTransport

WRITES = 6


def login(service: str, password: str) -> CatalogedCredential:
    return CatalogedCredential(service=service, username="alice1", password=password)


@pytest.fixture
def slow_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a request and its answer others have their turn."""
    exchange = LocalTransport.exchange

    async def with_turns(self: LocalTransport, request: bytes) -> bytes:
        await asyncio.sleep(0)
        answer = await exchange(self, request)
        await asyncio.sleep(0)
        return answer

    monkeypatch.setattr(LocalTransport, "exchange", with_turns)


async def states(sessions: list[Session]) -> list[Any]:
    """What each device has after a sync: the passwords, and the length of their store."""
    result = []
    for session in sessions:
        await session.sync()
        entries = session.context.catalog(CREDENTIAL).entries()
        result.append(
            (
                {key: one.password for key, one in entries.items() if isinstance(one, CatalogedCredential)},
                session.context.frame_counts()[CREDENTIAL],
            )
        )
    return result


async def test_writes_at_once_converge(world: Any, slow_network: None) -> None:
    alice = await world.account("alice", "alice@example.com")
    machines = [alice, *[await world.joined(name, alice, "web") for name in ("second", "third")]]
    with ExitStack() as stack:
        sessions = [stack.enter_context(world.session(machine)) for machine in machines]
        for session in sessions:
            await session.sync()

        async def write(number: int) -> None:
            for count in range(WRITES):
                entry = login(f"{number}.{count}.example.com", f"p{number}.{count}")
                await sessions[number].context.update(CREDENTIAL, [entry])

        await asyncio.gather(*[write(number) for number in range(len(sessions))])
        first, *others = await states(sessions)
        assert all(one == first for one in others)
        assert first[0] == {
            f":{number}.{count}.example.com": f"p{number}.{count}"
            for number in range(len(sessions))
            for count in range(WRITES)
        }


async def test_the_same_entry_written_at_once(world: Any, slow_network: None) -> None:
    """One of the two is the newest everywhere, and both are in the store's history."""
    alice = await world.account("alice", "alice@example.com")
    machines = [alice, await world.joined("second", alice, "web")]
    with ExitStack() as stack:
        sessions = [stack.enter_context(world.session(machine)) for machine in machines]
        for session in sessions:
            await session.sync()
        written = [login("ftp.example.com", f"of {number}") for number in range(2)]
        await asyncio.gather(
            *[
                session.context.update(CREDENTIAL, [entry])
                for session, entry in zip(sessions, written, strict=True)
            ]
        )
        first, second = await states(sessions)
        assert first == second
        assert first[0][":ftp.example.com"] in ("of 0", "of 1")
        assert first[1] == 3


async def test_one_that_writes_on_an_old_state(world: Any) -> None:
    """A device that did not sync meanwhile writes over nothing that others wrote."""
    alice = await world.account("alice", "alice@example.com")
    second = await world.joined("second", alice, "web")
    with world.session(second) as behind:
        await behind.sync()
        with world.session(alice) as session:
            await session.sync()
            await session.context.transact(
                updates={
                    CREDENTIAL: [login("a.example.com", "a")],
                    NETWORK: [CatalogedNetwork(service="home", password="w")],
                }
            )
        await behind.context.update(CREDENTIAL, [login("b.example.com", "b")])
        found = behind.context.catalog(CREDENTIAL).entries()
        assert sorted(found) == [":a.example.com", ":b.example.com"]
        assert len(behind.context.catalog(NETWORK).entries()) == 1
