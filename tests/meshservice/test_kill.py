"""The service killed (SIGKILL) at random moments under concurrent writers: whatever it acknowledged is there.

The services are real processes that run `meshservice run`. They are forked from one process that has
loaded the program already, so that two hundred starts do not take two hundred times a second.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.keys import derive
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.build import make_profile_user
from mathmesh.schema.validation import verify_profile_service, verify_profile_user
from mathmesh.service import messages as wire
from mathmesh.service.client import transact
from mathmesh.stores import INBOUND, LOCAL, TASK, folder_name
from mathmesh.stores.first_frame import first_frame
from meshclient.http_service import HttpService
from meshclient.session import account_credentials
from meshclient.store_files import SequenceFile
from meshclient.unreachable import ServiceUnreachable

R = TypeVar("R", bound=wire.Response)
DOMAIN = "example.com"
ADDRESSES = ("alice@example.com", "bob@example.com")
STORES = (TASK, LOCAL, INBOUND)
CLOCK_AHEAD = timedelta(seconds=2)
"""A service takes no enveloped request of the second in which it started: the writer's clock is fast."""

FORKS = """
import os, sys
from mathmesh.service import state
from meshservice.cli import commands
state.STRANGERS_A_MINUTE = state.SENT_A_MINUTE = 1_000_000
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
        commands(sys.argv[1:])
    os.waitpid(child, 0)
"""


class Forks:
    """Starts services; one at a time is there."""

    def __init__(self, data: Path) -> None:
        arguments = ["run", "--data", str(data), "--port", "0", "--domain", DOMAIN, "--json"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKS, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._running = 0

    def fork(self) -> None:
        """Start a service; it is not waited for."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        while not (line := self._line().strip()).isdigit():
            pass  # what the one before said as it was killed
        self._running = int(line)

    def start(self) -> str:
        """Start a service; the URL at which it listens once it does."""
        self.fork()
        url: str = json.loads(self._line())["url"]
        return url

    def kill(self) -> None:
        running, self._running = self._running, 0
        if running:
            os.kill(running, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self._process.communicate(timeout=20)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the service ended by itself"
        return line


class OwnerConnection(http.client.HTTPConnection):
    """A connection to the socket of the owner."""

    def __init__(self, path: Path) -> None:
        super().__init__("service", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))

    def ask(self, request: wire.Request, kind: type[R], account: str) -> R:
        headers = {"Content-Type": "application/json", "Mesh-Account": account}
        self.request("POST", "/.well-known/mmm/", request.encode(), headers)
        return wire.decode_response(self.getresponse().read(), kind)


@dataclass(slots=True)
class Written:
    """What was sent and what was acknowledged: texts, by account and store; `signers` sign messages."""

    signers: dict[str, PrivateKey]
    sent: list[dict[tuple[str, str], str]] = field(default_factory=list)
    acknowledged: set[tuple[str, str, str]] = field(default_factory=set)

    def transaction(self, writer: str, number: int, own: str, other: str) -> wire.TransactRequest:
        """One that appends to two stores of its own account and delivers to the other's."""
        text = f"{writer} {number}"
        self.sent.append({(own, TASK): text, (own, LOCAL): text, (other, INBOUND): text})
        return wire.TransactRequest(
            updates=(wire.ContainerUpdate(container=TASK, envelopes=(_envelope(text),)),),
            local=(_envelope(text),),
            outbound=(_message(text, self.signers[own]),),
            accounts=(other,),
        )

    def acknowledge(self, writer: str, number: int, own: str, other: str) -> None:
        places = ((own, TASK), (own, LOCAL), (other, INBOUND))
        self.acknowledged |= {(account, store, f"{writer} {number}") for account, store in places}


def _envelope(text: str) -> Envelope:
    return seal(text.encode(), entropy=os.urandom)


def _message(text: str, signer: PrivateKey) -> Envelope:
    meta = ContentMeta(message_type="MessageContact", cty="application/mmm/object")
    return seal(text.encode(), entropy=os.urandom, signer=signer, content_meta=meta)


class World:
    """Two accounts at a service that is killed again and again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.forks = Forks(data)
        self.seeds = {one: derive.new_seed(derive.PROFILE_ACCOUNT, os.urandom) for one in ADDRESSES}
        signers = {one: derive.derive_key(seed, "CompleteAccountSign") for one, seed in self.seeds.items()}
        self.written = Written(signers=signers)
        self.udfs: dict[str, str] = {}
        self.random = random.Random(4)

    @property
    def socket(self) -> Path:
        return self.data / "service.sock"

    def bind(self) -> None:
        self.forks.start()
        connection = OwnerConnection(self.socket)
        hello = connection.ask(wire.HelloRequest(), wire.MeshHelloResponse, ADDRESSES[0])
        assert hello.enveloped_profile_service is not None
        service = verify_profile_service(hello.enveloped_profile_service)
        for address, seed in self.seeds.items():
            profile = make_profile_user(seed, address, service.udf, datetime.now(UTC))
            self.udfs[address] = verify_profile_user(profile).udf
            bind = wire.BindRequest(account_address=address, enveloped_profile_account=profile)
            assert connection.ask(bind, wire.BindResponse, address).status == 201
            begin = wire.ContainerUpdate(container=TASK, index=0, envelopes=(first_frame(),))
            begun = wire.TransactRequest(updates=(begin,))
            assert connection.ask(begun, wire.TransactResponse, address).status == 201
        connection.close()
        self.forks.kill()

    def round(self, number: int) -> None:
        """Start, write from four sides, kill at a moment that nobody expects; at times also in a start."""
        while self.random.random() < 0.2:
            self.forks.fork()
            time.sleep(self.random.uniform(0.0, 0.1))
            self.forks.kill()
        url = self.forks.start()
        pairs = (ADDRESSES, ADDRESSES[::-1], ADDRESSES)
        writers = [
            threading.Thread(target=self._write, args=(f"{number}/{side}", *pair))
            for side, pair in enumerate(pairs)
        ]
        writers.append(threading.Thread(target=self._write_enveloped, args=(f"{number}/e", url, *ADDRESSES)))
        for writer in writers:
            writer.start()
        self._wait(len(self.written.acknowledged) + 3 * self.random.randrange(10))
        time.sleep(self.random.uniform(0.0, 0.03))
        self.forks.kill()
        for writer in writers:
            writer.join()

    def _wait(self, acknowledged: int) -> None:
        """Until so many frames are acknowledged, on a busy machine too."""
        end = time.monotonic() + 5
        while len(self.written.acknowledged) < acknowledged and time.monotonic() < end:
            time.sleep(0.002)

    def _write(self, name: str, own: str, other: str) -> None:
        connection = OwnerConnection(self.socket)
        with suppress(OSError, http.client.HTTPException):
            for number in range(10_000):
                request = self.written.transaction(name, number, own, other)
                assert connection.ask(request, wire.TransactResponse, own).status == 201
                self.written.acknowledge(name, number, own, other)
        connection.close()

    def _write_enveloped(self, name: str, url: str, own: str, other: str) -> None:
        async def write() -> None:
            service = HttpService(url, clock=lambda: datetime.now(UTC) + CLOCK_AHEAD)
            transport = service.caller(account_credentials(own, self.seeds[own]))
            try:
                for number in range(10_000):
                    request = self.written.transaction(name, number, own, other)
                    await transact(transport, request, wire.TransactResponse)
                    self.written.acknowledge(name, number, own, other)
            finally:
                await service.close()

        with suppress(ServiceUnreachable):
            asyncio.run(write())

    def check(self) -> Counter[str]:
        """What was acknowledged is there once, in stores that verify; a transaction is whole or absent."""
        self.forks.start()
        self.forks.kill()
        found: Counter[tuple[str, str, str]] = Counter()
        for address, udf in self.udfs.items():
            for store in STORES:
                with SequenceFile.open(self.data / "service" / folder_name(udf) / f"{store}.dcon") as file:
                    assert file.recovered_octets == 0
                    file.verify()
                    bodies = [frame.body.decode() for frame in file.frames(1)]
                found.update((address, store, body) for body in bodies)
        assert self.written.acknowledged <= set(found)
        assert set(found.values()) == {1}
        for places in self.written.sent:
            present = {(account, store, text) in found for (account, store), text in places.items()}
            assert len(present) == 1, places
        return Counter(acknowledged=len(self.written.acknowledged), found=len(found))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "d")
    try:
        made.bind()
        yield made
    finally:
        made.forks.close()


@pytest.mark.slow
def test_a_killed_service_loses_nothing_it_acknowledged(world: World) -> None:
    for number in range(15):
        world.round(number)
    assert world.check()["acknowledged"] > 100


@pytest.mark.long
@pytest.mark.timeout(900)
def test_two_hundred_kills_lose_nothing(world: World) -> None:
    for number in range(200):
        world.round(number)
        if number % 20 == 19:
            world.check()
    assert world.check()["acknowledged"] > 2000
