"""Contacts and confirmations between accounts."""

from __future__ import annotations

from typing import Any

from meshclient import correspondence, inbox


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
