"""Frame 0 of an account's store: Merkle, no body, no policy, so that both copies begin with the same
digest.
"""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.dare.frame import RawFrame, unpack_frame
from mathmesh.dare.policy import Policy
from mathmesh.dare.sequence import MERKLE, parse_frame, sequence_info
from mathmesh.dare.sequence_writer import new_sequence
from mathmesh.schema.build.enveloped import no_entropy


def first_frame() -> Envelope:
    """Frame 0 as an envelope, the way Transact and Download carry it."""
    octets = new_sequence(MERKLE, Policy(), entropy=no_entropy)[1].octets
    frame = parse_frame(RawFrame(position=0, length=len(octets), records=unpack_frame(octets)), 0)
    return Envelope(frame.header, frame.body, frame.trailer)


def is_first_frame(envelope: Envelope) -> bool:
    """Whether an envelope is a frame 0, of whatever kind of sequence."""
    info = envelope.header.get("SequenceInfo")
    return isinstance(info, dict) and info.get("Index") == 0


def is_ours(envelope: Envelope) -> bool:
    """Whether a frame 0 begins a store of the kind that we keep."""
    return sequence_info(envelope.header).get("ContainerType") == MERKLE and not envelope.body
