"""Envelopes in all three forms, read whole and in pieces, and opened."""

import random
from collections.abc import Iterable

from mathmesh.dare import stream
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, open_envelope, seal
from mathmesh.dare.suites import A256GCM, OWN
from mathmesh.errors import MeshError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate

ENTROPY = random.Random("envelopes to be damaged").randbytes
KEY, SIGNER = generate("X25519", ENTROPY), generate("Ed25519", ENTROPY)
SECRET = ENTROPY(16)
KEYRING = MemoryKeyring([KEY], [SECRET])
PLAINTEXT = b"what was sealed"


SEALED = seal(
    PLAINTEXT,
    entropy=ENTROPY,
    recipients=[KEY.public],
    symmetric=[SECRET],
    signer=SIGNER,
    content_meta=ContentMeta(filename="a", cty="text/plain"),
    annotations=[b"note"],
    cloaked={"EnvelopeId": "x"},
)
CIPHERTEXT = SEALED.body
"""What a signature vouches for: it says nothing of the header, which may lose what tells of encryption."""


def seeds() -> Iterable[bytes]:
    """Sealed, signed, annotated, cloaked and clear ones."""
    clear = seal(PLAINTEXT, entropy=ENTROPY, signer=SIGNER, annotations=[b"note"])
    own = seal(PLAINTEXT, entropy=ENTROPY, symmetric=[SECRET], enc=A256GCM, suites=OWN)
    for envelope in (SEALED, clear, own):
        yield from (envelope.to_json(), envelope.to_json_b(), envelope.to_stream())
    yield b'{"DareEnvelope":[{},"AAAA",{}]}'
    yield b"[{}\x8c\x01a\x8c\x01b\x88\x00]"


def one(data: bytes) -> None:
    """Both readers say the same of what both read, and a digest or signature that holds is of this body."""
    whole = pieces = None
    try:
        whole = Envelope.from_bytes(data)
    except MeshError:
        pass
    found: list[bytes] = []
    try:
        pieces = stream.open_stream(
            _reader(data), lambda piece: found.append(bytes(piece)), keyring=KEYRING, suites=OWN
        )
    except MeshError:
        pass
    if whole is None:
        return
    try:
        opened = open_envelope(whole, keyring=KEYRING, signers=[SIGNER.public], suites=OWN)
    except MeshError:
        return
    assert whole == Envelope.from_bytes(whole.to_json()) == Envelope.from_bytes(whole.to_json_b())
    if opened.signed_by:
        assert opened.plaintext in (PLAINTEXT, CIPHERTEXT)
    if pieces is not None:
        assert b"".join(found) == opened.plaintext
        assert pieces.header == opened.header


def _reader(data: bytes) -> stream.Read:
    position = 0

    def read(count: int) -> bytes:
        nonlocal position
        piece = data[position : position + min(count, 7)]
        position += len(piece)
        return piece

    return read
