"""Checkpoints and slices with proof, of sequence files."""

from __future__ import annotations

from mathmesh.dare import erasure, header_tree, proof, witness
from mathmesh.dare.sequence import MERKLE, Frame
from mathmesh.errors import PolicyError, StoreError, VerificationError
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.types import Entropy
from meshclient.store_files import SequenceFile


def append_checkpoint(
    file: SequenceFile, signer: PrivateKey, entropy: Entropy, *, headers: bool = True, sync: bool = True
) -> int:
    """Appends a frame in which `signer` vouches for all frames so far; returns its number.

    With `headers` also for their headers, for which those since the last checkpoint of the same signer are
    read. Raises PolicyError for a sequence without tree.
    """
    apex = file.apex
    if file.container_type != MERKLE or apex is None:
        raise PolicyError(f"{file.path} is of type {file.container_type}; only Merkle takes checkpoints")
    count = file.count
    made = witness.Witness(
        id=witness.sequence_id(file.reader),
        issuer=signer.public.udf,
        apex=apex,
        index=count - 1,
        header_peaks=_header_peaks(file, count, signer.public) if headers else (),
    )
    return file.append_envelope(witness.make_checkpoint(made, signer, entropy), sync=sync)


def last_checkpoint(
    file: SequenceFile, signer: PublicKey, *, covering: int = 0, headers: bool = True
) -> tuple[Frame, witness.Witness]:
    """The last checkpoint of `signer` that vouches for frame `covering`, headers included unless told.

    Raises StoreError when there is none, VerificationError for one that the key did not sign.
    """
    identifier = witness.sequence_id(file.reader)
    for frame in file.frames_reversed():
        found = witness.read_checkpoint(frame.merged, frame.body, [signer], identifier)
        if found is not None and found[0].index >= covering and (found[0].header_peaks or not headers):
            return frame, found[0]
    raise StoreError(
        f"{file.path} has no checkpoint of {signer.udf} that covers frame {covering}; append one"
    )


def export_slice(file: SequenceFile, first: int, last: int, signer: PublicKey) -> bytes:
    """Frames `first` to `last` with the proof that `signer` vouched for them (see `mathmesh.dare.proof`)."""
    frame, found = last_checkpoint(file, signer, covering=last)
    erased = erasure.evidence_in(file.reader, [signer]) if _any_erased(file, found.index) else {}
    return proof.make_slice(file.reader, first, last, frame, found, signer, erased)


def _header_peaks(file: SequenceFile, count: int, signer: PublicKey) -> tuple[bytes, ...]:
    try:
        _, before = last_checkpoint(file, signer)
        start, peaks = before.index + 1, before.header_peaks
    except (StoreError, VerificationError):
        start, peaks = 0, ()
    erased: dict[int, header_tree.ErasedHeader] = {}
    if _any_erased(file, count - 1, start):
        erased = erasure.evidence_in(file.reader, [signer])
    tree = header_tree.tree_of(file.reader, erased, count, peaks=peaks, start=start)
    return tuple(peak.digest for peak in tree.peaks)


def _any_erased(file: SequenceFile, last: int, first: int = 0) -> bool:
    return any(frame.erased for frame in file.frames(first) if frame.index <= last)
