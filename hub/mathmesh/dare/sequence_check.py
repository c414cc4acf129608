"""Full verification of a sequence (mesh-dare §5.3).

Checked, frame by frame from the start: form and length, numbers without gap, TreePosition, PayloadDigest,
ChainDigest or TreeDigest, FrameMac and decryption where a key is at hand; and that the last frame ends the
file. With a key of the policy at hand every frame of data must open. The first thing wrong is a
VerificationError that names the frame.
"""

from dataclasses import dataclass

from mathmesh.dare import merkle, protection
from mathmesh.dare.sequence import CHAIN, DIGEST_TYPES, MERKLE, POSITION_TYPES, Frame
from mathmesh.dare.sequence_reader import Reader
from mathmesh.errors import EncodingError, VerificationError

LINKED = "linked"
UNLINKED = "reference-2022, no linkage"
NO_LINKS = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceReport:
    """What was found. `linkage` is LINKED, UNLINKED (digests of the 2022 reference) or NO_LINKS.

    `sealed` counts encrypted frames, `opened` those of them that were decrypted.
    """

    count: int
    linkage: str
    apex: bytes | None
    sealed: int
    opened: int


def verify_sequence(reader: Reader, *, accept_unlinked: bool = False) -> SequenceReport:
    """Verifies all of the sequence of `reader`.

    `accept_unlinked` reports files of the 2022 reference, whose digests commit to no earlier frame,
    instead of refusing them.
    """
    check = _Check(reader)
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
    )


class _Check:
    """Recomputes what the frames must hold, in order."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
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
        seed = self.reader.check(frame)
        if protection.is_encrypted(frame.header):
            self.sealed += 1
            if seed is not None:
                self._open(frame, seed)
            elif self._must_open and frame.trailer:
                raise VerificationError(f"frame {frame.index} does not open under the key of this sequence")
        if kind in DIGEST_TYPES:
            self._digests(frame)
        elif kind in POSITION_TYPES:
            self.tree.append_position(frame.position)
        self.count += 1

    def _open(self, frame: Frame, seed: bytes) -> None:
        protection.decrypt(seed, protection.salt_of(frame.header), frame.body)
        self.opened += 1

    def _digests(self, frame: Frame) -> None:
        digest = protection.binary(frame.merged, "PayloadDigest")
        if digest is None:
            if self.count and frame.trailer == {} and "dig" not in frame.header:
                self._old_form(frame)
                return
            raise VerificationError(f"frame {frame.index} has no PayloadDigest")
        if self.reader.container_type == CHAIN:
            self.chain = merkle.combine(self.chain, digest)
            self._compare(frame, "ChainDigest", self.chain, (merkle.unlinked_chain_digest(digest),))
        elif self.reader.container_type == MERKLE:
            self.apex = self.tree.append(frame.position, digest)
            unlinked = (
                merkle.unlinked_tree_digest(frame.index, digest),
                merkle.unlinked_tree_digest(frame.index + 1, digest),
            )
            self._compare(frame, "TreeDigest", self.apex, unlinked)

    def _compare(self, frame: Frame, name: str, linked: bytes, unlinked: tuple[bytes, ...]) -> None:
        found = protection.binary(frame.merged, name)
        self._linked = self._linked and found == linked
        self._unlinked = self._unlinked and found in unlinked
        if not self._linked and not self._unlinked:
            raise VerificationError(f"{name} of frame {frame.index} is wrong; restore the file from a backup")

    def _old_form(self, frame: Frame) -> None:
        """Chain files before 2022 give digests for their first frame only."""
        if "SequenceInfo" in self.reader.first.header:
            raise VerificationError(f"frame {frame.index} has no PayloadDigest")
        self._linked = False
