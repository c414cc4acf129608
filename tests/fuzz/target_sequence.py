"""Sequence files: walked from both ends, recovered, verified, read as archives."""

import random
from collections.abc import Iterable

from mathmesh.dare import archive, erasure, header_tree, history, recovery, sequence_index, witness
from mathmesh.dare.content_meta import DELETE, ContentMeta
from mathmesh.dare.envelope import seal
from mathmesh.dare.policy import ISOLATED, ONCE, SESSION, Policy, policy_for
from mathmesh.dare.sequence_check import verify_sequence
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.sequence_writer import Writer, new_sequence
from mathmesh.errors import MeshError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate

ENTROPY = random.Random("sequences to be damaged").randbytes
KEY, SIGNER = generate("X25519", ENTROPY), generate("Ed25519", ENTROPY)
KEYRING = MemoryKeyring([KEY])
CONTENTS = (b"one", b"two", b"three")


def seeds() -> Iterable[bytes]:
    """Every type and policy, with index frame, envelope, checkpoint and evidence."""
    for kind, policy in (
        ("Merkle", Policy()),
        ("Chain", Policy()),
        ("List", Policy()),
        ("Merkle", policy_for((KEY.public,), ONCE)),
        ("Merkle", policy_for((KEY.public,), SESSION, cloaked=True)),
        ("Tree", policy_for((KEY.public,), ISOLATED)),
    ):
        writer, staged = new_sequence(kind, policy, entropy=ENTROPY)
        writer.commit(staged)
        pieces = [staged.octets]
        for number, content in enumerate(CONTENTS):
            staged = writer.stage([(content, ContentMeta(filename=f"{number}.txt"))])
            writer.commit(staged)
            pieces.append(staged.octets)
        if kind == "Merkle":
            pieces += _extras(writer, b"".join(pieces))
        yield b"".join(pieces)


def _extras(writer: Writer, before: bytes) -> Iterable[bytes]:
    identifier = witness.sequence_id(_reader(before))
    made = witness.Witness(
        id=identifier, issuer=SIGNER.public.udf, apex=writer.apex or b"", index=writer.state.count - 1
    )
    evidence = erasure.Evidence(headers={1: header_tree.ErasedHeader(bytes(64), bytes(64))}, reason="x")
    gone = ContentMeta(filename="1.txt", event=DELETE)
    for staged in (
        lambda: writer.stage_envelope(witness.make_checkpoint(made, SIGNER, ENTROPY)),
        lambda: writer.stage([(evidence.encode(), erasure.EVIDENCE), (b"", gone)]),
        lambda: writer.stage_envelope(seal(b"sealed", entropy=ENTROPY, recipients=[KEY.public])),
        lambda: writer.stage_index({"Positions": [{"Index": 0, "Position": 0}]}, None),
    ):
        done = staged()
        writer.commit(done)
        yield done.octets


def _reader(data: bytes) -> Reader:
    return Reader(lambda offset, count: data[offset : offset + count], len(data), keyring=KEYRING)


def one(data: bytes) -> None:
    """Reading fails with an error of ours or agrees with itself; what verifies holds what was written."""

    def read_at(offset: int, count: int) -> bytes:
        return data[offset : offset + count]

    for step in (
        lambda: recovery.whole_end(read_at, len(data)),
        lambda: recovery.ends_whole(read_at, len(data)),
        lambda: _both_ways(_reader(data)),
        lambda: archive.members(_reader(data), recover=True),
        lambda: history.undo_since(_reader(data), 1),
        lambda: erasure.evidence_in(_reader(data), [SIGNER.public]),
        lambda: _positions(_reader(data)),
        lambda: verify_sequence(_reader(data), accept_unlinked=True, signers=[SIGNER.public]),
    ):
        try:
            step()
        except MeshError:
            continue


def _both_ways(reader: Reader) -> None:
    forwards = [frame.position for frame in reader.frames()]
    backwards = [frame.position for frame in reader.frames_reversed()]
    assert forwards == backwards[::-1]


def _positions(reader: Reader) -> None:
    found = sequence_index.positions(reader)
    assert found is None or found[0] == 0
    sealed = [frame for frame in reader.frames(1) if "FrameMac" in frame.trailer and not frame.erased]
    for frame in sealed:
        if reader.policy.authenticated:
            assert reader.plaintext(frame) in (*CONTENTS, b"", _EVIDENCE)


_EVIDENCE = erasure.Evidence(headers={1: header_tree.ErasedHeader(bytes(64), bytes(64))}, reason="x").encode()
