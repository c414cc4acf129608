"""The key file: the only place where this machine keeps secrets in clear, readable by its owner alone.

It holds seeds; all private keys follow from them (mesh-udf §6). It is written before anything that
depends on it, whole and at once, so that an interrupted first start finds its seeds again and finishes.
Once sealed by a TPM or PKCS#11 token (`keyrings`), it holds ciphertext, and opens on this hardware only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from mathmesh.codec import udf
from mathmesh.dare.content_meta import format_time, parse_time
from mathmesh.errors import EncodingError, StoreError
from mathmesh.keys import derive
from mathmesh.schema.build.profile import SERVICE
from mathmesh.types import Entropy
from meshclient.keyrings import sealed
from meshclient.keyrings.sealer import Sealer
from meshclient.private_file import MODE, overwrite, partial_of, read_private, write_private

__all__ = ["MODE", "AccountSecrets", "KeyFile", "Keys", "write_private"]

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSecrets:
    """Seeds of one account on this machine: the account's own, and this device's activation in it."""

    address: str
    seed: str = field(repr=False)
    activation: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What the key file holds. `created` is the time of the first start, in whole seconds of UTC;
    `complete` says that the first start was finished; `accounts` maps a role (owner, maker) to its
    account.
    """

    created: datetime
    service_seed: str = field(repr=False)
    device_seed: str = field(repr=False)
    accounts: Mapping[str, AccountSecrets] = field(default_factory=dict)
    complete: bool = False

    @property
    def service_udf(self) -> str:
        """The UDF of the profile of the service that this machine hosts and its accounts belong to."""
        return derive.derive_key(self.service_seed, SERVICE + "Profile").public.udf

    @classmethod
    def fresh(cls, entropy: Entropy, now: datetime) -> Keys:
        """New seeds for a service and a device, no account yet."""
        return cls(
            created=now.replace(microsecond=0),
            service_seed=derive.new_seed(derive.PROFILE_SERVICE, entropy),
            device_seed=derive.new_seed(derive.PROFILE_DEVICE, entropy),
        )

    def with_account(self, role: str, address: str, entropy: Entropy) -> Keys:
        """These keys and the seeds of a new account at `address`."""
        made = AccountSecrets(
            address=address,
            seed=derive.new_seed(derive.PROFILE_ACCOUNT, entropy),
            activation=derive.new_seed(derive.ACTIVATION_ACCOUNT, entropy),
        )
        return replace(self, accounts={**self.accounts, role: made})


class KeyFile:
    """A key file at a path, and the keys read from it."""

    def __init__(self, path: Path, keys: Keys, protection: sealed.Protection | None = None) -> None:
        self.path = path
        self.keys = keys
        self._protection = protection

    @classmethod
    def open(cls, path: Path) -> KeyFile:
        """Read a key file.

        Raises StoreError when it is missing, when others than its owner may read it, or when it is damaged,
        KeyUnavailableError when it is sealed by hardware that is not there.
        """
        partial_of(path).unlink(missing_ok=True)
        content, protection = sealed.reveal(read_private(path, "key file"))
        return cls(path, _decode(path, content), protection)

    @classmethod
    def create(cls, path: Path, keys: Keys) -> KeyFile:
        """Write a new key file; StoreError when there is one already."""
        if path.exists():
            raise StoreError(f"{path} exists; move it away before new keys are made")
        made = cls(path, keys)
        made.save(keys)
        return made

    @classmethod
    def open_or_create(cls, path: Path, make: Callable[[], Keys]) -> KeyFile:
        """Open the key file, or write a new one with the keys that `make` returns."""
        if path.exists():
            return cls.open(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls.create(path, make())

    def save(self, keys: Keys) -> None:
        """Replace the content, durably and at once: a crash leaves the old file or the new one."""
        content = _encode(keys)
        write_private(self.path, content if self._protection is None else self._protection.protect(content))
        self.keys = keys

    @property
    def sealed_by(self) -> str | None:
        """The kind of hardware that seals the file, None when it lies in clear."""
        return None if self._protection is None else self._protection.sealer

    def seal(self, sealer: Sealer) -> None:
        """Seal the file; what lay in clear is overwritten, which flash memory may not obey.

        Keep a backup of the seeds elsewhere first, as shares say: without this hardware the file is lost.
        Raises KeyUnavailableError when the hardware cannot be used; the file is then as it was.
        """
        self._protection = sealed.Protection.create(sealer)
        with overwrite(self.path):
            self.save(self.keys)

    def unseal(self) -> None:
        """Keep the file in clear again, readable by its owner alone."""
        self._protection = None
        self.save(self.keys)


def _encode(keys: Keys) -> bytes:
    accounts = {
        role: {"Address": one.address, "Seed": one.seed, "Activation": one.activation}
        for role, one in keys.accounts.items()
    }
    document = {
        "Version": VERSION,
        "Created": format_time(keys.created),
        "Complete": keys.complete,
        "ServiceSeed": keys.service_seed,
        "DeviceSeed": keys.device_seed,
        "Accounts": accounts,
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _decode(path: Path, content: bytes) -> Keys:
    try:
        document: dict[str, Any] = json.loads(content)
        if document["Version"] != VERSION:
            raise StoreError(
                f"the key file {path} is of version {document['Version']}; this program reads {VERSION}"
            )
        return Keys(
            created=parse_time(document["Created"]),
            complete=bool(document["Complete"]),
            service_seed=_seed(document["ServiceSeed"], derive.PROFILE_SERVICE),
            device_seed=_seed(document["DeviceSeed"], derive.PROFILE_DEVICE),
            accounts={
                role: AccountSecrets(
                    address=one["Address"],
                    seed=_seed(one["Seed"], derive.PROFILE_ACCOUNT),
                    activation=_seed(one["Activation"], derive.ACTIVATION_ACCOUNT),
                )
                for role, one in document["Accounts"].items()
            },
        )
    except (KeyError, TypeError, AttributeError, ValueError, EncodingError):
        raise StoreError(f"the key file {path} is damaged; restore it from the backup") from None


def _seed(text: str, expected: int) -> str:
    if derive.seed_type(text) != expected:
        raise EncodingError("a seed is of the wrong type")
    return udf.canonical(text)
