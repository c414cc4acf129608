"""Checkpoints: signed frames that vouch for all earlier ones (mesh-dare §5.3, protocol book, "Stores").

The body is a Witness: the TreeDigest of an earlier frame and who says so. The ordinary signature over the
payload digest covers it, so every reader of DARE can verify it. `header_peaks`, ours, stand for the headers.
"""

from dataclasses import dataclass
from typing import Any

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare import merkle, protection, signature
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.suites import INTEROPERABLE, S512
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import digest
from mathmesh.keys.pair import PrivateKey
from mathmesh.types import Entropy

MESSAGE_TYPE = "Witness"
CONTENT_TYPE = "application/mmm/witness"
SEQUENCE_TYPE = "application/mmm/sequence"


def sequence_id(reader: Reader) -> str:
    """Identifier of a sequence: the content digest of its first frame."""
    octets = reader.read_at(0, reader.first.length)
    return digest.content_digest(octets, SEQUENCE_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """`apex` is the TreeDigest of frame `index` of the sequence `id`; `header_peaks` as in `header_tree`."""

    id: str
    issuer: str
    apex: bytes
    index: int
    header_peaks: tuple[bytes, ...] = ()

    @property
    def header_apex(self) -> bytes | None:
        """Tree digest over the headers of all frames to `index`, None when headers are not covered."""
        return self.header_peaks[-1] if self.header_peaks else None

    def encode(self) -> bytes:
        """The body of the frame."""
        members: dict[str, Any] = {
            "Id": self.id,
            "Issuer": self.issuer,
            "Apex": b64.encode(self.apex),
            "Index": self.index,
        }
        if self.header_peaks:
            members["HeaderPeaks"] = [b64.encode(peak) for peak in self.header_peaks]
        return jsonbcd.dumps({MESSAGE_TYPE: members})

    @classmethod
    def decode(cls, octets: bytes) -> "Witness":
        """The witness in a body; raises EncodingError for anything else."""
        value = jsonbcd.loads(octets)
        members = value.get(MESSAGE_TYPE) if isinstance(value, dict) else None
        if not isinstance(members, dict):
            raise EncodingError("body is no Witness")
        index, peaks = members.get("Index"), members.get("HeaderPeaks", [])
        apex = protection.binary(members, "Apex") or b""
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise EncodingError("Witness names no frame")
        if len(apex) != protection.DIGEST_OCTETS or not isinstance(peaks, list):
            raise EncodingError("Witness holds no digest")
        digests = tuple(b64.decode(peak) if isinstance(peak, str) else b"" for peak in peaks)
        if digests and len(digests) != len(merkle.peak_ranks(index + 1)):
            raise EncodingError("Witness holds peaks of another number of headers")
        return cls(
            id=str(members.get("Id", "")),
            issuer=str(members.get("Issuer", "")),
            apex=apex,
            index=index,
            header_peaks=digests,
        )


def make_checkpoint(witness: Witness, signer: PrivateKey, entropy: Entropy) -> Envelope:
    """The envelope to append: the witness in clear, signed."""
    meta = ContentMeta(message_type=MESSAGE_TYPE, cty=CONTENT_TYPE)
    return seal(witness.encode(), entropy=entropy, signer=signer, content_meta=meta)


def read_checkpoint(
    header: dict[str, Any], body: bytes, signers: signature.Signers, identifier: str
) -> tuple[Witness, str] | None:
    """The witness of a frame and the kid of its signer.

    None when the frame is no checkpoint of the sequence `identifier`, or one of unknown signers. Raises
    VerificationError when a known key did not sign it or it names another issuer.
    """
    if protection.is_encrypted(header) or not body.startswith(b'{"Witness":'):
        return None
    held, _ = signature.verify_all(
        signature.of(header),
        protection.payload_digest(body),
        S512,
        signature.by_kid(signers),
        INTEROPERABLE,
    )
    if not held:
        return None
    witness = Witness.decode(body)
    if witness.id != identifier:
        return None
    if witness.issuer != held[0]:
        raise VerificationError("checkpoint is signed by another key than that of its issuer")
    return witness, held[0]
