"""Erasure of frames of a sequence file, with evidence (see `mathmesh.dare.erasure`)."""

from __future__ import annotations

from collections.abc import Sequence

from mathmesh.dare import erasure
from mathmesh.dare.content_meta import DELETE
from mathmesh.dare.envelope import seal
from mathmesh.dare.sequence import Frame
from mathmesh.errors import KeyUnavailableError, PolicyError
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

    Frames that say that an entry was deleted hold nothing and are left as they are.

    Evidence is appended first, signed by `signer` or else sealed as the policy says. Copies elsewhere keep
    what they have, and flash memory may keep old blocks. Raises PolicyError when one of the frames cannot be
    erased or nothing would vouch for the evidence; then nothing is done.
    """
    frames = [frame for frame in map(file.frame, dict.fromkeys(indexes)) if not _stays(file, frame)]
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


def _stays(file: SequenceFile, frame: Frame) -> bool:
    """Whether a frame says that an entry is gone, which has nothing to erase; evidence is refused."""
    try:
        meta = file.content_meta(frame)
    except KeyUnavailableError:
        return False
    if meta.message_type == erasure.MESSAGE_TYPE:
        raise PolicyError(f"frame {frame.index} is evidence of an erasure and stays")
    return meta.event == DELETE and not frame.erased
