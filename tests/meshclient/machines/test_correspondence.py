"""Contacts and confirmations between accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mathmesh.errors import MeshError, PolicyError
from meshclient import blocked, correspondence, inbox


async def test_contacts_are_exchanged(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    bob = await world.account("bob", "bob@example.com")
    await world.exchange(bob, alice)
    for machine, other in ((alice, "bob@example.com"), (bob, "alice@example.com")):
        with world.session(machine) as session:
            assert session.user_at(other).account_address == other


async def test_a_confirmation_is_signed(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    console = await world.account("console", "console@example.com")
    await world.exchange(console, alice)
    for verdict in (True, False):
        with world.session(console) as session:
            sent = await correspondence.ask_confirmation(session, "alice@example.com", "start")
            assert await correspondence.answer_to(session, sent.response_id) == ("Pending", None)
        with world.session(alice) as session:
            await session.sync()
            item = (await inbox.inbound(session)).find(sent.message_id)
            await (correspondence.accept if verdict else correspondence.reject)(session, item)
        with world.session(console) as session:
            await session.sync()
            expected = "Accept" if verdict else "Reject", "alice@example.com"
            assert await correspondence.answer_to(session, sent.response_id) == expected


async def test_a_code_exchanges_contacts(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    bob = await world.account("bob", "bob@example.com")
    with world.session(alice) as session:
        await session.sync()
        code = await correspondence.publish_contact(session, None)
    with world.session(bob) as session:
        await session.sync()
        found = await correspondence.read_contact_code(session, code, exchange=True)
        assert found.account.account_address == "alice@example.com"
    with world.session(alice) as session:
        await session.sync()
        [done] = await correspondence.process_automatic(session)
        assert done.text == "contact bob@example.com added"
        assert session.user_at("bob@example.com").account_address == "bob@example.com"


async def test_a_blocked_sender_is_not_heard(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    bob = await world.account("bob", "bob@example.com")
    with world.session(bob) as session:
        await session.sync()
        await correspondence.request_contact(session, "alice@example.com")
    with world.session(alice) as session:
        await session.sync()
        view = await inbox.inbound(session)
        with pytest.raises(PolicyError, match="itself"):
            await blocked.block(session, "alice@example.com", view.items)
        assert await blocked.block(session, "Bob@example.com", view.items) == 1
        assert not [item for item in (await inbox.inbound(session)).items if item.is_open]
        assert blocked.addresses(session.contacts()) == {"bob@example.com"}
        code = await correspondence.publish_contact(session, None)
    with world.session(bob) as session:
        await session.sync()
        await correspondence.read_contact_code(session, code, exchange=True)
    with world.session(alice) as session:
        await session.sync()
        assert await correspondence.process_automatic(session) == []
        entries = len(session.contacts())
        await blocked.unblock(session, "bob@example.com")
        assert len(session.contacts()) == entries - 1
        assert len(await correspondence.process_automatic(session)) == 1
        assert await blocked.block(session, "bob@example.com", []) == 0
        await blocked.unblock(session, "bob@example.com")
        assert session.user_at("bob@example.com").account_address == "bob@example.com"
        with pytest.raises(PolicyError, match="not blocked"):
            await blocked.unblock(session, "bob@example.com")


async def test_a_printed_code_is_good_for_years(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    with world.session(alice) as session:
        await session.sync()
        printed = await correspondence.publish_contact(session, None)
        on_screen = await correspondence.publish_contact(session, timedelta(hours=1))
    world.now += timedelta(days=3 * 365)
    for name in ("bob", "carol"):
        reader = await world.account(name, f"{name}@example.com")
        with world.session(reader) as session:
            await session.sync()
            with pytest.raises(MeshError):
                await correspondence.read_contact_code(session, on_screen, exchange=True)
            await correspondence.read_contact_code(session, printed, exchange=True)
    with world.session(alice) as session:
        await session.sync()
        assert len(await correspondence.process_automatic(session)) == 2
        assert session.user_at("carol@example.com").account_address == "carol@example.com"
