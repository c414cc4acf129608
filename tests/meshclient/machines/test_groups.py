"""Groups: files that members open with the service's help, until they leave."""

from __future__ import annotations

import os
from typing import Any

import pytest

from mathmesh.dare.envelope import open_envelope, seal
from mathmesh.errors import KeyUnavailableError, PolicyError
from meshclient import correspondence, groups, key_source
from meshclient.session import Session

SECRET = b"what the group knows"


async def opened(session: Session, envelope: Any) -> bytes:
    keyring = await key_source.keyring_for(session, envelope.header)
    return open_envelope(envelope, keyring=keyring).plaintext


async def test_a_group_from_first_to_last(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    bob = await world.account("bob", "bob@example.com")
    await world.exchange(bob, alice)
    with world.session(alice) as session:
        await session.sync()
        await groups.create(session, "groupw@example.com")
        recipient = key_source.recipient(session, "groupw@example.com")
        envelope = seal(SECRET, entropy=os.urandom, recipients=[recipient])
        with pytest.raises(KeyUnavailableError, match="No decryption key is available"):
            await opened(session, envelope)
        for member in ("alice@example.com", "bob@example.com"):
            await groups.add(session, "groupw@example.com", member)
        with pytest.raises(PolicyError, match="already"):
            await groups.add(session, "groupw@example.com", "bob@example.com")
    for machine in (alice, bob):
        with world.session(machine) as session:
            await session.sync()
            assert len(await correspondence.process_automatic(session)) == 1
            assert await opened(session, envelope) == SECRET
    with world.session(alice) as session:
        assert len(await groups.members(session, "groupw@example.com")) == 2
        await groups.delete(session, "groupw@example.com", "bob@example.com")
        assert len(await groups.members(session, "groupw@example.com")) == 1
        assert await opened(session, envelope) == SECRET
    with world.session(bob) as session:
        await session.sync()
        with pytest.raises(PolicyError, match="A requested cryptographic operation failed"):
            await opened(session, envelope)
