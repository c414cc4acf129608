"""Files with this machine's keys, in clear and sealed, with any content."""

import json
import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from mathmesh.errors import KeyUnavailableError, StoreError
from mathmesh.keys import derive
from meshclient.key_file import KeyFile, Keys
from meshclient.keyrings import sealed
from meshclient.keyrings.file import FileKeyring

_FOLDER = tempfile.TemporaryDirectory(prefix="mesh-fuzz-")
_PATH = Path(_FOLDER.name) / "keys.json"


def _entropy(count: int) -> bytes:
    return (b"fuzz" * count)[:count]


def seeds() -> Iterable[bytes]:
    """A complete file, a keyring, and a sealed document of hardware that is not there."""
    keys = Keys.fresh(_entropy, datetime(2026, 1, 1, tzinfo=UTC)).with_account(
        "owner", "a@example.com", _entropy
    )
    KeyFile.create(_PATH, keys)
    yield _PATH.read_bytes()
    _PATH.unlink()
    ring = FileKeyring.open_or_create(_PATH)
    ring.add(derive.derive_key(keys.device_seed, "Device", "X448"))
    ring.add_symmetric(bytes(16))
    yield _PATH.read_bytes()
    _PATH.unlink()
    yield json.dumps({"Version": 2, "Sealer": "none", "SealedKey": "AAAA", "Content": [{}, "AAAA"]}).encode()


class _Absent:
    """Hardware that unseals everything to the same secret."""

    name = "none"

    def seal(self, secret: bytes) -> bytes:
        """The secret itself."""
        return secret

    def unseal(self, octets: bytes) -> bytes:
        """Sixteen octets."""
        return bytes(16)


def one(data: bytes) -> None:
    """A file is read whole and of the right types, or refused as damaged."""
    _PATH.unlink(missing_ok=True)
    handle = os.open(_PATH, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(handle, data)
    os.close(handle)
    try:
        keys = KeyFile.open(_PATH).keys
        assert derive.seed_type(keys.service_seed) == derive.PROFILE_SERVICE
        assert keys.service_udf
        for role, account in keys.accounts.items():
            assert isinstance(role, str)
            assert isinstance(account.address, str)
    except (StoreError, KeyUnavailableError):
        pass
    try:
        ring = FileKeyring.open(_PATH)
        for kid in ring.kids():
            assert ring.private(kid) is not None or ring.symmetric(kid) is not None
    except (StoreError, KeyUnavailableError):
        pass
    try:
        sealed.reveal(data, lambda name: _Absent())
    except (StoreError, KeyUnavailableError):
        pass
