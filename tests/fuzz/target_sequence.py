"""Sequence files: frames, both directions, the tree, opening and full verification."""

import hashlib
import itertools
from collections.abc import Iterable

from mathmesh.dare.frame import pack_frame, unpack_frame
from mathmesh.dare.policy import ISOLATED, ONCE, SESSION, Policy
from mathmesh.dare.sequence import CONTAINER_TYPES, MERKLE
from mathmesh.dare.sequence_check import verify_sequence
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.sequence_writer import continue_sequence, new_sequence
from mathmesh.errors import EncodingError, MeshError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate

_drawn = itertools.count()


def _entropy(count: int) -> bytes:
    return hashlib.shake_128(next(_drawn).to_bytes(8, "big")).digest(count)


KEY = generate("X448", _entropy)
RING = MemoryKeyring([KEY])


def seeds() -> Iterable[bytes]:
    """A file of each container type and of each policy of encryption; a frame."""
    clear = Policy()
    sealed = [
        Policy(encryption=word, encrypt_keys=(KEY.public,), enc="A256CBC", dig="S512")
        for word in (ONCE, SESSION, ISOLATED)
    ]
    for kind, policy in [*((kind, clear) for kind in CONTAINER_TYPES), *((MERKLE, one) for one in sealed)]:
        writer, first = new_sequence(kind, policy, entropy=_entropy)
        writer.commit(first)
        octets = first.octets
        for number in range(3):
            staged = writer.stage([(b"entry %d" % number, None)])
            writer.commit(staged)
            octets += staged.octets
        yield octets
    yield pack_frame([b"{}", b"body", b"{}"])


def one(data: bytes) -> None:
    """What verifies is whole: read alike from both ends, opened, and continued."""
    try:
        records = unpack_frame(data)
        assert unpack_frame(pack_frame(records)) == records
    except EncodingError:
        pass
    try:
        reader = _reader(data)
        report = verify_sequence(reader, accept_unlinked=True)
    except MeshError:
        _read_damaged(data)
        return
    frames = list(reader.frames())
    assert len(frames) == report.count == reader.count
    assert [frame.position for frame in reader.frames_reversed()] == [frame.position for frame in frames][
        ::-1
    ]
    for frame in frames:
        assert reader.locate(frame.index) == frame.position
        try:
            reader.plaintext(frame)
            reader.envelope(frame)
        except MeshError:
            pass
    try:
        continue_sequence(_reader(data), entropy=_entropy).stage([(b"next", None)])
    except MeshError:
        pass


def _reader(data: bytes) -> Reader:
    return Reader(lambda start, count: data[start : start + count], len(data), keyring=RING)


def _read_damaged(data: bytes) -> None:
    for use in (
        lambda reader: list(reader.frames_reversed()),
        lambda reader: reader.locate(2),
        lambda reader: reader.tree_state(),
        lambda reader: reader.plaintext(reader.last()),
    ):
        try:
            use(_reader(data))
        except MeshError:
            pass
