"""From entries and keys to the envelopes that a transaction carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mathmesh.dare.envelope import Envelope, seal
from mathmesh.errors import LocalProtocolError
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.primary_key import primary_key
from mathmesh.service import messages as wire
from mathmesh.stores.first_frame import first_frame
from mathmesh.stores.sync import StoreStatus
from mathmesh.types import Entropy
from meshclient.account_stores import AccountStores


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Envelopes for one store from frame `index` on; `update` is what the service is told."""

    name: str
    index: int
    envelopes: tuple[Envelope, ...]
    begins: bool
    update: wire.ContainerUpdate

    @classmethod
    def beginning(cls, name: str, envelopes: Sequence[Envelope]) -> Change:
        update = wire.ContainerUpdate(container=name, index=0, envelopes=(first_frame(), *envelopes))
        return cls(name=name, index=1, envelopes=tuple(envelopes), begins=True, update=update)

    @classmethod
    def continuing(cls, name: str, present: StoreStatus, envelopes: Sequence[Envelope]) -> Change:
        update = wire.ContainerUpdate(
            container=name, index=present.count, digest=present.apex, envelopes=tuple(envelopes)
        )
        return cls(name=name, index=present.count, envelopes=tuple(envelopes), begins=False, update=update)

    @classmethod
    def fetched(cls, name: str, position: int, envelopes: Sequence[Envelope]) -> Change:
        begins = position == 0
        update = wire.ContainerUpdate(container=name, index=position)
        return cls(
            name=name,
            index=max(position, 1),
            envelopes=tuple(envelopes[1:] if begins else envelopes),
            begins=begins,
            update=update,
        )


class Planner:
    """Makes the changes of a transaction. `recipients` gives the keys to which a store's entries are
    encrypted.
    """

    def __init__(
        self, stores: AccountStores, recipients: Callable[[str], Sequence[PublicKey]], entropy: Entropy
    ) -> None:
        self._stores = stores
        self._recipients = recipients
        self._entropy = entropy

    def plan(
        self,
        updates: Mapping[str, Sequence[MeshObject]],
        deletes: Mapping[str, Sequence[str]],
        begin: Sequence[str],
    ) -> list[Change]:
        """The changes as of now; stores in `begin` are begun even without entries."""
        status = self._stores.status()
        plan = []
        for name in dict.fromkeys((*updates, *deletes, *begin)):
            envelopes = [self._entry(name, entry) for entry in updates.get(name, ())]
            envelopes += [
                one for key in deletes.get(name, ()) if (one := self._delete(name, key)) is not None
            ]
            present = status.get(name)
            if present is None and (envelopes or name in begin):
                plan.append(Change.beginning(name, envelopes))
            elif present is not None and envelopes:
                plan.append(Change.continuing(name, present, envelopes))
        return plan

    def _entry(self, name: str, entry: MeshObject) -> Envelope:
        key = primary_key(entry)
        if key is None:
            raise LocalProtocolError(f"a {entry.tag} has no primary key and cannot be an entry of {name}")
        return seal(
            entry.encode(),
            entropy=self._entropy,
            recipients=self._recipients(name),
            content_meta=self._stores.catalog(name).meta_of_write(key),
        )

    def _delete(self, name: str, key: str) -> Envelope | None:
        meta = self._stores.catalog(name).meta_of_delete(key)
        if meta is None:
            return None
        return seal(b"", entropy=self._entropy, recipients=self._recipients(name), content_meta=meta)
