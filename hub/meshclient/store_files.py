"""Sequence files: the one place where stores touch a disk (draft-hallambaker-mesh-dare §5).

One writer at a time, under an exclusive lock; a batch is one write and one fdatasync. What a crash tore off
behind the last whole frame is cut when the file is next opened for writing. A failed append is undone.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from mathmesh.dare import recovery, sequence_index
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.erasure import Overwrite
from mathmesh.dare.frame import read_frame
from mathmesh.dare.policy import SESSION, Policy, policy_for
from mathmesh.dare.positions import Positions
from mathmesh.dare.sequence import MERKLE, Frame, parse_frame
from mathmesh.dare.sequence_check import SequenceReport, verify_sequence
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.sequence_state import Staged
from mathmesh.dare.sequence_writer import Writer, continue_sequence, new_sequence
from mathmesh.dare.signature import Signers
from mathmesh.dare.structure import Envelope
from mathmesh.errors import EncodingError, LocalProtocolError, MeshError, StoreError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PublicKey
from mathmesh.types import Entropy
from meshclient import side_index
from meshclient.open_file import OpenFile


class SequenceFile:
    """An open sequence; make one with `create` or `open` and close it, best as a context manager.

    Appends may come from several threads; each is in the file as a whole or not at all.
    """

    def __init__(self, file: OpenFile, reader: Reader, writer: Writer | None) -> None:
        self.recovered_octets = 0
        """Octets of a torn write that were cut (for reading only: passed over) when the file was opened."""
        self._file = file
        self._reader = reader
        self._writer = writer
        self._lock = threading.RLock()
        self._saved = len(reader.positions)
        reader.on_wrong_positions = self._forget_side_index

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        container_type: str = MERKLE,
        policy_recipients: Sequence[PublicKey] = (),
        encryption: str = SESSION,
        cloaked: bool = False,
        content_meta: ContentMeta | None = None,
        keyring: Keyring | None = None,
        entropy: Entropy,
        sync: bool = True,
    ) -> Self:
        """A new sequence with its first frame, open for writing; with `sync` safely on disk.

        With recipients, data is sealed for them as `encryption` says: Once, Session or Isolated; `cloaked`
        seals descriptions too. The folder is made when it is not there. Raises StoreError when the file
        exists or cannot be written.
        """
        policy = policy_for(tuple(policy_recipients), encryption, cloaked=cloaked)
        writer, staged = new_sequence(container_type, policy, entropy=entropy, content_meta=content_meta)
        path = Path(path)
        file = OpenFile.create(path, staged.octets, sync=sync)
        try:
            side_index.discard(path)
        except BaseException:
            file.close()
            raise
        writer.commit(staged)
        return cls(file, Reader(file.read_at, len(staged.octets), keyring=keyring), writer)

    @classmethod
    def open(
        cls, path: Path | str, *, keyring: Keyring | None = None, entropy: Entropy | None = None
    ) -> Self:
        """An existing sequence; without `entropy` for reading only, which takes no lock.

        A torn tail is cut, or passed over when reading only: see `recovered_octets`. Raises StoreError when
        the file is absent, in use, or damaged in the middle; KeyUnavailableError when policy Once needs a
        key that is not at hand.
        """
        file = OpenFile.open(Path(path), writable=entropy is not None)
        try:
            return cls._opened(file, keyring, entropy)
        except (StoreError, EncodingError) as error:
            file.close()
            raise StoreError(f"{path}: {error}") from error
        except BaseException:
            file.close()
            raise

    @classmethod
    def _opened(cls, file: OpenFile, keyring: Keyring | None, entropy: Entropy | None) -> Self:
        size = file.size
        positions = side_index.load(file.path, size)
        end = _whole_end(file, size, positions)
        if end != size and entropy is not None:
            file.cut(end)
        positions.cut(end)
        reader = Reader(file.read_at, end, keyring=keyring, positions=positions)
        if len(reader.positions) == 1:
            reader.positions = sequence_index.positions(reader) or reader.positions
        writer = None if entropy is None else continue_sequence(reader, entropy=entropy)
        opened = cls(file, reader, writer)
        opened.recovered_octets = size - end
        return opened

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._file.path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file and gives up the lock; closing twice is no harm."""
        with self._lock:
            if self._writer is not None and not self._file.closed:
                if len(self._reader.positions) > self._saved:
                    side_index.save(self.path, self._reader.positions)
            self._file.close()

    @property
    def reader(self) -> Reader:
        """What reads the file, for functions of the core; what they read is as far as it is on disk."""
        return self._reader

    @property
    def size(self) -> int:
        """Length of the sequence in octets."""
        return self._reader.size

    @property
    def count(self) -> int:
        """Number of frames, the first included."""
        return self._reader.count if self._writer is None else self._writer.state.count

    @property
    def apex(self) -> bytes | None:
        """TreeDigest of the last frame, which commits to all frames; None for types without a tree digest."""
        return self._reader.apex if self._writer is None else self._writer.apex

    @property
    def container_type(self) -> str:
        """ContainerType of the sequence."""
        return self._reader.container_type

    @property
    def policy(self) -> Policy:
        """Policy of the sequence."""
        return self._reader.policy

    def append(self, plaintext: bytes, content_meta: ContentMeta | None = None, *, sync: bool = True) -> int:
        """Appends one frame of data, sealed as the policy says, and returns its number.

        With `sync` it is on disk on return. Raises StoreError, and changes nothing, when it cannot be.
        """
        with self._lock:
            return self._put(self._writable().stage(((plaintext, content_meta),)), sync)[0]

    def append_many(
        self, items: Sequence[bytes | tuple[bytes, ContentMeta | None]], *, sync: bool = True
    ) -> range:
        """Appends a frame for each item in one write, all or none; returns their numbers."""
        pairs = [item if isinstance(item, tuple) else (item, None) for item in items]
        with self._lock:
            return self._put(self._writable().stage(pairs), sync)

    def append_envelope(
        self, envelope: Envelope, received: datetime | None = None, *, sync: bool = True
    ) -> int:
        """Appends a finished envelope as catalogs and spools hold them; returns the number of its frame."""
        with self._lock:
            return self._put(self._writable().stage_envelope(envelope, received), sync)[0]

    def stage_envelopes(self, envelopes: Iterable[Envelope], received: datetime | None = None) -> Staged:
        """What `put` is to append for these envelopes; nothing is written."""
        with self._lock:
            return self._writable().stage_envelopes(envelopes, received)

    def put(self, staged: Staged, *, sync: bool = True) -> range:
        """Appends what was staged last; returns the numbers of the frames, as `append_many` does."""
        with self._lock:
            return self._put(staged, sync)

    def apex_with(self, envelopes: Iterable[Envelope]) -> bytes | None:
        """What `apex` would be with these envelopes appended; nothing is written."""
        with self._lock:
            return self._writable().apex_with(envelopes)

    def append_index(self, *, full: bool = False, sync: bool = True) -> range:
        """Appends index frames for the frames since the last one, or for all (see `sequence_index`)."""
        with self._lock:
            writer = self._writable()
            last = sequence_index.last_index(self._reader)
            start = 0 if full or last is None else sequence_index.next_unlisted(last)
            previous = None if last is None else last.position
            first = writer.state.count
            for index in sequence_index.indexes(self._reader, start, first, full=full):
                staged = writer.stage_index(index, previous)
                previous = staged.positions[0]
                self._put(staged, sync=False)
            if sync:
                self._file.sync()
            return range(first, writer.state.count)

    def overwrite(self, places: Sequence[Overwrite]) -> None:
        """Writes over salts, each safely on disk (see `meshclient.sequence_erasure`)."""
        with self._lock:
            self._writable()
            for place in places:
                self._file.overwrite(place.octets, place.offset)

    def append_frame_raw(self, octets: bytes, *, sync: bool = True) -> int:
        """Appends a whole frame made elsewhere for exactly this place, after verifying that it fits."""
        with self._lock:
            return self._put(self._writable().stage_raw(octets), sync)[0]

    def sync(self) -> None:
        """Returns when everything appended so far is on disk."""
        with self._lock:
            self._file.sync()

    def frame(self, index: int) -> Frame:
        """Frame number `index`, unverified; raises StoreError when there is none."""
        try:
            return self._reader.frame(index)
        except EncodingError as error:
            raise StoreError(f"{self.path}: frame {index} is damaged: {error}; restore the file") from error

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """Frames from number `start` on, unverified, those included that are appended meanwhile."""
        return self._reader.frames(start)

    def frames_reversed(self) -> Iterator[Frame]:
        """Frames from the last to the first, unverified."""
        return self._reader.frames_reversed()

    def plaintext(self, frame: int | Frame) -> bytes:
        """Verified and decrypted payload of a frame, by number or as read.

        Raises VerificationError when the frame was altered, KeyUnavailableError when no key opens it.
        """
        return self._reader.plaintext(self.frame(frame) if isinstance(frame, int) else frame)

    def content_meta(self, frame: int | Frame) -> ContentMeta:
        """Description of a frame, also where it is cloaked."""
        return self._reader.content_meta(self.frame(frame) if isinstance(frame, int) else frame)

    def envelope(self, frame: int | Frame) -> Envelope:
        """A frame as an envelope that stands alone, the recipients of its exchange copied in."""
        return self._reader.envelope(self.frame(frame) if isinstance(frame, int) else frame)

    def verify(self, *, accept_unlinked: bool = False, signers: Signers = ()) -> SequenceReport:
        """Verifies the whole file (see `mathmesh.dare.sequence_check`)."""
        try:
            return verify_sequence(self._reader, accept_unlinked=accept_unlinked, signers=signers)
        except MeshError as error:
            raise type(error)(f"{self.path}: {error}") from error

    def _writable(self) -> Writer:
        if self._writer is None:
            raise LocalProtocolError(f"{self.path} is open for reading only; open it with entropy")
        return self._writer

    def _put(self, staged: Staged, sync: bool) -> range:
        """Writes what was staged and takes its state over, or changes nothing."""
        writer = self._writable()
        first = writer.state.count
        self._file.append(staged.octets, writer.state.end, sync=sync)
        writer.commit(staged)
        positions = self._reader.positions
        if len(positions) == first:
            positions.learn(first, staged.positions)
        self._reader.size = staged.state.end
        return range(first, first + len(staged.positions))

    def _forget_side_index(self) -> None:
        """The side index was wrong: it is written anew."""
        side_index.discard(self.path)
        self._saved = 0


def _whole_end(file: OpenFile, size: int, positions: Positions) -> int:
    """Where the whole frames end; reads on from the last frame of the side index if that one is there."""
    if recovery.ends_whole(file.read_at, size, positions):
        return size
    if len(positions):
        number = len(positions) - 1
        try:
            parse_frame(read_frame(file.read_at, positions[-1]), number)
            return recovery.whole_end(file.read_at, size, start=positions[-1], number=number)
        except EncodingError:
            positions.truncate(0)
    return recovery.whole_end(file.read_at, size)
