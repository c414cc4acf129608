"""Reading a sequence: by number, forwards, backwards, and opening what is sealed (mesh-dare §5)."""

import hmac
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from mathmesh.codec import jsonbcd
from mathmesh.dare import edss, exchange, merkle, protection
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.frame import MAXIMUM_LEAD, ReadAt, read_frame, start_before
from mathmesh.dare.policy import Policy
from mathmesh.dare.positions import Positions
from mathmesh.dare.sequence import (
    POSITION_TYPES,
    UNNUMBERED,
    Frame,
    container_type,
    parse_frame,
    sequence_info,
)
from mathmesh.dare.structure import NEVER_CLOAKED, Envelope, content_meta_of
from mathmesh.errors import EncodingError, KeyUnavailableError, StoreError, VerificationError
from mathmesh.keys import hmac256
from mathmesh.keys.keyring import Keyring

_SCAN_LIMIT = 256
"""Frames ahead of the known positions up to which reading on is quicker than the tree."""
_SEEDS_KEPT = 1024


class Examined(NamedTuple):
    """What a frame is by itself: members of header and trailer, whether it is sealed, its digest when it has
    one, and the base seed when a key is at hand.
    """

    members: dict[str, Any]
    encrypted: bool
    digest: bytes | None
    seed: bytes | None


class Reader:
    """Reads through `read_at` the first `size` octets of a sequence, whole frames each.

    `positions` are the file offsets of frames 0, 1, 2 … as far as known; it may come from a side index and
    grows while reading. When a frame is not where they say, they are forgotten once, `on_wrong_positions` is
    called, and the frame is looked for anew. Errors of form are EncodingError; a file that contradicts
    itself is a StoreError.
    """

    def __init__(
        self,
        read_at: ReadAt,
        size: int,
        *,
        keyring: Keyring | None = None,
        positions: Positions | None = None,
    ) -> None:
        self.read_at = read_at
        self.size = size
        self.keyring = keyring
        self.positions = positions or Positions()
        self._positions_are_own = False
        self.positions.learn(0, (0,))
        self.first = self.frame_at(0, 0)
        self.container_type = container_type(self.first)
        self.policy = Policy.from_json(self.first.header.get("policy"))
        self.on_wrong_positions: Callable[[], None] = lambda: None
        self._seeds: dict[int, bytes] = {}
        self._mac_keys: dict[int, hmac256.Key] = {}

    def frame_at(self, position: int, number: int = UNNUMBERED) -> Frame:
        """The frame at file offset `position`."""
        if position >= self.size:
            raise StoreError("sequence ends before the frame asked for")
        return parse_frame(read_frame(self.read_at, position), number)

    def last(self) -> Frame:
        """The last frame."""
        position = start_before(self.read_at, self.size)
        frame = self.frame_at(position)
        if frame.index == UNNUMBERED:
            return list(self.frames())[-1]
        return frame

    @property
    def count(self) -> int:
        """Number of frames, the first included."""
        return self.last().index + 1

    @property
    def apex(self) -> bytes | None:
        """TreeDigest of the last frame, None for types without."""
        return protection.binary(self.last().merged, "TreeDigest")

    def frame(self, index: int) -> Frame:
        """Frame number `index`; raises StoreError when there is none."""
        try:
            return self.frame_at(self.locate(index), index)
        except (EncodingError, StoreError):
            if self._positions_are_own or not 0 <= index <= self.last().index:
                raise
        self._positions_are_own = True
        self.positions.truncate(1)
        self.on_wrong_positions()
        return self.frame_at(self.locate(index), index)

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """Frames from number `start` to the end."""
        if start < 0:
            raise StoreError("frames are numbered from 0")
        position, number = self.frame(start).position if start else 0, start
        while position < self.size:
            frame = self.frame_at(position, number)
            self._learn(number, position)
            yield frame
            position, number = frame.end, number + 1

    def frames_reversed(self) -> Iterator[Frame]:
        """Frames from the last to the first."""
        frame = self.last()
        yield frame
        while frame.position:
            position = start_before(self.read_at, frame.position)
            frame = self.frame_at(position, frame.index - 1)
            yield frame

    def locate(self, index: int) -> int:
        """File offset of frame `index`: from the known positions, else by the tree, else by reading on."""
        if 0 <= index < len(self.positions):
            return self.positions[index]
        last = self.last()
        if not 0 <= index <= last.index:
            raise StoreError(f"sequence holds frames 0 to {last.index}, not {index}")
        if self.container_type in POSITION_TYPES and index - len(self.positions) > _SCAN_LIMIT:
            return self._walk_tree(last, index)
        self.scan(index)
        return self.positions[index]

    def scan(self, upto: int | None = None) -> None:
        """Learns the positions of all frames, or of those to number `upto`, from their lengths alone."""
        number = len(self.positions)
        position = self._behind(self.positions[number - 1])
        while position < self.size and (upto is None or number <= upto):
            self._learn(number, position)
            position, number = self._behind(position), number + 1
        if position > self.size:
            raise StoreError("a frame runs past the end of the sequence; restore the file from a backup")

    def _learn(self, number: int, position: int) -> None:
        self.positions.learn(number, (position,))

    def _behind(self, position: int) -> int:
        lead = self.read_at(position, MAXIMUM_LEAD)
        if not lead or lead[0] & 0xFC != 0xF4:
            raise StoreError("sequence is damaged in the middle; restore the file from a backup")
        width = 1 << (lead[0] & 3)
        return position + 2 * (1 + width) + int.from_bytes(lead[1 : 1 + width], "big")

    def _walk_tree(self, frame: Frame, index: int) -> int:
        while frame.index > index:
            apex = merkle.previous_apex(frame.index)
            target = frame.tree_position
            if apex >= index and target is not None:
                frame = self.frame_at(target, apex)
            else:
                frame = self.frame_at(start_before(self.read_at, frame.position), frame.index - 1)
        return frame.position

    def base_seed(self, frame: Frame) -> bytes:
        """Base seed of the exchange that `frame` belongs to.

        Raises KeyUnavailableError when no key at hand opens it, VerificationError when it names none.
        """
        index = frame.exchange_index
        if index is None:
            raise VerificationError(f"frame {frame.index} is encrypted and names no exchange")
        seed = self._seeds.get(index)
        if seed is None:
            holder = frame if index == frame.index else self.frame(index)
            seed = exchange.open_recipients(holder.header.get("recipients"), self.keyring)
            if len(self._seeds) >= _SEEDS_KEPT:
                self._seeds.clear()
                self._mac_keys.clear()
            self._seeds[index] = seed
        return seed

    def check(self, frame: Frame) -> bytes | None:
        """Verifies a frame by itself and returns the base seed when it is sealed and a key is at hand."""
        return self.examine(frame).seed

    def examine(self, frame: Frame) -> Examined:
        """Verifies a frame by itself.

        Checked are PayloadDigest and, with a key, FrameMac where the policy promises one, but not for erased
        frames, whose header was altered on purpose. Links to other frames are not: see `sequence_check`.
        Raises VerificationError.
        """
        members = frame.merged
        encrypted = protection.is_encrypted(frame.header)
        digest = protection.check_payload_digest(members, frame.body)
        if not encrypted:
            if self.policy.authenticated and frame.trailer:
                raise VerificationError(f"frame {frame.index} is not sealed as the policy asks")
            return Examined(members, False, digest, None)
        if digest is None:
            raise VerificationError(f"frame {frame.index} is encrypted and has no digest")
        if self.keyring is None and frame.exchange_index is not None:
            return Examined(members, True, digest, None)
        try:
            seed = self.base_seed(frame)
        except KeyUnavailableError:
            return Examined(members, True, digest, None)
        mac_asked = "FrameMac" in frame.trailer or (self.policy.authenticated and frame.trailer)
        if mac_asked and not frame.erased:
            self._check_mac(frame, seed, digest)
        return Examined(members, True, digest, seed)

    def plaintext(self, frame: Frame) -> bytes:
        """Verified and, where it is sealed, decrypted body of `frame`; StoreError when it was erased."""
        _, encrypted, _, seed = self.examine(frame)
        if not encrypted:
            return frame.body
        if frame.erased:
            raise StoreError(f"frame {frame.index} was erased")
        if seed is None:
            seed = self.base_seed(frame)
        return protection.decrypt(seed, protection.salt_of(frame.header), frame.body)

    def content_meta(self, frame: Frame) -> ContentMeta:
        """Description of `frame`, also where it is cloaked; empty for an erased frame that was.

        Raises KeyUnavailableError when no key at hand uncloaks it, VerificationError when it was altered.
        """
        octets = protection.binary(frame.header, "cloaked")
        if octets is None:
            return frame.content_meta
        if frame.erased:
            return ContentMeta()
        seed = self.check(frame) or self.base_seed(frame)
        cloaked = jsonbcd.loads(edss.decode(octets, seed, protection.salt_of(frame.header))[1], tolerant=True)
        if not isinstance(cloaked, dict) or NEVER_CLOAKED.intersection(cloaked):
            raise EncodingError(f"cloaked part of frame {frame.index} holds what it must not")
        return content_meta_of(cloaked)

    def envelope(self, frame: Frame) -> Envelope:
        """`frame` as an envelope that stands alone: the recipients of its exchange frame are copied in."""
        header = dict(frame.header)
        index = frame.exchange_index
        if index is not None and index != frame.index:
            header["recipients"] = self.frame(index).header.get("recipients")
        info = dict(sequence_info(frame.header)) if "SequenceInfo" in header else {}
        if info.pop("ExchangePosition", None) is not None:
            header["SequenceInfo"] = info
        trailer = {name: item for name, item in frame.trailer.items() if name != "FrameMac"}
        return Envelope(header, frame.body, trailer)

    def tree_state(self) -> merkle.TreeState:
        """The peaks of the tree, found from the last frame by its TreePositions."""
        return tree_up_to(self.last(), self.frame_at)

    def _check_mac(self, frame: Frame, seed: bytes, digest: bytes) -> None:
        key = self._mac_keys.get(frame.exchange_index or 0)
        if key is None:
            key = self._mac_keys[frame.exchange_index or 0] = hmac256.Key(protection.frame_mac_key(seed))
        claimed = protection.binary(frame.trailer, "FrameMac")
        expected = key.digest(digest + frame.header_octets)
        if claimed is None or not hmac.compare_digest(claimed, expected):
            raise VerificationError(f"header of frame {frame.index} was altered; restore it from a backup")


def tree_up_to(frame: Frame, frame_at: Callable[[int, int], Frame]) -> merkle.TreeState:
    """The tree of the frames up to `frame`, its peaks found by their TreePositions.

    `frame_at(position, number)` reads a frame. Raises StoreError when a frame names no position before it.
    """
    count = frame.index + 1
    peaks: list[merkle.Peak] = []
    for rank in reversed(merkle.peak_ranks(count)):
        if frame.index != rank - 1:
            position = frame.tree_position
            if position is None or position >= frame.position:
                raise StoreError(f"frame {frame.index} has no TreePosition; restore the file from a backup")
            frame = frame_at(position, rank - 1)
        digest = protection.binary(frame.merged, "TreeDigest") or merkle.MISSING
        peaks.insert(0, merkle.Peak(frame.index, frame.position, digest))
    return merkle.TreeState(count, tuple(peaks))
