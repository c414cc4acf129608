"""Envelopes of any size, written and read in pieces, in constant memory (draft-hallambaker-mesh-dare §4.1).

Written is the form of a .dare file: text header and trailer around a binary body, of a length that is given
in front when it is known and else in pieces. Read are all three forms. What a reader gives out must not be
used before `open_stream` has returned: it goes to a place that is thrown away when an error is raised.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mathmesh.codec import jsonbcd
from mathmesh.codec.json_writer import tag
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.opening import Opening
from mathmesh.dare.sealing import Hasher, Sealing
from mathmesh.dare.signature import Signers
from mathmesh.dare.stream_reader import StreamReader
from mathmesh.dare.structure import content_meta_of
from mathmesh.dare.suites import INTEROPERABLE, Suites
from mathmesh.errors import KeyUnavailableError, StoreError
from mathmesh.keys.keyring import Keyring

PIECE = 1 << 20
"""Octets that are read, hashed and written at a time; more falls out of a processor's cache."""
BUFFERS = 4
"""Pieces in flight: a hasher may still be reading the last two it was given when `update` returns."""

_LAST, _MORE = 0x88, 0x8C
_ROOM = 32

Read = Callable[[int], bytes]
"""`read(count)` returns the next octets, `count` at most, none at the end."""
Write = Callable[[bytes | memoryview], object]
"""`write(octets)` takes all of them; they may change once it has returned."""
Wrap = Callable[[Hasher], Hasher]
KeyringFor = Callable[[dict[str, Any]], Keyring]
"""Makes the keyring for an envelope with this header, where keys must be fetched or agreed on first."""
Progress = Callable[[int, int | None], object]
"""`progress(done, total)` is told octets of plaintext (writing) or body (reading); total may be unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written: the envelope without its body, octets of plaintext, of the body and in all."""

    header: dict[str, Any]
    trailer: dict[str, Any]
    digest: bytes
    length: int
    body_octets: int
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOpened:
    """What was read and holds; as `envelope.Opened`, the payload having gone to `write`.

    `opened` is false for an encrypted body that was verified without a key. `length` counts octets of
    plaintext, those of an unopened body being unknown.
    """

    content_meta: ContentMeta
    signed_by: tuple[str, ...]
    unverified: tuple[str, ...]
    annotations: tuple[bytes, ...]
    header: dict[str, Any]
    trailer: dict[str, Any]
    digest: bytes
    encrypted: bool
    opened: bool
    body_octets: int
    length: int | None


def write_stream(
    sealing: Sealing,
    read: Read,
    write: Write,
    *,
    length: int | None = None,
    wrap: Wrap = lambda hasher: hasher,
    progress: Progress | None = None,
) -> Written:
    """Seals what `read` gives and writes the envelope; with `length` it must be exactly that many octets.

    `wrap` may put the hasher into another thread. Raises StoreError when the length turns out another one,
    PolicyError when the body is too long for the cipher; what was written is then no envelope.
    """
    encryptor = sealing.encryptor(length or 0)
    hasher = wrap(sealing.hasher())
    output = _Output(write)
    output.write(b"[" + jsonbcd.dumps(sealing.header) + b",")
    if length is not None:
        output.write(tag(_LAST, sealing.body_length(length)))
    buffers = [bytearray(PIECE + _ROOM if encryptor else 0) for _ in range(BUFFERS)]
    done = body = number = 0
    while piece := read(PIECE):
        done += len(piece)
        if done > (sealing.maximum if length is None else length):
            raise StoreError("source is longer than it was in the beginning; encode it when it rests")
        made: bytes | memoryview = piece
        if encryptor is not None:
            buffer = buffers[number % BUFFERS]
            made = memoryview(buffer)[: encryptor.update(piece, buffer)]
        body += output.body(made, hasher, in_pieces=length is None)
        number += 1
        if progress is not None:
            progress(done, length)
    if length is not None and done != length:
        raise StoreError("source is shorter than it was in the beginning; encode it when it rests")
    rest = encryptor.finish() if encryptor is not None else b""
    if length is None:
        output.write(tag(_LAST, len(rest)))
    body += output.body(rest, hasher, in_pieces=False)
    digest = hasher.digest()
    trailer = sealing.trailer(digest)
    output.write(b"," + jsonbcd.dumps(trailer) + b"]")
    return Written(
        header=sealing.header,
        trailer=trailer,
        digest=digest,
        length=done,
        body_octets=body,
        octets=output.octets,
    )


class _Output:
    """Counts what is written."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self.octets = 0

    def write(self, octets: bytes | memoryview) -> None:
        self.octets += len(octets)
        self._write(octets)

    def body(self, octets: bytes | memoryview, hasher: Hasher, *, in_pieces: bool) -> int:
        """A piece of the body; returns its length."""
        if octets:
            hasher.update(octets)
            if in_pieces:
                self.write(tag(_MORE, len(octets)))
            self.write(octets)
        return len(octets)


def open_stream(
    read: Read,
    write: Write | None,
    *,
    keyring: Keyring | KeyringFor | None = None,
    signers: Signers = (),
    require_signature: bool = False,
    require_digest: bool = True,
    suites: Suites = INTEROPERABLE,
    wrap: Wrap = lambda hasher: hasher,
    progress: Progress | None = None,
) -> StreamOpened:
    """Verifies the envelope that `read` gives and hands its payload to `write`.

    Without `write` nothing is decrypted, and keys may be lacking. Otherwise as `envelope.open_envelope`,
    whose errors it raises; octets given to `write` before an error must be thrown away.
    """
    reader = StreamReader(read)
    opening = Opening(reader.header, suites=suites)
    locked = False
    try:
        opening.unlock(_keyring(keyring, opening))
    except KeyUnavailableError:
        locked = write is None
        if not locked:
            raise
    decryptor = opening.decryptor() if write is not None else None
    hasher = wrap(opening.hasher())
    buffer = bytearray(PIECE + _ROOM if decryptor else 0)
    body = length = 0
    for piece in reader.pieces(PIECE):
        hasher.update(piece)
        body += len(piece)
        made: bytes | memoryview = piece
        if decryptor is not None:
            made = memoryview(buffer)[: decryptor.update(piece, buffer)]
        if write is not None:
            length += len(made)
            write(made)
        if progress is not None:
            progress(body, reader.body_length)
    digest = hasher.digest()
    signed_by, unverified = opening.check(
        digest,
        reader.trailer,
        signers=signers,
        require_signature=require_signature,
        require_digest=require_digest,
    )
    if decryptor is not None and write is not None:
        rest = decryptor.finish()
        length += len(rest)
        write(rest)
    opening.uncloak()
    known = write is not None or not opening.encrypted
    return StreamOpened(
        content_meta=content_meta_of(opening.header),
        signed_by=signed_by,
        unverified=unverified,
        annotations=opening.annotations(),
        header=opening.header,
        trailer=reader.trailer,
        digest=digest,
        encrypted=opening.encrypted,
        opened=not locked,
        body_octets=body,
        length=(length if write is not None else body) if known else None,
    )


def _keyring(keyring: Keyring | KeyringFor | None, opening: Opening) -> Keyring | None:
    if callable(keyring):
        return keyring(opening.header) if opening.encrypted else None
    return keyring
