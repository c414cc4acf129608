"""Archives on disk: add, delete, list and extract files (see `mathmesh.dare.archive`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mathmesh.dare import archive
from mathmesh.dare.archive import Member
from mathmesh.dare.content_meta import DELETE, ContentMeta
from mathmesh.errors import PolicyError, StoreError
from mathmesh.keys.pair import PrivateKey
from mathmesh.types import Entropy
from meshclient.folder_below import parent_of
from meshclient.output_file import OutputFile
from meshclient.sequence_erasure import erase
from meshclient.store_files import SequenceFile

MAXIMUM_FILE = 1 << 30
"""Octets of the largest file that is added: a frame is made in memory."""
_BATCH = 1 << 24

FIRST = ContentMeta(cty=archive.CONTENT_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to add and the name it gets."""

    path: Path
    name: str


def sources(path: Path) -> Iterator[Source]:
    """The files that `path` stands for: itself, or all in the folder and those below, in order.

    A file is named by its last part, those in a folder by the last part of that and the way to them. Links
    are left out. Raises PolicyError for names that could not be extracted.
    """
    if path.is_file():
        yield Source(path=path, name=archive.safe_name(path.name))
        return
    root = path.resolve()
    for folder, folders, files in os.walk(path, followlinks=False):
        folders.sort()
        for file in sorted(files):
            inner = Path(folder, file)
            if not inner.is_symlink() and inner.is_file():
                way = Path(root.name, inner.relative_to(path))
                yield Source(path=inner, name=archive.safe_name(way.as_posix()))


def add(
    file: SequenceFile, added: Iterable[Source], types: Mapping[str, str] | None = None, *, sync: bool = True
) -> list[int]:
    """Adds files, a later one with the same name taking the place of the earlier; returns their frames.

    `types` gives media types by name. Several small files are one write. Raises StoreError for a file that
    cannot be read or is larger than MAXIMUM_FILE; the ones before it are then in the archive.
    """
    numbers: list[int] = []
    batch: list[tuple[bytes, ContentMeta | None]] = []
    held = 0
    for source in added:
        octets, changed = _content(source.path)
        meta = ContentMeta(filename=source.name, cty=(types or {}).get(source.name), modified=changed)
        batch.append((octets, meta))
        held += len(octets)
        if held >= _BATCH:
            numbers += file.append_many(batch, sync=False)
            batch, held = [], 0
    numbers += file.append_many(batch, sync=False)
    if sync:
        file.sync()
    return numbers


def delete(
    file: SequenceFile,
    names: Sequence[str],
    *,
    erased: bool = False,
    entropy: Entropy,
    signer: PrivateKey | None = None,
) -> tuple[int, ...]:
    """Deletes files from the archive; with `erased` all their frames are made unreadable.

    Returns the numbers of erased frames. Raises StoreError for a name that is not in the archive (also not as
    deleted, when erasing), PolicyError for frames that cannot be erased; then nothing is done.
    """
    there = archive.members(file.reader, recover=erased)
    absent = [name for name in names if name not in there]
    if absent:
        raise StoreError(f"{file.path} holds no file {absent[0]!r}")
    chosen = (one for one in archive.history(file.reader) if one.name in names and not one.deleted)
    frames = [member.index for member in chosen]
    if erased and not file.policy.encrypts:
        raise PolicyError(f"{file.path} is in clear; copy it with /purge instead of erasing")
    present = archive.members(file.reader)
    file.append_many([(b"", ContentMeta(filename=name, event=DELETE)) for name in names if name in present])
    if not erased:
        return ()
    return erase(file, frames, entropy=entropy, reason="deleted", signer=signer)


def extract(
    file: SequenceFile, folder: Path, chosen: Iterable[Member], *, overwrite: bool = False
) -> list[Path]:
    """Writes files below `folder`, verified and decrypted; returns where they are.

    All names are checked before the first file is written. Raises PolicyError for a name that leads
    elsewhere, also over a link in the folder, StoreError for a file that exists and for an erased one.
    """
    named = [(archive.safe_name(member.name), member) for member in chosen]
    written: list[Path] = []
    for name, member in named:
        content = file.plaintext(member.index)
        target = folder / name
        with parent_of(folder, name) as held:
            _write(held, target, content, member, overwrite=overwrite, private=file.policy.encrypts)
        written.append(target)
    return written


def extract_one(
    file: SequenceFile, member: Member, target: Path, *, overwrite: bool = False, sync: bool = True
) -> None:
    """Writes one file to a place that the user has named."""
    content = file.plaintext(member.index)
    _write(target, target, content, member, overwrite=overwrite, private=file.policy.encrypts, sync=sync)


def _write(
    held: Path,
    target: Path,
    content: bytes,
    member: Member,
    *,
    overwrite: bool,
    private: bool,
    sync: bool = False,
) -> None:
    if held.is_symlink():
        raise PolicyError(f"{target} is a link; remove it first")
    try:
        with OutputFile(held, overwrite=overwrite, private=private, sync=sync) as output:
            output.write(content)
            moment = None if member.modified is None else int(member.modified.timestamp() * 10**9)
            output.commit(None if moment is None else (moment, moment))
    except StoreError as error:
        raise StoreError(str(error).replace(str(held), str(target))) from error


def _content(path: Path) -> tuple[bytes, datetime]:
    try:
        with path.open("rb") as opened:
            status = os.fstat(opened.fileno())
            if status.st_size > MAXIMUM_FILE:
                raise StoreError(f"{path} is larger than 1 GiB; encode it as a file of its own")
            return opened.read(), datetime.fromtimestamp(int(status.st_mtime), UTC)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
