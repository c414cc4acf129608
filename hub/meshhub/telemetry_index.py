"""Where in the telemetry sequences things are: a cache in SQLite, made anew from the sequences when it is
damaged.

It holds numbers of frames, times and counters, and no name, no property, no value.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from meshhub import logging
from meshhub.telemetry_batch import Batch

VERSION = 1
SCHEMA = """
CREATE TABLE frame (store TEXT, frame INTEGER, first INTEGER, last INTEGER, readings INTEGER,
                    PRIMARY KEY (store, frame)) WITHOUT ROWID;
CREATE TABLE span (store TEXT, frame INTEGER, boot INTEGER, first INTEGER, last INTEGER);
CREATE INDEX span_store ON span (store, frame);
CREATE INDEX frame_time ON frame (store, last);
"""
SEEN = "CREATE TABLE IF NOT EXISTS seen (store TEXT PRIMARY KEY, time INTEGER) WITHOUT ROWID"

log = logging.get(__name__)


class TelemetryIndex:
    """The index of all telemetry sequences. Blocking; every method may be called from any thread."""

    def __init__(self, path: Path):
        self._path = path
        self._lock = threading.Lock()
        self._database = self._open()

    def frames(self, store: str) -> int:
        """How many frames of a store are known: the number of the next one (frame 0 holds no batch)."""
        with self._lock:
            row = self._database.execute("SELECT max(frame) FROM frame WHERE store = ?", (store,)).fetchone()
        return int(row[0]) + 1 if row[0] is not None else 1

    def add_many(self, store: str, batches: Iterable[tuple[int, Batch]]) -> None:
        """Note many frames in one transaction."""
        with self._lock, self._database:
            for frame, batch in batches:
                first, last = batch.times()
                self._database.execute(
                    "INSERT OR REPLACE INTO frame VALUES (?, ?, ?, ?, ?)",
                    (store, frame, first, last, len(batch.readings)),
                )
                self._database.execute("DELETE FROM span WHERE store = ? AND frame = ?", (store, frame))
                self._database.executemany(
                    "INSERT INTO span VALUES (?, ?, ?, ?, ?)",
                    [(store, frame, *numbers) for numbers in batch.numbers()],
                )

    def cut(self, store: str, frames: int) -> None:
        """Drop what is noted of frames that the store does not have (numbers `frames` and up)."""
        with self._lock, self._database:
            for table in ("frame", "span"):
                self._database.execute(
                    f"DELETE FROM {table} WHERE store = ? AND frame >= ?",  # noqa: S608 - two fixed names
                    (store, frames),
                )

    def spans(self, store: str) -> list[tuple[int, int, int]]:
        """(boot, first, last) of everything that the store accounts for."""
        with self._lock:
            rows = self._database.execute("SELECT boot, first, last FROM span WHERE store = ?", (store,))
            return [(int(boot), int(first), int(last)) for boot, first, last in rows]

    def between(self, store: str, since: int, until: int) -> list[int]:
        """Frames that may hold something of that time, oldest frame first; both ends are included."""
        with self._lock:
            rows = self._database.execute(
                "SELECT frame FROM frame WHERE store = ? AND last >= ? AND first <= ? ORDER BY frame",
                (store, since, until),
            )
            return [int(row[0]) for row in rows]

    def seen(self, store: str) -> int | None:
        """When the store's device was heard last (ms), as far as that was noted."""
        with self._lock:
            row = self._database.execute("SELECT time FROM seen WHERE store = ?", (store,)).fetchone()
        return int(row[0]) if row else None

    def note_seen(self, times: Iterable[tuple[str, int]]) -> None:
        """Note when devices were heard last: (store, ms), in one transaction."""
        with self._lock, self._database:
            self._database.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", times)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            aside = self._path.with_name(f"{self._path.name}.damaged-{time.time_ns()}")
            log.warning("telemetry index is damaged; made anew from the sequences", error=error)
            self._path.rename(aside)
            for tail in ("-wal", "-shm"):
                self._path.with_name(self._path.name + tail).unlink(missing_ok=True)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(
            os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        )  # SQLite's files take its mode
        database = sqlite3.connect(self._path, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            if database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise sqlite3.DatabaseError(f"version {version}")
            database.execute(SEEN)
            if version == 0:
                with closing(database.cursor()) as cursor:
                    cursor.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
        except sqlite3.Error:
            database.close()
            raise
        return database
