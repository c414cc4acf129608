"""Erasure of a record by its salt, with evidence (protocol book, "Stores").

The text of the Salt in the header of a sealed frame is overwritten with as many `A`. Lengths stay, and no
digest of the draft covers a header: chain and tree still hold, and nothing derives the keys of the body any
more. What tells an erasure from damage is
 1. FrameMac, which was made for the header with its salt and does not fit the one without, and
 2. an evidence frame, appended and on disk before anything is overwritten: it names the frames and the
    digests of each header, as it was (for the tree over headers) and as it is then (so that nothing else in
    it can be altered). It is signed, or sealed with a FrameMac of its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare import protection, signature
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.frame import ReadAt
from mathmesh.dare.header_tree import ErasedHeader, header_digest
from mathmesh.dare.sequence import ERASED_SALT, Frame
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.suites import INTEROPERABLE, S512
from mathmesh.dare.text_form import parse_object
from mathmesh.errors import EncodingError, MeshError, PolicyError
from mathmesh.keys.pair import PublicKey

MESSAGE_TYPE = "Erasure"
EVIDENCE = ContentMeta(message_type=MESSAGE_TYPE, cty="application/json")
"""Description of an evidence frame."""

_SALT = re.compile(rb'"Salt"\s*:\s*"([A-Za-z0-9_\-]{22})"')
_ZEROS = ERASED_SALT.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an evidence frame says: erased frames with the digests of their headers, and why."""

    headers: Mapping[int, ErasedHeader]
    reason: str = ""

    def encode(self) -> bytes:
        """The body of the frame."""
        frames = [
            {"Index": index, "Header": b64.encode(value.before), "Remains": b64.encode(value.after)}
            for index, value in self.headers.items()
        ]
        members: dict[str, object] = {"Frames": frames}
        if self.reason:
            members["Reason"] = self.reason
        return jsonbcd.dumps({MESSAGE_TYPE: members})

    @classmethod
    def decode(cls, octets: bytes) -> "Evidence":
        """The evidence in a body; raises EncodingError for anything else."""
        value = jsonbcd.loads(octets)
        members = value.get(MESSAGE_TYPE) if isinstance(value, dict) else None
        frames = members.get("Frames") if isinstance(members, dict) else None
        if not isinstance(members, dict) or not isinstance(frames, list):
            raise EncodingError("body is no evidence of an erasure")
        headers: dict[int, ErasedHeader] = {}
        for entry in frames:
            index = entry.get("Index") if isinstance(entry, dict) else None
            if not isinstance(index, int) or isinstance(index, bool) or index < 1:
                raise EncodingError("evidence of an erasure names no frame")
            before, after = (protection.binary(entry, name) or b"" for name in ("Header", "Remains"))
            headers[index] = ErasedHeader(before, after)
        return cls(headers=headers, reason=str(members.get("Reason", "")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwrite:
    """Octets to write over those at a file offset, of the same length."""

    index: int
    offset: int
    octets: bytes = field(repr=False)


def evidence_of(frames: Sequence[Frame], reason: str = "") -> Evidence:
    """The evidence for frames that are to be erased; those that are erased already are left out.

    Raises PolicyError for a frame that can not be erased: the first one, one in clear, and one whose header
    is in another form than text.
    """
    for frame in frames:
        if not frame.index:
            raise PolicyError("the first frame holds the policy and cannot be erased")
        if "Salt" not in frame.header:
            raise PolicyError(f"frame {frame.index} is in clear; copy the sequence without it instead")
    headers = {
        frame.index: ErasedHeader(header_digest(frame.header_octets), header_digest(_altered(frame)[1]))
        for frame in frames
        if not frame.erased
    }
    return Evidence(headers=headers, reason=reason)


def overwrite(read_at: ReadAt, frame: Frame) -> Overwrite:
    """What erases `frame`; raises PolicyError for a header in another form than text."""
    lead = read_at(frame.position, 18)
    outer = 1 + (1 << (lead[0] & 3))
    start = frame.position + outer + 1 + (1 << (lead[outer] & 3))
    return Overwrite(index=frame.index, offset=start + _altered(frame)[0], octets=_ZEROS)


def _altered(frame: Frame) -> tuple[int, bytes]:
    """Where in its header the salt of a frame lies, and the header without it."""
    for match in _SALT.finditer(frame.header_octets):
        altered = frame.header_octets[: match.start(1)] + _ZEROS + frame.header_octets[match.end(1) :]
        if parse_object(altered) == frame.header | {"Salt": ERASED_SALT}:
            return match.start(1), altered
    raise PolicyError(f"header of frame {frame.index} is not in a form that can be erased in place")


def evidence_in(reader: Reader, signers: signature.Signers = ()) -> dict[int, ErasedHeader]:
    """Header digests of all frames of whose erasure there is evidence that can be believed.

    Believed is what is sealed under the policy of the sequence, and what one of `signers` has signed.
    """
    keys = signature.by_kid(signers)
    found: dict[int, ErasedHeader] = {}
    for frame in reader.frames(1):
        try:
            if reader.content_meta(frame).message_type == MESSAGE_TYPE and _believed(reader, frame, keys):
                found |= Evidence.decode(reader.plaintext(frame)).headers
        except MeshError:
            continue
    return found


def _believed(reader: Reader, frame: Frame, keys: Mapping[str, PublicKey]) -> bool:
    if protection.is_encrypted(frame.header):
        return reader.policy.authenticated and bool(frame.trailer)
    digest = protection.payload_digest(frame.body)
    held, _ = signature.verify_all(signature.of(frame.merged), digest, S512, keys, INTEROPERABLE)
    return bool(held)
