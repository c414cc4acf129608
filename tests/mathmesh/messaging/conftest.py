"""Accounts that talk to each other, without any service between them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from mathmesh.keys import derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.messaging.granting import Granter
from mathmesh.messaging.sender import Sender
from mathmesh.schema.build.profile import ACCOUNT, make_profile_user
from mathmesh.schema.validation import verify_profile_user
from mathmesh.stores.catalog import name_secret

NOW = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
OPERATIONS = {
    "encryption": "Encrypt",
    "authentication": "Authenticate",
    "signature": "Sign",
    "administrator_signature": "AdminSign",
    "profile_signature": "Profile",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An account with its seed."""

    seed: str
    sender: Sender

    @property
    def keyring(self) -> MemoryKeyring:
        return MemoryKeyring([derive.derive_key(self.seed, ACCOUNT + "Encrypt")])

    @property
    def granter(self) -> Granter:
        def first(store: str) -> list[object]:
            return [derive.derive_key(self.seed, ACCOUNT + "Encrypt" + store)]

        return Granter(
            store_keys=first,  # type: ignore[arg-type]
            name_secret=lambda store: name_secret(first(store)[0]),  # type: ignore[arg-type]
            account={
                member: derive.derive_key(self.seed, ACCOUNT + operation)
                for member, operation in OPERATIONS.items()
            },
        )


@pytest.fixture(scope="session")
def party() -> Callable[[str], Party]:
    """Makes the account at an address."""

    def make(address: str) -> Party:
        seed = derive.new_seed(derive.PROFILE_ACCOUNT, os.urandom)
        service = "MAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"
        envelope = make_profile_user(seed, address, service, NOW)
        sender = Sender(
            profile=verify_profile_user(envelope),
            profile_envelope=envelope,
            signature=derive.derive_key(seed, ACCOUNT + "Sign"),
            entropy=os.urandom,
            now=NOW,
        )
        return Party(seed=seed, sender=sender)

    return make
