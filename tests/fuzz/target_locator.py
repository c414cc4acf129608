"""What a server returns for a locator: content of a key, of a contact, of a digest, and recovery records."""

import random
from collections.abc import Iterable

from mathmesh.codec import udf
from mathmesh.dare.envelope import Envelope
from mathmesh.dare.locator import keys_in, open_located, seal_located
from mathmesh.dare.recovery_record import make_record, open_record
from mathmesh.errors import MeshError
from mathmesh.keys import earl
from mathmesh.keys.pair import generate

ENTROPY = random.Random("content to be damaged").randbytes
CONTENT = b'{"ContactPerson":{"Id":"x"}}'
SIGNER = generate("Ed448", ENTROPY)
SECRET = udf.text(udf.ENCRYPTION, ENTROPY(16))
CONTACT = earl.contact_key(SIGNER.public)
RECORD = make_record(CONTENT, 2, 3, entropy=ENTROPY)


def seeds() -> Iterable[bytes]:
    """One of each kind, as text and as JSON-B."""
    for envelope in (
        seal_located(CONTENT, SECRET, entropy=ENTROPY),
        seal_located(CONTENT, CONTACT, entropy=ENTROPY, signer=SIGNER),
        RECORD.envelope,
    ):
        yield envelope.to_json()
        yield envelope.to_json_b()
    yield b'[{},"eyJQdWJsaWNLZXlFQ0RIIjp7ImNydiI6Ilg0NDgiLCJQdWJsaWMiOiJBQUFBIn19"]'


def one(data: bytes) -> None:
    """Nothing is taken for authentic content but what was sealed."""
    for key in keys_in(data):
        assert key.udf
    try:
        envelope = Envelope.from_bytes(data)
    except MeshError:
        return
    for key_udf in (SECRET, CONTACT):
        try:
            found = open_located(envelope, key_udf, signers=[SIGNER.public])
        except MeshError:
            continue
        assert found.authenticated
        assert found.content == CONTENT
    try:
        assert open_record(envelope, RECORD.shares[:2]).content == CONTENT
    except MeshError:
        pass
