"""What the commands on simple catalogs share: writing, finding, deleting and listing entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from mathmesh.errors import PolicyError
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.primary_key import primary_key
from meshclient import offline
from meshclient.meshman.frame import Answer
from meshclient.meshman.running import Flags, on_account
from meshclient.session import Session

KEPT = "The service cannot be reached: kept on this machine until the next sync."

Kind = TypeVar("Kind", bound=MeshObject)


class EntryCommands(Generic[Kind]):
    """Commands on the entries of type `kind` in the catalog `store`.

    `line` is how an entry is shown to a person, `names` what it is found by.
    """

    def __init__(
        self,
        store: str,
        kind: type[Kind],
        *,
        what: str,
        line: Callable[[Kind], str],
        names: Callable[[Kind], Iterable[str | None]],
    ) -> None:
        self._store = store
        self._kind = kind
        self._what = what
        self._line = line
        self._names = names

    def put(self, flags: Flags, make: Callable[[Session], Sequence[Kind]]) -> Answer:
        """Write the entries that `make` returns."""

        async def step(session: Session) -> Answer:
            entries = make(session)
            done = await offline.write(session, self._store, entries)
            return replace(self.shown(entries), notes=() if done else (KEPT,))

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
                raise PolicyError(f"there are several {self._what}s {name}; name one by its key")
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
        return [entry for entry in found if isinstance(entry, self._kind)]

    def find(self, session: Session, name: str) -> list[Kind]:
        """The entries that are found by a name; PolicyError for none."""
        found = [
            entry
            for entry in self.all(session)
            if name.lower() in [one.lower() for one in self._names(entry) if one]
        ]
        if not found:
            raise PolicyError(f"there is no {self._what} {name}")
        return found

    def shown(self, entries: Sequence[Kind]) -> Answer:
        """Entries as an answer."""
        members: dict[str, Any] = {"Entries": [entry.to_json() for entry in entries]}
        return Answer(lines=[self._line(entry) for entry in entries], tag="ResultEntry", members=members)
