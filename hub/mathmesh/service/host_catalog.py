"""A catalog that the service reads: where each entry is, and the entry itself when somebody asks for it.

Every frame was read when it was taken in, and its UniqueId found to be the key of the entry in it; opening
it again is put off until the entry is needed, since it costs a key agreement.
"""

from __future__ import annotations

from collections.abc import Callable

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import MeshError
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.stores.catalog import DELETE, read_entry

Open = Callable[[Envelope], tuple[ContentMeta, bytes]]


class HostCatalog:
    """The index of one catalog. `frame` gives a frame of it, `opened` what is in one."""

    def __init__(self, frame: Callable[[int], Envelope], opened: Open) -> None:
        self._frame = frame
        self._opened = opened
        self._places: dict[str, int] = {}
        self._entries: dict[str, MeshObject] = {}

    def apply(self, index: int, envelope: Envelope) -> None:
        """Take in frame `index`; one that cannot be read changes nothing."""
        meta = envelope.content_meta
        name = meta.unique_id
        try:
            if name is None:
                name = read_entry(*self._opened(envelope))[1]
        except MeshError:
            return
        self._entries.pop(name, None)
        if meta.event == DELETE:
            self._places.pop(name, None)
        else:
            self._places[name] = index

    def get(self, key: str) -> MeshObject | None:
        """The entry under a primary key; None when there is none, or none that can be read."""
        found = self._entries.get(key)
        if found is None and key in self._places:
            try:
                found, name = read_entry(*self._opened(self._frame(self._places[key])))
            except MeshError:
                return None
            if name != key:
                return None
            self._entries[key] = found
        return found
