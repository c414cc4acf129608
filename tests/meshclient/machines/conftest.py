"""Machines of several people and two services in one process; every machine has its own home."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mathmesh.keys import derive
from mathmesh.service.access import Caller
from mathmesh.service.client import Transport
from mathmesh.service.credentials import Credentials
from mathmesh.service.identity import ServiceIdentity
from meshclient import account_setup, correspondence, inbox
from meshclient.machine import Machine
from meshclient.session import Session, opened
from meshservice.engines.files import FileEngine
from meshservice.local import LocalTransport

START = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)


class Directory:
    """A `ServiceDirectory` over engines in this process."""

    def __init__(self, engines: Mapping[str, FileEngine]) -> None:
        self.engines = engines

    def known_domains(self) -> Iterable[str]:
        return tuple(self.engines)

    def stranger(self, address: str) -> Transport:
        return LocalTransport(self.engines[address.rpartition("@")[2]])

    def caller(self, address: str, credentials: Credentials) -> Transport:
        caller = Caller(account=credentials.account, key_id=credentials.authentication.public.udf)
        return LocalTransport(self.engines[address.rpartition("@")[2]], caller)

    async def close(self) -> None:
        pass


class World:
    """Two services, and a machine for whoever is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = START
        self.engines = {domain: self._engine(domain) for domain in ("example.com", "example.net")}
        self.directory = Directory(self.engines)

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def machine(self, name: str) -> Machine:
        return Machine(self.folder / "homes" / name)

    async def account(self, name: str, address: str) -> Machine:
        machine = self.machine(name)
        await account_setup.create_account(
            machine, address, self.directory, entropy=os.urandom, clock=self.clock
        )
        return machine

    async def exchange(self, first: Machine, second: Machine) -> None:
        """The account on `first` asks for the contact of the one on `second`."""
        with self.session(second) as session:
            await session.sync()
            address = session.address
        with self.session(first) as session:
            await session.sync()
            await correspondence.request_contact(session, address)
        with self.session(second) as session:
            await session.sync()
            [item] = [one for one in (await inbox.inbound(session)).items if one.is_open]
            await correspondence.accept(session, item)
        with self.session(first) as session:
            await session.sync()
            assert len(await correspondence.process_automatic(session)) == 1

    @contextmanager
    def session(self, machine: Machine) -> Iterator[Session]:
        file = machine.select()
        with opened(machine, file, self.directory, entropy=os.urandom, clock=self.clock) as session:
            yield session

    def close(self) -> None:
        for engine in self.engines.values():
            engine.close()

    def _engine(self, domain: str) -> FileEngine:
        seed = derive.new_seed(derive.PROFILE_SERVICE, os.urandom)
        identity = ServiceIdentity.from_seed(seed, frozenset({domain}), START)
        folder = self.folder / "services" / domain
        return FileEngine(folder, identity, entropy=os.urandom, clock=self.clock)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def closed_world(tmp_path: Path) -> Iterator[World]:
    """The same for tests that run loops of their own."""
    made = World(tmp_path)
    yield made
    made.close()
