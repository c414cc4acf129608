"""Slices with proof: nothing but what the signer vouched for gets through."""

import random
from collections.abc import Iterable

from mathmesh.dare import header_tree, proof, witness
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.policy import Policy
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.sequence_writer import new_sequence
from mathmesh.errors import MeshError
from mathmesh.keys.pair import generate

ENTROPY = random.Random("slices to be damaged").randbytes
SIGNER = generate("Ed25519", ENTROPY)
FRAMES = 7
SPANS = ((1, 1), (2, 4), (0, FRAMES - 1))


def _made() -> dict[bytes, tuple[bytes, ...]]:
    """Slices, and the bodies that each holds."""
    writer, staged = new_sequence("Merkle", Policy(), entropy=ENTROPY)
    writer.commit(staged)
    octets = staged.octets
    for number in range(1, FRAMES):
        staged = writer.stage([(b"%d" % number, ContentMeta(filename=str(number)))])
        writer.commit(staged)
        octets += staged.octets
    reader = _reader(octets)
    peaks = header_tree.tree_of(reader, {}, FRAMES).peaks
    made = witness.Witness(
        id=witness.sequence_id(reader),
        issuer=SIGNER.public.udf,
        apex=writer.apex or b"",
        index=FRAMES - 1,
        header_peaks=tuple(peak.digest for peak in peaks),
    )
    staged = writer.stage_envelope(witness.make_checkpoint(made, SIGNER, ENTROPY))
    reader = _reader(octets + staged.octets)
    found = {}
    for first, last in SPANS:
        piece = proof.make_slice(reader, first, last, reader.frame(FRAMES), made, SIGNER.public, {})
        found[piece] = tuple(reader.frame(number).body for number in range(first, last + 1))
    return found


def _reader(data: bytes) -> Reader:
    return Reader(lambda offset, count: data[offset : offset + count], len(data))


MADE = _made()


def seeds() -> Iterable[bytes]:
    """Slices that verify."""
    return MADE


def one(data: bytes) -> None:
    """A slice verifies only when not an octet of it is another one."""
    try:
        found = proof.open_slice(data, SIGNER.public)
    except MeshError:
        return
    assert tuple(frame.body for frame in found.frames) == MADE[data]
