"""Erasure of frames of a sequence file, with evidence (see `mathmesh.dare.erasure`)."""

from __future__ import annotations

from collections.abc import Sequence

from mathmesh.dare import erasure
from mathmesh.dare.envelope import seal
from mathmesh.errors import PolicyError
from mathmesh.keys.pair import PrivateKey
from mathmesh.types import Entropy
from meshclient.store_files import SequenceFile


def erase(
    file: SequenceFile,
    indexes: Sequence[int],
    *,
    entropy: Entropy,
    reason: str = "",
    signer: PrivateKey | None = None,
) -> tuple[int, ...]:
    """Makes what frames hold unreadable for ever; returns the numbers of those that were readable before.

    Evidence is appended first, signed by `signer` or else sealed as the policy says. Copies elsewhere keep
    what they have, and flash memory may keep old blocks. Raises PolicyError when one of the frames cannot be
    erased or nothing would vouch for the evidence; then nothing is done.
    """
    frames = [file.frame(index) for index in dict.fromkeys(indexes)]
    evidence = erasure.evidence_of(frames, reason)
    places = [erasure.overwrite(file.reader.read_at, frame) for frame in frames if not frame.erased]
    if not places:
        return ()
    if signer is not None:
        meta = erasure.EVIDENCE
        file.append_envelope(seal(evidence.encode(), entropy=entropy, signer=signer, content_meta=meta))
    elif file.policy.authenticated:
        file.append(evidence.encode(), erasure.EVIDENCE)
    else:
        raise PolicyError(f"{file.path} is not sealed as a whole; sign the evidence of an erasure")
    file.overwrite(places)
    return tuple(place.index for place in places)
