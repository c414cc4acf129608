"""Sealed sequences beside plain files, SQLite and the sum of the primitives they are made of."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from tests.bench.report import Figure, rates

from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from meshclient import side_index
from meshclient.store_files import SequenceFile

RECORD = 200
BATCH = 1000
GROUP = 100
FRAMES = 100_000
"""Frames of the large store; `--frames 1000000` makes the full measurement."""
ROOM = 1024
"""Octets of disk for each frame, more than any takes, that a growing store is refused without."""
READS = 2000
KEY = generate("X448", os.urandom)
KEYRING = MemoryKeyring([KEY])
RECORDS = [os.urandom(RECORD) for _ in range(BATCH)]


def figures(folder: Path) -> Iterator[Figure]:
    """All figures of this module; files go to `folder`."""
    yield from _appends(folder)
    yield from _large(folder)


def _appends(folder: Path) -> Iterator[Figure]:
    path = folder / "sealed.dcon"
    with SequenceFile.create(path, policy_recipients=[KEY.public], entropy=os.urandom) as file:
        file.append_many(RECORDS, sync=False)
        before, count = path.stat().st_size, file.count
        file.append_many(RECORDS, sync=False)
        octets = (path.stat().st_size - before) / (file.count - count)

        def sealed() -> int:
            file.append_many(RECORDS, sync=False)
            return BATCH

        def sealed_synced() -> int:
            for start in range(0, BATCH, GROUP):
                file.append_many(RECORDS[start : start + GROUP])
            return BATCH

        def sealed_singly() -> int:
            for record in RECORDS:
                file.append(record, sync=False)
            return BATCH

        blank = bytes(int(octets))
        plain, plain_synced = _plain(folder / "plain", blank)
        table, table_synced = _sqlite(folder / "table.sqlite")
        names = ["plain file", "SQLite", "primitives"]
        found = rates([sealed, plain, table, _primitives, sealed_singly, _singly(folder / "singly", blank)])
        yield Figure(
            name="sealed appends, one write each", rate=found[4], unit="frames/s", beside="plain file",
            ratio=found[4] / found[5], octets=octets, syncs=0,
        )  # fmt: skip
        per_row = _octets_of_a_row(folder / "table.sqlite")
        yield Figure(name="plain file, unsynced", rate=found[1], unit="frames/s", octets=octets, syncs=0)
        yield Figure(name="SQLite, unsynced", rate=found[2], unit="rows/s", octets=per_row, syncs=0)
        for name, limit in zip(names, found[1:4], strict=True):
            yield Figure(
                name="sealed appends, unsynced", rate=found[0], unit="frames/s", beside=name,
                ratio=found[0] / limit, octets=octets, syncs=0,
            )  # fmt: skip
        found = rates([sealed_synced, plain_synced, table_synced], 3)
        for name, rate, size in (("plain file", found[1], octets), ("SQLite", found[2], per_row)):
            yield Figure(
                name=f"{name}, synced per {GROUP}", rate=rate, unit="/s", octets=size, syncs=1 / GROUP
            )
        for name, limit in zip(names[:2], found[1:], strict=True):
            yield Figure(
                name=f"sealed appends, synced per {GROUP}", rate=found[0], unit="frames/s", beside=name,
                ratio=found[0] / limit, octets=octets, syncs=1 / GROUP,
            )  # fmt: skip


def _plain(path: Path, blank: bytes) -> tuple[Callable[[], int], Callable[[], int]]:
    """Appending frames of the same size to a plain file, one write a batch as the sequence does."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def unsynced() -> int:
        os.write(descriptor, b"".join(blank for _ in range(BATCH)))
        return BATCH

    def synced() -> int:
        for _ in range(0, BATCH, GROUP):
            os.write(descriptor, b"".join(blank for _ in range(GROUP)))
            os.fdatasync(descriptor)
        return BATCH

    return unsynced, synced


def _singly(path: Path, blank: bytes) -> Callable[[], int]:
    """Appending frames of the same size to a plain file, one write each."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def run() -> int:
        for _ in range(BATCH):
            os.write(descriptor, blank)
        return BATCH

    return run


def _sqlite(path: Path) -> tuple[Callable[[], int], Callable[[], int]]:
    """Inserting the records in clear, in transactions of the same size and with the same durability."""
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("CREATE TABLE record (id INTEGER PRIMARY KEY, content BLOB)")

    def insert(records: list[bytes]) -> None:
        base.execute("BEGIN")
        base.executemany("INSERT INTO record (content) VALUES (?)", ((one,) for one in records))
        base.execute("COMMIT")

    def unsynced() -> int:
        base.execute("PRAGMA synchronous=OFF")
        insert(RECORDS)
        return BATCH

    def synced() -> int:
        base.execute("PRAGMA synchronous=FULL")
        for start in range(0, BATCH, GROUP):
            insert(RECORDS[start : start + GROUP])
        return BATCH

    return unsynced, synced


def _octets_of_a_row(path: Path) -> float:
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(count,)] = base.execute("SELECT count(*) FROM record")
    return path.stat().st_size / int(count)


def _primitives() -> int:
    """What a sealed frame cannot do without: keys of its Salt, CBC, digest, two tree hashes, header MAC."""
    seed = bytes(32)
    node = bytes(64)
    for record in RECORDS:
        prk = hmac.digest(record[:16], seed, "sha256")
        key = hmac.digest(prk, b"encrypt\x01", "sha256")
        iv = hmac.digest(prk, b"iv\x01", "sha256")[:16]
        encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        body = encryptor.update(record + bytes(8)) + encryptor.finalize()
        digest = hashlib.sha512(body).digest()
        node = hashlib.sha512(node + hashlib.sha512(node + digest).digest()).digest()
        hmac.digest(key, digest, "sha256")
    return BATCH


def _large(folder: Path) -> Iterator[Figure]:
    path = folder / "large.dcon"
    with SequenceFile.create(path, policy_recipients=[KEY.public], entropy=os.urandom) as file:
        early = _append_rate(file, 10_000)
        while file.count < FRAMES:
            file.append_many(RECORDS, sync=False)
        late = _append_rate(file, file.count)
        count = file.count
    yield Figure(
        name=f"append at {count:,} frames", rate=late, unit="frames/s",
        beside="that at 10,000", ratio=late / early,
    )  # fmt: skip

    with SequenceFile.open(path, keyring=KEYRING) as file:
        chosen = [random.randrange(1, count) for _ in range(READS)]

        def reading() -> int:
            for index in chosen:
                file.plaintext(index)
            return READS

        [read] = rates([reading], 3)
        yield Figure(name="random frame by index, verified and decrypted", rate=read, unit="frames/s")
        start = time.perf_counter()
        file.verify()
        yield Figure(
            name="full verification, decrypting", rate=count / (time.perf_counter() - start), unit="frames/s"
        )
    with SequenceFile.open(path) as file:
        start = time.perf_counter()
        file.verify()
        yield Figure(
            name="full verification, without key", rate=count / (time.perf_counter() - start), unit="frames/s"
        )
    yield from _opened(path, count)


def _opened(path: Path, count: int) -> Iterator[Figure]:
    """Opening with the side index, and as it is when that was lost."""

    def opening() -> int:
        with SequenceFile.open(path, keyring=KEYRING) as file:
            assert file.count == count
        return 1

    [opened] = rates([opening], 50)
    yield Figure(name=f"open {count:,} frames, side index", rate=1e6 / opened, unit="us")
    side_index.discard(path)
    [opened] = rates([opening], 50)
    yield Figure(name=f"open {count:,} frames by the tail alone", rate=1e6 / opened, unit="us")
    with SequenceFile.open(path, keyring=KEYRING) as file:
        chosen = [random.randrange(1, count) for _ in range(READS // 10)]

        def reading() -> int:
            for index in chosen:
                file.plaintext(index)
            return len(chosen)

        [read] = rates([reading], 3)
        yield Figure(name="random frame by the tree, verified and decrypted", rate=read, unit="frames/s")


def growth(folder: Path, frames: int) -> Iterator[Figure | str]:
    """Appending to one store at 10,000 frames, then at each power of ten up to `frames`."""
    path, free = folder / "growing.dcon", shutil.disk_usage(folder).free
    if free < frames * ROOM:
        yield f"not grown to {frames:,} frames: {frames * ROOM >> 20:,} MiB of disk are asked for first"
        return
    stops = [10**power for power in range(4, 12) if 10**power < frames]
    first = 0.0
    with SequenceFile.create(path, policy_recipients=[KEY.public], entropy=os.urandom) as file:
        for stop in [*stops, frames]:
            rate = _append_rate(file, stop)
            first = first or rate
            yield Figure(
                name=f"append at {stop:,} frames", rate=rate, unit="frames/s", beside="that at 10,000",
                ratio=rate / first, octets=path.stat().st_size / file.count, syncs=0,
            )  # fmt: skip
        count = file.count
    yield from _opened(path, count)
    path.unlink()


def _append_rate(file: SequenceFile, at: int) -> float:
    while file.count < at:
        file.append_many(RECORDS, sync=False)
    best = 0.0
    for _ in range(10):
        start = time.perf_counter()
        file.append_many(RECORDS, sync=False)
        best = max(best, BATCH / (time.perf_counter() - start))
    return best
