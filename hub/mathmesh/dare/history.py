"""Earlier versions of what a sequence holds, and going back to them (protocol book, "Stores").

Nothing is changed in place: an entry is set back by appending it as it was. Entries are named by UniqueId, in
archives by their file names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mathmesh.codec import b64
from mathmesh.dare.archive import is_ours, name_in
from mathmesh.dare.content_meta import DELETE, NEW, UPDATE, ContentMeta
from mathmesh.dare.sequence import Frame
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.structure import Envelope
from mathmesh.errors import StoreError

_PLACED = ("SequenceInfo", "Received")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One state of an entry: the number of its frame and its description; `deleted` when it was gone."""

    name: str
    index: int
    meta: ContentMeta
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What to append so that an entry is as it was: data, or a finished envelope with its signatures."""

    name: str
    meta: ContentMeta
    plaintext: bytes | None = None
    envelope: Envelope | None = None


def name_of(meta: ContentMeta) -> str | None:
    """The name of an entry, UniqueId before file name."""
    return meta.unique_id or name_in(meta)


def versions(reader: Reader, name: str | None = None) -> Iterator[Version]:
    """All versions of the entry `name`, or of all entries, from the oldest on."""
    for frame in reader.frames(1):
        meta = reader.content_meta(frame)
        found = name_of(meta)
        if found is None or is_ours(frame, meta) or name not in (None, found):
            continue
        yield Version(
            name=found, index=frame.index, meta=meta, deleted=meta.event == DELETE and not frame.erased
        )


def undo(reader: Reader, name: str, *, to: int | None = None) -> Restored:
    """What sets the entry `name` back to its version at frame `to`, by default to the one before the last.

    Before its first version an entry is not there. Raises StoreError when there is no such entry or version,
    or when that version was erased.
    """
    found = list(versions(reader, name))
    if not found:
        raise StoreError(f"there is no entry {name!r} and never was")
    if to is None:
        wanted = found[-2] if len(found) > 1 else None
    else:
        wanted = next((version for version in found if version.index == to), None)
        if wanted is None:
            raise StoreError(f"frame {to} is no version of {name!r}; they are in {_listed(found)}")
    return _restored(reader, found, wanted)


def undo_since(reader: Reader, index: int) -> list[Restored]:
    """What sets all entries back that were changed behind frame `index`, to what they were then."""
    histories: dict[str, list[Version]] = {}
    for version in versions(reader):
        histories.setdefault(version.name, []).append(version)
    restored = []
    for found in histories.values():
        if found[-1].index > index:
            before = [version for version in found if version.index <= index]
            restored.append(_restored(reader, found, before[-1] if before else None))
    return restored


def _restored(reader: Reader, found: list[Version], wanted: Version | None) -> Restored:
    last, name = found[-1], found[-1].name
    meta = ContentMeta(unique_id=last.meta.unique_id, filename=last.meta.filename)
    gone = wanted is None or wanted.deleted
    if wanted is not None and not gone:
        meta = wanted.meta
    event = DELETE if gone else NEW if last.deleted else UPDATE
    meta = replace(meta, event=event, first=found[0].index, previous=last.index)
    if wanted is None or gone:
        return Restored(name=name, meta=meta, plaintext=b"")
    frame = reader.frame(wanted.index)
    if is_envelope(frame):
        return Restored(name=name, meta=meta, envelope=redescribed(reader.envelope(frame), meta))
    return Restored(name=name, meta=meta, plaintext=reader.plaintext(frame))


def is_envelope(frame: Frame) -> bool:
    """Whether a frame was appended as a finished envelope, which is kept as it is."""
    return not frame.trailer and "PayloadDigest" in frame.header


def redescribed(envelope: Envelope, meta: ContentMeta) -> Envelope:
    """The envelope with another ContentMeta, which no signature covers, and out of its place."""
    header = {name: value for name, value in envelope.header.items() if name not in _PLACED}
    header["ContentMetaData"] = b64.encode(meta.encode())
    return Envelope(header, envelope.body, envelope.trailer)


def _listed(found: Iterable[Version]) -> str:
    return ", ".join(str(version.index) for version in found)
