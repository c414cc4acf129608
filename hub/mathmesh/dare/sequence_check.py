"""Full verification of a sequence (mesh-dare §5.3).

Checked, frame by frame from the start: form and length, numbers without gap, TreePosition, PayloadDigest,
ChainDigest or TreeDigest, FrameMac and decryption where a key is at hand; and that the last frame ends the
file. With a key of the policy at hand every frame of data must open, unless it was erased. With keys of
signers, checkpoints are verified, those that vouch for headers included. The first thing wrong is a
VerificationError that names the frame.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mathmesh.dare import erasure, header_tree, merkle, protection, signature, witness
from mathmesh.dare.sequence import CHAIN, DIGEST_TYPES, MERKLE, POSITION_TYPES, Frame
from mathmesh.dare.sequence_reader import Examined, Reader
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys.pair import PublicKey

LINKED = "linked"
UNLINKED = "reference-2022, no linkage"
NO_LINKS = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceReport:
    """What was found. `linkage` is LINKED, UNLINKED (digests of the 2022 reference) or NO_LINKS.

    `sealed` counts encrypted frames, `opened` those of them that were decrypted. `erased` are the numbers of
    erased frames, `unexplained` those of them without evidence that can be believed. The first `attested`
    frames are vouched for by a checkpoint of `attested_by`, their headers too if `headers_attested`.
    """

    count: int
    linkage: str
    apex: bytes | None
    sealed: int
    opened: int
    erased: tuple[int, ...] = ()
    unexplained: tuple[int, ...] = ()
    attested: int = 0
    attested_by: str | None = None
    headers_attested: bool = False


def verify_sequence(
    reader: Reader, *, accept_unlinked: bool = False, signers: signature.Signers = ()
) -> SequenceReport:
    """Verifies all of the sequence of `reader`; `signers` are those whose checkpoints are believed.

    `accept_unlinked` reports files of the 2022 reference, whose digests commit to no earlier frame,
    instead of refusing them.
    """
    check = _Check(reader, signature.by_kid(signers))
    try:
        for frame in reader.frames():
            check.frame(frame)
    except EncodingError as error:
        raise VerificationError(f"sequence is damaged behind frame {check.count - 1}: {error}") from error
    if check.linkage == UNLINKED and not accept_unlinked:
        raise VerificationError("digests of the sequence do not link its frames; restore it from a backup")
    return SequenceReport(
        count=check.count,
        linkage=check.linkage,
        apex=check.apex,
        sealed=check.sealed,
        opened=check.opened,
        erased=tuple(check.erased),
        unexplained=tuple(index for index in check.erased if index not in check.evidence),
        attested=check.witness.index + 1 if check.witness else 0,
        attested_by=check.witness.issuer if check.witness else None,
        headers_attested=check.headers_attested,
    )


class _Check:
    """Recomputes what the frames must hold, in order."""

    def __init__(self, reader: Reader, signers: Mapping[str, PublicKey]) -> None:
        self.reader = reader
        self.erased: list[int] = []
        self.evidence: Mapping[int, header_tree.ErasedHeader] = {}
        self.witness: witness.Witness | None = None
        self._signers = signers
        self._id = witness.sequence_id(reader)
        self.headers_attested = False
        self._headers: merkle.TreeState | None = merkle.TreeState()
        """The tree over headers so far, None behind an erasure without evidence."""
        self.count = 0
        self.sealed = 0
        self.opened = 0
        self.tree = merkle.TreeState()
        self.chain = merkle.MISSING
        self.apex: bytes | None = None
        self._linked = self._unlinked = True
        keyring = reader.keyring
        self._must_open = keyring is not None and any(
            keyring.private(key.udf) is not None for key in reader.policy.encrypt_keys
        )

    @property
    def linkage(self) -> str:
        """What the digests seen so far amount to."""
        if self.reader.container_type not in (CHAIN, MERKLE):
            return NO_LINKS
        return LINKED if self._linked else UNLINKED

    def frame(self, frame: Frame) -> None:
        """Checks the next frame."""
        kind = self.reader.container_type
        if kind in POSITION_TYPES and frame.index and frame.tree_position != self.tree.next_tree_position():
            raise VerificationError(f"TreePosition of frame {frame.index} is wrong")
        found = self.reader.examine(frame)
        if found.encrypted:
            self.sealed += 1
            if frame.erased:
                self._erased(frame)
            elif found.seed is not None:
                self._open(frame, found.seed)
            elif self._must_open and frame.trailer:
                raise VerificationError(f"frame {frame.index} does not open under the key of this sequence")
        if kind in DIGEST_TYPES:
            self._digests(frame, found)
        elif kind in POSITION_TYPES:
            self.tree.append_position(frame.position)
        if self._signers:
            self._checkpoint(frame)
        self.count += 1

    def _erased(self, frame: Frame) -> None:
        if not self.erased:
            self.evidence = erasure.evidence_in(self.reader, self._signers)
        self.erased.append(frame.index)
        if frame.index in self.evidence:
            header_tree.leaf(frame.header_octets, frame.index, self.evidence)

    def _checkpoint(self, frame: Frame) -> None:
        """Verifies a checkpoint, then counts the header of the frame for later ones."""
        found = witness.read_checkpoint(frame.merged, frame.body, self._signers, self._id)
        if found is not None:
            self._compare_witness(frame, found[0])
        if self._headers is not None:
            try:
                value = header_tree.leaf(frame.header_octets, frame.index, self.evidence)
                self._headers.append(0, value)
            except VerificationError:
                self._headers = None

    def _compare_witness(self, frame: Frame, found: witness.Witness) -> None:
        if found.index >= frame.index or self.reader.container_type != MERKLE:
            raise VerificationError(f"checkpoint {frame.index} vouches for frames that do not precede it")
        vouched = self.reader.frame(found.index)
        if protection.binary(vouched.merged, "TreeDigest") != found.apex:
            raise VerificationError(f"checkpoint {frame.index} vouches for other frames than those there")
        if found.header_peaks and self._headers is not None:
            tree = self._headers
            if found.index + 1 != tree.count:
                tree = header_tree.tree_of(self.reader, self.evidence, found.index + 1)
            if tuple(peak.digest for peak in tree.peaks) != found.header_peaks:
                raise VerificationError(f"a header that checkpoint {frame.index} vouches for was altered")
        self.witness = found
        self.headers_attested = bool(found.header_peaks) and self._headers is not None

    def _open(self, frame: Frame, seed: bytes) -> None:
        protection.decrypt(seed, protection.salt_of(frame.header), frame.body)
        self.opened += 1

    def _digests(self, frame: Frame, found: Examined) -> None:
        digest = found.digest
        if digest is None:
            if self.count and frame.trailer == {} and "dig" not in frame.header:
                self._old_form(frame)
                return
            raise VerificationError(f"frame {frame.index} has no PayloadDigest")
        if self.reader.container_type == CHAIN:
            self.chain = merkle.combine(self.chain, digest)
            self._compare(frame, "ChainDigest", found, self.chain)
        elif self.reader.container_type == MERKLE:
            self.apex = self.tree.append(frame.position, digest)
            self._compare(frame, "TreeDigest", found, self.apex)

    def _compare(self, frame: Frame, name: str, examined: Examined, linked: bytes) -> None:
        """Tells linked digests from those of the 2022 reference; only for frame 0 they are the same."""
        found = protection.binary(examined.members, name)
        self._linked = self._linked and found == linked
        if found == linked and frame.index:
            self._unlinked = False
        elif self._unlinked:
            self._unlinked = found in _unlinked(name, frame.index, examined.digest or b"")
        if not self._linked and not self._unlinked:
            raise VerificationError(f"{name} of frame {frame.index} is wrong; restore the file from a backup")

    def _old_form(self, frame: Frame) -> None:
        """Chain files before 2022 give digests for their first frame only."""
        if "SequenceInfo" in self.reader.first.header:
            raise VerificationError(f"frame {frame.index} has no PayloadDigest")
        self._linked = False


def _unlinked(name: str, index: int, digest: bytes) -> tuple[bytes, ...]:
    """The values that the 2022 reference may have written."""
    if name == "ChainDigest":
        return (merkle.unlinked_chain_digest(digest),)
    return merkle.unlinked_tree_digest(index, digest), merkle.unlinked_tree_digest(index + 1, digest)
