"""Small envelopes, as messages and catalog entries are, beside the sum of their primitives."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from tests.bench.report import Figure, rates

from mathmesh.dare.envelope import open_envelope, seal
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate

RECORD = os.urandom(200)
COUNT = 40
KEY, SIGNER = generate("X448", os.urandom), generate("Ed448", os.urandom)
KEYRING = MemoryKeyring([KEY])


def figures(_folder: Path) -> Iterator[Figure]:
    """Sealing with one X448 recipient and an Ed448 signature, and opening with both checked."""
    sealed = seal(RECORD, entropy=os.urandom, recipients=[KEY.public], signer=SIGNER)
    octets = float(len(sealed.to_json()))
    digest = hashlib.sha512(RECORD).digest()
    signature = SIGNER.sign(digest, os.urandom)
    ephemeral = generate("X448", os.urandom)

    def make() -> int:
        for _ in range(COUNT):
            seal(RECORD, entropy=os.urandom, recipients=[KEY.public], signer=SIGNER)
        return COUNT

    def read() -> int:
        for _ in range(COUNT):
            open_envelope(sealed, keyring=KEYRING, signers=[SIGNER.public], require_signature=True)
        return COUNT

    def make_primitives() -> int:
        for _ in range(COUNT):
            fresh = generate("X448", os.urandom)
            fresh.agree(KEY.public)
            assert fresh.public
            SIGNER.sign(digest, os.urandom)
        return COUNT

    def read_primitives() -> int:
        for _ in range(COUNT):
            KEY.agree(ephemeral.public)
            SIGNER.public.verify(signature, digest)
        return COUNT

    found = rates([make, read, make_primitives, read_primitives])
    for name, rate, limit in (
        ("seal and sign a message", found[0], found[2]),
        ("verify and open a message", found[1], found[3]),
    ):
        yield Figure(
            name=name, rate=rate, unit="/s", beside="curve operations", ratio=rate / limit, octets=octets
        )
