"""What the commands on simple catalogs share: writing, finding, deleting and listing entries."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from mathmesh.errors import EncodingError, MeshError, PolicyError
from mathmesh.schema.mesh_object import MeshObject, parse
from mathmesh.schema.primary_key import primary_key
from meshclient import offline
from meshclient.meshman.frame import Answer
from meshclient.meshman.running import Flags, on_account
from meshclient.session import Session
from meshclient.unreachable import ServiceUnreachable

BATCH_ENTRIES = 200
BATCH_OCTETS = 256 * 1024
"""What is written at once of a long import: a service limits what it takes in one request."""
SHOWN = 20
"""Imports of more entries are told by their number."""
KEPT = "The service cannot be reached: kept on this machine until the next sync."

Kind = TypeVar("Kind", bound=MeshObject)
Read = TypeVar("Read", bound=MeshObject)


class EntryCommands(Generic[Kind]):
    """Commands on the entries of type `kind` in the catalog `store`.

    `line` is how an entry is shown to a person, `names` what it is found by, `group` the name of the group
    of commands, by default `what`, `members` how it stands in JSON, `order` what lists are sorted by.
    """

    def __init__(
        self,
        store: str,
        kind: type[Kind],
        *,
        what: str,
        group: str | None = None,
        members: Callable[[Kind], Mapping[str, Any]] | None = None,
        order: Callable[[Kind], Any] | None = None,
        line: Callable[[Kind], str],
        names: Callable[[Kind], Iterable[str | None]],
    ) -> None:
        self._store = store
        self._kind = kind
        self._what = what
        self._group = group or what
        self._members = members or (lambda entry: entry.to_json())
        self._order = order
        self._line = line
        self._names = names

    def put(
        self,
        flags: Flags,
        make: Callable[[Session], Sequence[Kind]],
        *,
        newest: bool = False,
        notes: Sequence[str] = (),
    ) -> Answer:
        """Write the entries that `make` returns, and tell `notes` with them.

        With `newest` it sees the newest state where that can be had.
        """

        async def step(session: Session) -> Answer:
            if newest:
                with suppress(ServiceUnreachable):
                    await session.sync()
            entries = make(session)
            done = await offline.write(session, self._store, entries)
            return replace(self.shown(entries), notes=(*notes, *(() if done else (KEPT,))))

        return on_account(flags, step)

    def take_in(
        self, flags: Flags, make: Callable[[Session], Sequence[Kind]], notes: Sequence[str] = ()
    ) -> Answer:
        """Write the entries of a file of another program."""

        async def step(session: Session) -> Answer:
            entries = make(session)
            done = await write_all(session, self._store, entries)
            lines = [self._line(entry) for entry in entries]
            members = [self._members(entry) for entry in entries]
            return imported(self._what, len(entries), lines, members, done=done, notes=notes)

        return on_account(flags, step)

    def get(self, flags: Flags, name: str) -> Answer:
        """The entries that are found by a name."""

        async def step(session: Session) -> Answer:
            return self.shown(self.find(session, name))

        return on_account(flags, step)

    def delete(self, flags: Flags, name: str) -> Answer:
        """Delete the one entry that is found by a name."""

        async def step(session: Session) -> Answer:
            found = self.find(session, name)
            if len(found) > 1:
                keys = ", ".join(primary_key(one) or "" for one in found)
                raise PolicyError(f"there are several {self._what}s {name}; name one by its key: {keys}")
            key = primary_key(found[0]) or ""
            done = await offline.write(session, self._store, [], deletes=[key])
            lines = [f"Deleted {self._line(found[0])}"]
            notes = () if done else (KEPT,)
            return Answer(lines=lines, tag="ResultDelete", members={"Key": key}, notes=notes)

        return on_account(flags, step)

    def listed(self, flags: Flags) -> Answer:
        """All entries."""

        async def step(session: Session) -> Answer:
            return self.shown(self.all(session))

        return on_account(flags, step)

    def all(self, session: Session) -> list[Kind]:
        """The entries of the catalog."""
        found = offline.entries(session, self._store).values()
        entries = [entry for entry in found if isinstance(entry, self._kind)]
        return sorted(entries, key=self._order) if self._order is not None else entries

    def find(self, session: Session, name: str) -> list[Kind]:
        """The entries that are found by a name; PolicyError for none."""
        found = [
            entry
            for entry in self.all(session)
            if name.lower() in [one.lower() for one in self._names(entry) if one]
        ]
        if not found:
            raise PolicyError(f"there is no {self._what} {name}; `{self._group} list` shows all")
        return found

    def shown(self, entries: Sequence[Kind]) -> Answer:
        """Entries as an answer."""
        members: dict[str, Any] = {"Entries": [self._members(entry) for entry in entries]}
        return Answer(lines=[self._line(entry) for entry in entries], tag="ResultEntry", members=members)


def one_object(file: Path, octets: bytes, kind: type[Read], form: str) -> Read:
    """The Mesh object of type `kind` in a file that is no `form`; EncodingError for anything else."""
    try:
        found = parse(octets)
    except MeshError:
        found = MeshObject()
    if not isinstance(found, kind):
        raise EncodingError(f"the file {file} is neither an {form} nor a {kind.__name__} in JSON")
    return found


async def write_all(session: Session, store: str, entries: Sequence[MeshObject]) -> bool:
    """Write many entries, a batch at a time; false when the service could not be reached."""
    done, count = True, 0
    for batch in _batches(entries):
        done = await offline.write(session, store, batch) and done
        count += len(batch)
        if sys.stderr.isatty() and len(entries) > BATCH_ENTRIES:
            sys.stderr.write(f"\r{count} of {len(entries)}" + ("\n" if count == len(entries) else ""))
            sys.stderr.flush()
    return done


def imported(
    what: str,
    count: int,
    lines: Sequence[str],
    entries: Sequence[Any],
    *,
    done: bool,
    notes: Sequence[str] = (),
) -> Answer:
    """What a command says that took `count` entries of a file in."""
    told = [*(lines if count <= SHOWN else ()), f"Imported {count} {what}{'s' if count != 1 else ''}"]
    members = {"Imported": count, "Entries": list(entries)}
    return Answer(lines=told, tag="ResultImport", members=members, notes=(*notes, *(() if done else (KEPT,))))


def _batches(entries: Sequence[MeshObject]) -> Iterator[list[MeshObject]]:
    batch: list[MeshObject] = []
    octets = 0
    for entry in entries:
        size = len(entry.encode())
        if batch and (len(batch) == BATCH_ENTRIES or octets + size > BATCH_OCTETS):
            yield batch
            batch, octets = [], 0
        batch.append(entry)
        octets += size
    if batch:
        yield batch
