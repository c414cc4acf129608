"""Copies of sequence files: other recipients, in clear, or without what is no longer wanted (redaction).

Frames are numbered anew, and positions, digests and links are those of the copy; First and Previous follow.
Data that can be opened is sealed anew under the copy's own seed; finished envelopes keep their signatures.
Index frames, checkpoints and evidence speak of the old file and are not copied. The first frame behind frame
0 is a Witness that names the apex of the old file, so that whoever knew it can tell what the copy came from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mathmesh.dare import history, witness
from mathmesh.dare.archive import is_ours
from mathmesh.dare.content_meta import DELETE, ContentMeta
from mathmesh.dare.policy import SESSION
from mathmesh.dare.protection import is_encrypted
from mathmesh.dare.sequence import Frame
from mathmesh.errors import StoreError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.types import Entropy
from meshclient.file_lock import sync_directory
from meshclient.store_files import SequenceFile

_BATCH = 1 << 24
LeaveOut = Callable[[Frame, ContentMeta], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What is left out of a copy. Erased frames always are: nothing is left of them to be copied.

    `superseded` leaves out versions that are not the last of their entry, `deleted` entries that are gone and
    the frames that say so, `expired` what has expired at that time; `also` what a caller decides.
    """

    superseded: bool = False
    deleted: bool = False
    expired: datetime | None = None
    also: LeaveOut | None = None


PURGE = Redaction(superseded=True, deleted=True)
"""Only what stands now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """Frames of data in the copy and left out, and the numbers that the copied ones have now, by the old."""

    kept: int
    dropped: int
    numbers: dict[int, int]


def copy_sequence(
    source: SequenceFile,
    target: Path,
    *,
    entropy: Entropy,
    redaction: Redaction | None = None,
    recipients: Sequence[PublicKey] | None = None,
    container_type: str | None = None,
    encryption: str | None = None,
    index: bool = False,
    signer: PrivateKey | None = None,
    keyring: Keyring | None = None,
) -> Copied:
    """Writes the copy to `target`, which must not exist and is there when it is complete.

    `recipients` are those of the source unless given; none of them means in clear. With `signer` the Witness
    is signed; with `index` index frames are appended. Raises KeyUnavailableError when data must be opened and
    no key is at hand, VerificationError when a frame was altered, StoreError.
    """
    if os.path.lexists(target):
        raise StoreError(f"{target} exists already; name another file")
    keys = tuple(source.policy.encrypt_keys if recipients is None else recipients)
    in_clear = recipients is not None and not keys
    if not target.parent.is_dir():
        raise StoreError(f"{target.parent} is no folder; make it first")
    fresh = target.with_name(f".{target.name}.part")
    fresh.unlink(missing_ok=True)
    try:
        with SequenceFile.create(
            fresh,
            container_type=container_type or source.container_type,
            policy_recipients=keys,
            encryption=encryption or (source.policy.encryption if source.policy.encrypts else SESSION),
            cloaked=source.policy.cloaked and bool(keys),
            content_meta=source.content_meta(0),
            keyring=keyring,
            entropy=entropy,
        ) as copy:
            _append_origin(source, copy, signer, entropy)
            copied = _copy_frames(source, copy, redaction or Redaction(), in_clear=in_clear)
            if index:
                copy.append_index(sync=False)
            copy.sync()
        os.link(fresh, target)
        sync_directory(target.parent)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
        fresh.with_name(fresh.name + ".index").unlink(missing_ok=True)
    return copied


def _append_origin(
    source: SequenceFile, copy: SequenceFile, signer: PrivateKey | None, entropy: Entropy
) -> None:
    apex = source.apex
    if apex is None:
        return
    origin = witness.Witness(
        id=witness.sequence_id(source.reader),
        issuer=signer.public.udf if signer else "",
        apex=apex,
        index=source.count - 1,
    )
    meta = ContentMeta(message_type=ORIGIN, cty=witness.CONTENT_TYPE)
    if signer is None:
        copy.append(origin.encode(), meta, sync=False)
    else:
        sealed = witness.make_checkpoint(origin, signer, entropy)
        copy.append_envelope(history.redescribed(sealed, meta), sync=False)


ORIGIN = "Origin"
"""MessageType of the frame that names the old file: a Witness of another sequence than the one it is in."""


def _copy_frames(source: SequenceFile, copy: SequenceFile, redaction: Redaction, *, in_clear: bool) -> Copied:
    numbers: dict[int, int] = {}
    dropped = 0
    batch: list[tuple[bytes, ContentMeta | None]] = []
    held = 0
    for frame, meta, kept in _judged(source, redaction):
        if not kept:
            dropped += 1
            continue
        numbers[frame.index] = copy.count + len(batch)
        meta = _renumbered(meta, numbers)
        if history.is_envelope(frame) and not (in_clear and is_encrypted(frame.header)):
            copy.append_many(batch, sync=False)
            batch, held = [], 0
            copy.append_envelope(history.redescribed(source.envelope(frame), meta), sync=False)
            continue
        octets = source.plaintext(frame)
        batch.append((octets, None if meta == ContentMeta() else meta))
        held += len(octets)
        if held >= _BATCH:
            copy.append_many(batch, sync=False)
            batch, held = [], 0
    copy.append_many(batch, sync=False)
    return Copied(kept=len(numbers), dropped=dropped, numbers=numbers)


def _judged(source: SequenceFile, redaction: Redaction) -> Iterator[tuple[Frame, ContentMeta, bool]]:
    """Frames of data with their description, and whether they are copied."""
    last: dict[str, tuple[int, bool]] = {}
    if redaction.superseded or redaction.deleted:
        for version in history.versions(source.reader):
            last[version.name] = version.index, version.deleted
    for frame in source.frames(1):
        meta = source.content_meta(frame)
        if is_ours(frame, meta) or meta.message_type == ORIGIN:
            continue
        name = history.name_of(meta)
        newest, gone = last.get(name or "", (frame.index, False))
        left_out = (
            frame.erased
            or (redaction.superseded and newest != frame.index)
            or (redaction.deleted and (gone or meta.event == DELETE))
            or (redaction.expired and meta.expire and meta.expire <= redaction.expired)
            or (redaction.also is not None and redaction.also(frame, meta))
        )
        yield frame, meta, not left_out


def _renumbered(meta: ContentMeta, numbers: dict[int, int]) -> ContentMeta:
    """First and Previous as the copy has them; left out where those frames are not in it."""
    if meta.first is None and meta.previous is None:
        return meta
    return replace(
        meta,
        first=None if meta.first is None else numbers.get(meta.first),
        previous=None if meta.previous is None else numbers.get(meta.previous),
    )
