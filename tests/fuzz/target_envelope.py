"""Envelopes in every form, read at once and in pieces, and opened."""

from collections.abc import Iterable

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, open_envelope, seal
from mathmesh.dare.sealing import Sealing
from mathmesh.dare.stream import open_stream, write_stream
from mathmesh.errors import MeshError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate


def _entropy(count: int) -> bytes:
    return (b"fuzz" * count)[:count]


SECRET = bytes(range(16))
KEY, SIGNER = generate("X448", _entropy), generate("Ed448", _entropy)
RING = MemoryKeyring([KEY], [SECRET])


def seeds() -> Iterable[bytes]:
    """Clear and sealed, signed, annotated and cloaked, in each serialisation, and a body in pieces."""
    made = [
        seal(b"clear", entropy=_entropy),
        seal(
            b"sealed",
            entropy=_entropy,
            recipients=[KEY.public],
            symmetric=[SECRET],
            signer=SIGNER,
            content_meta=ContentMeta(cty="text/plain", filename="a.txt", labels=("x",)),
            annotations=[b"note", b""],
            cloaked={"Hidden": 1},
        ),
    ]
    for envelope in made:
        yield envelope.to_json()
        yield envelope.to_json_b()
        yield envelope.to_stream()
    yield b'{"DareEnvelope":' + made[0].to_json() + b"}"
    out, pieces = bytearray(), [b"one", b"two"]
    sealing = Sealing(entropy=_entropy, recipients=[KEY.public])
    write_stream(sealing, lambda _: pieces.pop(0) if pieces else b"", out.extend)
    yield bytes(out)


def one(data: bytes) -> None:
    """What is read is written and read again alike, and both readers open it alike or refuse."""
    try:
        envelope = Envelope.from_bytes(data)
    except MeshError:
        envelope = None
    if envelope is not None:
        for octets in (envelope.to_json(), envelope.to_json_b(), envelope.to_stream()):
            assert Envelope.from_bytes(octets) == envelope
    for digest in (True, False):
        whole = _whole(envelope, digest)
        piecewise = _piecewise(data, digest)
        if whole is not None and piecewise is not None:
            assert whole == piecewise


def _whole(envelope: Envelope | None, digest: bool) -> tuple[bytes, tuple[str, ...]] | None:
    if envelope is None:
        return None
    try:
        opened = open_envelope(envelope, keyring=RING, signers=[SIGNER.public], require_digest=digest)
    except MeshError:
        return None
    return opened.plaintext, opened.signed_by


def _piecewise(data: bytes, digest: bool) -> tuple[bytes, tuple[str, ...]] | None:
    out, position = bytearray(), 0

    def read(count: int) -> bytes:
        nonlocal position
        position += min(count, 61)
        return data[position - min(count, 61) : position]

    try:
        opened = open_stream(read, out.extend, keyring=RING, signers=[SIGNER.public], require_digest=digest)
    except MeshError:
        return None
    return bytes(out), opened.signed_by
