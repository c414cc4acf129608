"""Machines of several people and two services in one process; every machine has its own home."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.ssh_server import Sshd

from mathmesh.errors import PolicyError
from mathmesh.keys import derive
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.service.access import Caller
from mathmesh.service.client import Transport
from mathmesh.service.credentials import Credentials
from mathmesh.service.identity import ServiceIdentity
from mathmesh.stores import CREDENTIAL
from meshclient import account_setup, correspondence, devices, inbox
from meshclient.machine import Machine
from meshclient.meshman import running
from meshclient.meshman.cli import commands
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
        return LocalTransport(self._engine(address))

    def caller(self, address: str, credentials: Credentials) -> Transport:
        caller = Caller(account=credentials.account, key_id=credentials.authentication.public.udf)
        return LocalTransport(self._engine(address), caller)

    async def close(self) -> None:
        pass

    def _engine(self, address: str) -> FileEngine:
        domain = address.rpartition("@")[2]
        if domain not in self.engines:
            raise PolicyError(f"the service of {domain} is not known")
        return self.engines[domain]


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

    async def joined(
        self, name: str, administrator: Machine, *roles: str, expires: datetime | None = None
    ) -> Machine:
        """A new machine in the account of `administrator`, by witness."""
        with self.session(administrator) as session:
            address = session.address
        machine = self.machine(name)
        requested = await devices.request_connection(
            machine, address, self.directory, entropy=os.urandom, clock=self.clock
        )
        assert await devices.complete(machine, machine.waiting(), self.directory, clock=self.clock) is None
        with self.session(administrator) as session:
            await session.sync()
            [pending] = await devices.pending(session)
            assert pending.acknowledged.witness == requested.witness
            await devices.accept(session, pending.acknowledged, roles, expires=expires)
            assert await devices.pending(session) == []
        await self.completed(machine)
        return machine

    async def completed(self, machine: Machine) -> None:
        """The machine fetches the answer to its request, which is an acceptance."""
        found = await devices.complete(machine, machine.waiting(), self.directory, clock=self.clock)
        assert found is not None
        assert found[0].accepted
        with self.session(machine) as session:
            await session.sync()

    async def password(
        self, machine: Machine, service: str = "ftp.example.com", *, sync: bool = True
    ) -> str | None:
        """What a machine knows as the password for `service`."""
        with self.session(machine) as session:
            if sync:
                await session.sync()
            else:
                await session.context.unlock()
            entry = session.context.catalog(CREDENTIAL).get(":" + service)
            return entry.password if isinstance(entry, CatalogedCredential) else None

    async def keep(self, machine: Machine, value: str, service: str = "ftp.example.com") -> None:
        """A machine writes a password for `service`."""
        with self.session(machine) as session:
            await session.sync()
            entry = CatalogedCredential(service=service, username="alice1", password=value)
            await session.context.update(CREDENTIAL, [entry])

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


@dataclass(frozen=True)
class Run:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The result object."""
        return json.loads(self.out)

    def value(self, name: str) -> str:
        """What stands behind `name = `."""
        [found] = [
            line.partition(" = ")[2] for line in self.out.splitlines() if line.startswith(f"{name} = ")
        ]
        return found


@pytest.fixture
def meshman(closed_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """`meshman(actor, words)`: a command on the machine of an actor."""
    monkeypatch.setattr(running, "Directory", lambda home: closed_world.directory)
    monkeypatch.setattr(running, "utc_now", closed_world.clock)
    monkeypatch.chdir(tmp_path)

    def run(actor: str, words: str, *more: str, input: str | None = None) -> Run:
        monkeypatch.setenv("MESHMAN_HOME", str(tmp_path / "homes" / actor))
        args = [*words.split(), *more]
        result = CliRunner().invoke(commands, args, prog_name="meshman", input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Run(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def alice(meshman: Callable[..., Run]) -> Callable[..., Run]:
    """A command on the machine of Alice, who has an account."""
    assert meshman("alice", "account create alice@example.com").code == 0
    return lambda words, *more, input=None: meshman("alice", words, *more, input=input)


@pytest.fixture
def join(meshman: Callable[..., Run], alice: Callable[..., Run]) -> Callable[..., str]:
    """`join(actor, roles)`: take the machine of an actor into Alice's account; its UDF."""

    def connect(actor: str, roles: str) -> str:
        asked = meshman(actor, "device request alice@example.com")
        accepted = alice(f"device accept {asked.value('Witness value')} {roles}")
        assert accepted.code == 0, accepted.err
        assert meshman(actor, "device complete").code == 0
        return asked.value("Device UDF")

    return connect


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    if not Sshd.is_installed():
        pytest.skip("openssh-server and openssh-client are not installed")
    made = Sshd(tmp_path / "sshd")
    yield made
    made.stop()
