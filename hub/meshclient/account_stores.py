"""This machine's copies of an account's stores: one sequence file each, folded into catalogs and spools.

FOLDER/MMM_*.dcon         copies of the stores that the service holds
FOLDER/local/*.dcon       sequences of this machine alone, never sent
FOLDER/aside/*            copies of another history than the service's, kept (see `repair`)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from mathmesh.dare.envelope import Envelope, open_envelope
from mathmesh.dare.policy import SESSION, Policy
from mathmesh.dare.protection import binary
from mathmesh.dare.sequence import MERKLE
from mathmesh.dare.sequence_writer import new_sequence
from mathmesh.errors import MeshError, StoreError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.stores import SPOOLS, is_store_name
from mathmesh.stores.catalog import Catalog
from mathmesh.stores.spool import Spool
from mathmesh.stores.sync import StoreStatus
from mathmesh.types import Entropy
from meshclient import side_index
from meshclient.account_keys import AccountKeys
from meshclient.shared_keys import needed
from meshclient.store_files import SequenceFile

SUFFIX = ".dcon"
LOCAL_FOLDER = "local"
ASIDE_FOLDER = "aside"


class AccountStores:
    """The stores in one folder.

    Entries that are encrypted to a key of which only a share is here stay unread until `fold_locked` is
    given the keys; the frames of a catalog are always taken in order.
    """

    def __init__(self, folder: Path, *, keys: AccountKeys, entropy: Entropy) -> None:
        """Open the folder, made if it is absent, and read all stores in it."""
        self._folder = folder
        self._keys = keys
        self._entropy = entropy
        self._locked: dict[str, int] = {}
        self._sequences: dict[str, SequenceFile] = {}
        self._local: dict[str, SequenceFile] = {}
        self._catalogs: dict[str, Catalog] = {}
        self._spools: dict[str, Spool] = {}
        self.recovered: dict[str, int] = {}
        """Octets of a torn tail that were cut off at opening, by store."""
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        for path in sorted(folder.glob("*" + SUFFIX)):
            self._open(path)

    def close(self) -> None:
        """Close all files."""
        for sequence in (*self._sequences.values(), *self._local.values()):
            sequence.close()
        self._sequences.clear()
        self._local.clear()

    def status(self) -> Mapping[str, StoreStatus]:
        """Number of frames and tree digest of every store."""
        return {
            name: StoreStatus(count=sequence.count, apex=sequence.apex)
            for name, sequence in self._sequences.items()
        }

    def catalog(self, name: str) -> Catalog:
        """The fold of a catalog; empty when there is no such store."""
        if name not in self._catalogs:
            self._catalogs[name] = Catalog(self._keys.name_secret(name))
        return self._catalogs[name]

    def spool(self, name: str) -> Spool:
        """The fold of a spool; empty when there is no such store."""
        return self._spools.setdefault(name, Spool())

    def envelope(self, name: str, index: int) -> Envelope:
        """Frame `index` of a store."""
        return self._sequences[name].envelope(index)

    def newest_first(self, name: str) -> list[tuple[int, Envelope]]:
        """The frames of a store with their numbers, the newest first; none when there is no such store."""
        sequence = self._sequences.get(name)
        if sequence is None:
            return []
        return [(index, sequence.envelope(index)) for index in range(sequence.count - 1, 0, -1)]

    def create(self, name: str) -> None:
        """Begin a store; nothing happens when it exists. Raises StoreError for a name that is none."""
        if name in self._sequences:
            return
        if not is_store_name(name):
            raise StoreError(f"{name!r} is not the name of a store")
        self._sequences[name] = SequenceFile.create(
            self._path(name), container_type=MERKLE, entropy=self._entropy
        )

    def apex_with(self, name: str, envelopes: Iterable[Envelope]) -> bytes | None:
        """The tree digest that a store (one that is not here yet included) would have with more envelopes."""
        sequence = self._sequences.get(name)
        if sequence is not None:
            return sequence.apex_with(envelopes)
        writer, first = new_sequence(MERKLE, Policy(), entropy=self._entropy)
        writer.commit(first)
        return writer.apex_with(envelopes)

    def apex_at(self, name: str, count: int) -> bytes | None:
        """The tree digest that a store had when it had `count` frames; None for none."""
        if not 0 < count <= self._sequences[name].count:
            return None
        return binary(self._sequences[name].frame(count - 1).merged, "TreeDigest")

    @property
    def aside(self) -> Path:
        """Where copies lie that were set aside."""
        return self._folder / ASIDE_FOLDER

    def set_aside(self, name: str) -> None:
        """Take the copy of a store out of use and keep it in the folder `aside`."""
        self.aside.mkdir(mode=0o700, exist_ok=True)
        target = self.aside / (name + SUFFIX)
        number = 1
        while target.exists():
            target, number = self.aside / f"{name}.{number}{SUFFIX}", number + 1
        path = self._path(name)
        self._sequences.pop(name).close()
        side_index.discard(path)
        path.rename(target)
        self._catalogs.pop(name, None)
        self._spools.pop(name, None)
        self._locked.pop(name, None)

    def append(self, name: str, envelopes: Iterable[Envelope], received: datetime | None) -> None:
        """Append envelopes that the service has taken, and sync; `fold` takes them into the catalog
        afterwards.
        """
        sequence = self._sequences[name]
        for envelope in envelopes:
            sequence.append_envelope(envelope, received=received, sync=False)
        sequence.sync()

    def fold(self, name: str, index: int, envelope: Envelope) -> None:
        """Take frame `index` into the catalog or spool that it belongs to."""
        if name in SPOOLS:
            self.spool(name).apply(index, envelope)
            return
        if name in self._locked:
            return
        if needed(envelope.header, self._keys.keyring, self._keys.shares) is not None:
            self._locked[name] = index
            return
        self._fold_entry(name, index, envelope, self._keys.keyring)

    def locked(self) -> Iterable[tuple[str, int, Envelope]]:
        """Store, number and envelope of the frames that are not read yet, in order."""
        for name, start in list(self._locked.items()):
            for index in range(start, self._sequences[name].count):
                yield name, index, self.envelope(name, index)

    def fold_locked(self, name: str, index: int, envelope: Envelope, keyring: Keyring) -> None:
        """Take in a frame of `locked`, with a keyring that opens it; call it for all of them, in order."""
        self._fold_entry(name, index, envelope, keyring)
        if index + 1 < self._sequences[name].count:
            self._locked[name] = index + 1
        else:
            self._locked.pop(name, None)

    def refold(self, keys: AccountKeys) -> None:
        """Read all catalogs anew with other keys of the account."""
        self._keys = keys
        self._catalogs.clear()
        self._locked.clear()
        for name, sequence in self._sequences.items():
            if name not in SPOOLS:
                for index in range(1, sequence.count):
                    self.fold(name, index, sequence.envelope(index))

    def _fold_entry(self, name: str, index: int, envelope: Envelope, keyring: Keyring) -> None:
        catalog = self.catalog(name)
        try:
            opened = open_envelope(envelope, keyring=keyring)
        except MeshError as error:
            catalog.refused.append((index, str(error)))
            return
        catalog.apply(index, opened.content_meta, opened.plaintext)

    def local_sequence(self, name: str) -> SequenceFile:
        """The sequence `name` of this machine alone, made if it is absent: Merkle, encrypted to the store's
        key.
        """
        if name not in self._local:
            if not is_store_name(name):
                raise StoreError(f"{name!r} is not the name of a store")
            path = self._folder / LOCAL_FOLDER / (name + SUFFIX)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._local[name] = self._open_local(path, self._keys.store_key(name))
        return self._local[name]

    def _open_local(self, path: Path, key: PrivateKey) -> SequenceFile:
        if path.exists():
            return SequenceFile.open(path, keyring=self._keys.keyring, entropy=self._entropy)
        return SequenceFile.create(
            path,
            container_type=MERKLE,
            policy_recipients=[key.public],
            encryption=SESSION,
            keyring=self._keys.keyring,
            entropy=self._entropy,
        )

    def _open(self, path: Path) -> None:
        name = path.stem
        sequence = SequenceFile.open(path, keyring=self._keys.keyring, entropy=self._entropy)
        self._sequences[name] = sequence
        if sequence.recovered_octets:
            self.recovered[name] = sequence.recovered_octets
        for index in range(1, sequence.count):
            self.fold(name, index, sequence.envelope(index))

    def _path(self, name: str) -> Path:
        return self._folder / (name + SUFFIX)
