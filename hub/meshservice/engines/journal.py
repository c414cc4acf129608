"""The journal that makes several appends one: all of them are visible after a crash, or none.

Protocol with the disk: the journal is written and synced; then the sequences are appended to and synced;
then the journal is emptied. A whole journal found at start is carried out again: each sequence is cut
back to the length that it had and appended to anew. A torn one is dropped: nothing had been appended
yet. The file is one DARE envelope encrypted to the host's key, so that its digest tells whole from torn
and nothing lies in clear.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mathmesh.codec import jsonbcd
from mathmesh.dare.content_meta import format_time, parse_time
from mathmesh.dare.envelope import Envelope, open_envelope, seal
from mathmesh.errors import MeshError, StoreError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.service.effects import Append
from mathmesh.types import Entropy
from meshclient.file_lock import sync_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One append and the length in octets that the sequence's file had before it (0: there was none)."""

    append: Append
    octets: int


class Journal:
    """The journal file of one engine."""

    def __init__(self, path: Path, key: PrivateKey, entropy: Entropy) -> None:
        self._path = path
        self._key = key
        self._entropy = entropy
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        sync_directory(path.parent)

    def close(self) -> None:
        """Close the file, what it says made durable."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)

    def write(self, entries: Sequence[Entry]) -> None:
        """Make the intention durable. After this the appends will be made, now or at the next start."""
        plaintext = jsonbcd.dumps([_to_json(entry) for entry in entries])
        sealed = seal(plaintext, entropy=self._entropy, recipients=[self._key.public]).to_json_b()
        os.ftruncate(self._descriptor, 0)
        written = 0
        while written < len(sealed):
            written += os.pwrite(self._descriptor, sealed[written:], written)
        os.fsync(self._descriptor)

    def clear(self) -> None:
        """Forget the intention, once the sequences are synced."""
        os.ftruncate(self._descriptor, 0)

    def pending(self) -> list[Entry]:
        """The entries of a whole journal; empty when there is none or it is torn."""
        size = os.fstat(self._descriptor).st_size
        octets = os.pread(self._descriptor, size, 0)
        if not octets:
            return []
        try:
            keyring = MemoryKeyring([self._key])
            opened = open_envelope(Envelope.from_bytes(octets), keyring=keyring)
            return [_from_json(value) for value in _list(jsonbcd.loads(opened.plaintext))]
        except (MeshError, KeyError, TypeError):
            return []


def _to_json(entry: Entry) -> dict[str, object]:
    append = entry.append
    return {
        "Folder": append.folder,
        "Store": append.store,
        "Index": append.index,
        "Create": append.create,
        "Received": format_time(append.received),
        "Octets": entry.octets,
        "Envelopes": [envelope.to_value() for envelope in append.envelopes],
    }


def _from_json(value: object) -> Entry:
    if not isinstance(value, dict):
        raise StoreError("an entry of the journal is not an object")
    append = Append(
        folder=value["Folder"],
        store=value["Store"],
        index=value["Index"],
        create=value["Create"],
        received=parse_time(value["Received"]),
        envelopes=tuple(Envelope.from_value(envelope) for envelope in value["Envelopes"]),
    )
    return Entry(append=append, octets=value["Octets"])


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise StoreError("the journal is not a list")
    return value
