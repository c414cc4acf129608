"""An account moves to another service and keeps its UDF, its contacts and its devices."""

from __future__ import annotations

import os
from typing import Any

import pytest

from mathmesh.errors import PolicyError
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.stores import CREDENTIAL, DEVICE
from meshclient import correspondence, devices
from meshclient.rehost import rehost


async def test_an_account_moves(world: Any) -> None:
    alice = await world.account("alice", "alice@example.com")
    carol = await world.account("carol", "carol@example.net")
    login = CatalogedCredential(service="ftp.example.com", username="alice1", password="first")
    with world.session(alice) as session:
        await session.sync()
        await session.context.update(CREDENTIAL, [login])
        udf = session.context.udf
        _, code, _ = await devices.issue_pin(session, ["web"])
    phone = world.machine("phone")
    await devices.request_connection(phone, code, world.directory, entropy=os.urandom, clock=world.clock)
    with world.session(alice) as session:
        await session.sync()
        await correspondence.process_automatic(session)
    await devices.complete(phone, phone.waiting(), world.directory, clock=world.clock)
    with world.session(phone) as session:
        await session.sync()
    with world.session(alice) as session:
        assert await rehost(session, "alice@example.net") == "alice@example.net"
    with world.session(alice) as session:
        await session.sync()
        assert (session.address, session.context.udf) == ("alice@example.net", udf)
        assert len(session.context.catalog(DEVICE).entries()) == 2
        await session.context.update(CREDENTIAL, [login])
        with pytest.raises(PolicyError, match="already"):
            await rehost(session, "alice@example.net")
    with world.session(phone) as session, pytest.raises(PolicyError, match="has moved"):
        await session.sync()
    with world.session(phone) as session:
        await session.sync()
        assert session.address == "alice@example.net"
        assert session.context.catalog(CREDENTIAL).get(":ftp.example.com") == login
    await world.exchange(carol, alice)
