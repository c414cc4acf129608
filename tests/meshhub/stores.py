"""A folder of sealed sequences as an account offers them, for tests of the hub's own stores."""

import os
from pathlib import Path

from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from meshclient.store_files import SequenceFile

KEY_SEED = bytes(range(56))


class SequenceFolder:
    """`open_sequence` of one account; `close` before the folder is opened again."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.key = PrivateKey.from_seed("X448", KEY_SEED)
        self.keyring = MemoryKeyring()
        self.keyring.add(self.key)
        self._open: dict[str, SequenceFile] = {}

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.dcon"

    def __call__(self, name: str) -> SequenceFile:
        if name not in self._open:
            path = self.path(name)
            if path.exists():
                self._open[name] = SequenceFile.open(path, keyring=self.keyring, entropy=os.urandom)
            else:
                self._open[name] = SequenceFile.create(
                    path, policy_recipients=[self.key.public], keyring=self.keyring, entropy=os.urandom
                )
        return self._open[name]

    def close(self) -> None:
        for sequence in self._open.values():
            sequence.close()
        self._open.clear()
