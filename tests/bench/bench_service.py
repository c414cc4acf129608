"""A service with 10, 100 and 1000 accounts, ten devices each: what it does in a second, and how that grows.

Requests are enveloped: each is opened, authenticated, done, made durable and answered in an envelope, by
eight threads as in the HTTP binding. Every request is from another account, in an order that no cache
expects; `first` is the round in which the service had not seen the account since its start.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.report import Figure
from tests.bench.service_accounts import DOMAIN, Member, make_member

from mathmesh.keys import derive
from mathmesh.schema.validity import key_in_use
from mathmesh.service import messages as wire
from mathmesh.service.enveloping import ServiceKeys, open_response, seal_request
from mathmesh.service.identity import ServiceIdentity
from mathmesh.stores import CREDENTIAL
from meshclient import open_file
from meshservice.engines.files import FileEngine

ACCOUNTS = 100
REQUESTS = 100
THREADS = 8
ROUNDS = 3

START = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from meshservice.engines.files import FileEngine
from mathmesh.service.identity import ServiceIdentity
import os
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
created = datetime.fromisoformat(sys.argv[4])
identity = ServiceIdentity.from_seed(sys.argv[2], frozenset({sys.argv[3]}), created)
empty = resident()
start = time.perf_counter()
engine = FileEngine(Path(sys.argv[1]), identity, entropy=os.urandom, clock=lambda: datetime.now(UTC))
took = time.perf_counter() - start
started = resident() - empty
for account in list(engine.state.accounts()):
    account.profile, account.access("none")
    for one in engine.stores(account.udf):
        engine.status(account.udf, one)
print(took, started, resident() - empty)
engine.close()
"""


class Bench:
    """The service and its members so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "service"
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.seed = derive.new_seed(derive.PROFILE_SERVICE, os.urandom)
        self.identity = ServiceIdentity.from_seed(self.seed, frozenset({DOMAIN}), self.now)
        profile = self.identity.profile
        self.keys = ServiceKeys(
            profile=profile,
            encryption=key_in_use(profile.service_encryption, "ServiceEncryption", self.now),
            signers=(self.identity.signature.public,),
        )
        self.members: list[Member] = []
        self.engine = self.open()

    def open(self) -> FileEngine:
        return FileEngine(self.folder, self.identity, entropy=os.urandom, clock=self.clock)

    @staticmethod
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=2)

    def grow(self, count: int) -> float:
        """Add accounts until there are so many; the seconds that one took."""
        before, start = len(self.members), time.perf_counter()
        for number in range(before, count):
            self.members.append(make_member(self.engine, number, self.now))
        return (time.perf_counter() - start) / max(1, count - before)

    def start(self) -> tuple[float, float, float]:
        """Seconds to start, octets of memory after it, and with all accounts in use."""
        self.engine.close()
        command = [sys.executable, "-c", START, str(self.folder), self.seed, DOMAIN, self.now.isoformat()]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        self.engine = self.open()
        took, started, used = (float(one) for one in done.stdout.split())
        return took, started, used

    def rate(self, members: list[Member], request: Callable[[Member, int], wire.Request]) -> float:
        """Requests a second; every answer is opened afterwards and must be a success."""
        sealed = [
            seal_request(
                request(one, number).encode(),
                self.keys,
                one.credentials,
                entropy=os.urandom,
                now=datetime.now(UTC) + timedelta(seconds=4),
            )
            for number, one in enumerate(members)
        ]
        with ThreadPoolExecutor(THREADS) as pool:
            start = time.perf_counter()
            answers = list(pool.map(lambda one: self.engine.dispatch_enveloped(one.octets), sealed))
            took = time.perf_counter() - start
        for one, answer in zip(sealed, answers, strict=True):
            octets = open_response(answer.octets, one, self.keys)
            response = wire.decode_response(octets, wire.response_type(request(members[0], 0).OPERATION))
            if not response.succeeded:
                raise RuntimeError(f"the service refuses: {response.status_description}")
        return len(members) / took


def figures(folder: Path) -> Iterator[Figure]:
    """The figures at each size up to ACCOUNTS."""
    accounts = ACCOUNTS
    bench = Bench(folder)
    chance = random.Random(1)
    sizes = [size for size in (10, 100) if size < accounts] + [accounts]
    kinds: dict[str, Callable[[Member, int], wire.Request]] = {
        "Status": lambda _, __: wire.StatusRequest(),
        "Download": lambda _, __: wire.DownloadRequest(
            select=(wire.ConstraintsSelect(container=CREDENTIAL, index_min=0, index_max=11),)
        ),
        "Transact": lambda member, number: member.transact(number),
        "Operate": lambda member, _: member.operate(),
    }
    for size in sizes:
        made = bench.grow(size)
        took, started, used = bench.start()
        yield Figure(name=f"{size} accounts: made, with ten devices", rate=1 / made, unit="/s")
        yield Figure(name=f"{size} accounts: start", rate=took * 1000, unit="ms")
        yield Figure(name=f"{size} accounts: memory after start", rate=started / 1e6, unit="MB")
        yield Figure(name=f"{size} accounts: memory with all in use", rate=used / 1e6, unit="MB")
        chosen = [chance.choice(bench.members) for _ in range(REQUESTS)]
        first = bench.rate(list({one.address: one for one in chosen}.values()), kinds["Status"])
        yield Figure(name=f"{size} accounts: Status, first", rate=first, unit="/s")
        for name, request in kinds.items():
            with counted() as count:
                best = max(bench.rate(chosen, request) for _ in range(ROUNDS))
            cost: dict[str, Any] = {}
            if name == "Transact":
                cost = {one: value / (ROUNDS * REQUESTS) for one, value in count.items()}
            yield Figure(name=f"{size} accounts: {name}", rate=best, unit="/s", **cost)
    bench.engine.close()


@contextmanager
def counted() -> Iterator[dict[str, float]]:
    """Counts syncs, and octets written, of this process."""
    found: dict[str, float] = {"syncs": 0.0, "octets": 0.0}
    places = ((os, "fsync"), (os, "fdatasync"), (open_file, "_datasync"))
    real = [getattr(where, name) for where, name in places]

    def counting(call: Callable[[int], None]) -> Callable[[int], None]:
        def sync(descriptor: int) -> None:
            found["syncs"] += 1
            call(descriptor)

        return sync

    for (where, name), call in zip(places, real, strict=True):
        setattr(where, name, counting(call))
    before = _written()
    try:
        yield found
    finally:
        found["octets"] = _written() - before
        for (where, name), call in zip(places, real, strict=True):
            setattr(where, name, call)


def _written() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))
