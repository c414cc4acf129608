"""A machine with a hub's data folder: key file, hosted service, both accounts.

The first start is made once and its folder copied for each test.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meshclient import household
from meshclient.household import Household
from meshservice.engines.files import FileEngine
from meshservice.local import LocalTransport

START = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)


class Clock:
    """The time, moved by hand; service and client share it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Machine:
    """A data folder, and what runs on it between `start` and `stop`."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.clock = Clock()
        self.engine: FileEngine
        self.home: Household

    def start_service(self, address: str | None = None) -> None:
        keys = household.open_keys(self.data, address=address, entropy=os.urandom, now=self.clock()).keys
        identity = household.service_identity(keys)
        self.engine = FileEngine(self.data / "service", identity, entropy=os.urandom, clock=self.clock)

    async def start(self, address: str | None = None) -> None:
        self.start_service(address)
        try:
            self.home = await self.open_home(address)
        except BaseException:
            self.engine.close()
            raise

    async def open_home(self, address: str | None = None) -> Household:
        return await household.open_or_create(
            self.data,
            address=address,
            service=LocalTransport(self.engine),
            entropy=os.urandom,
            now=self.clock(),
            clock=self.clock,
        )

    def stop(self) -> None:
        self.home.close()
        self.engine.close()

    async def restart(self) -> None:
        self.stop()
        await self.start()


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after a first start."""
    data = tmp_path_factory.mktemp("household") / "data"
    machine = Machine(data)
    asyncio.run(machine.start())
    machine.stop()
    return data


@pytest.fixture
def stopped(first_start: Path, tmp_path: Path) -> Machine:
    """A machine after its first start, stopped."""
    shutil.copytree(first_start, tmp_path / "data")
    return Machine(tmp_path / "data")


@pytest.fixture
async def machine(stopped: Machine) -> AsyncIterator[Machine]:
    """A machine after its first start, running."""
    await stopped.start()
    yield stopped
    stopped.stop()


@pytest.fixture
def fresh(tmp_path: Path) -> Machine:
    """A machine before its first start."""
    return Machine(tmp_path / "fresh")
