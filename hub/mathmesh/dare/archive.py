"""Archives: sequences in which each frame is a file (mesh-dare §5.2, protocol book, "Archives").

The name is in Filename (in old files in the first of Paths); the last frame with a name counts; one whose
event is Delete takes the name away. Names come from others: `safe_name` lets through only what stays below
the folder that an archive is unpacked into.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mathmesh.dare import erasure, witness
from mathmesh.dare.content_meta import DELETE, ContentMeta
from mathmesh.dare.sequence import Frame
from mathmesh.dare.sequence_index import is_index
from mathmesh.dare.sequence_reader import Reader
from mathmesh.errors import PolicyError

CONTENT_TYPE = "application/mmm/archive"
"""What ContentMeta of the first frame says."""
MAXIMUM_NAME = 4096
MAXIMUM_PART = 255

_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OWN_TYPES = (erasure.MESSAGE_TYPE, witness.MESSAGE_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in an archive: its name, the number of its frame, octets as stored, what is said about it."""

    name: str
    index: int
    stored: int
    deleted: bool
    erased: bool
    modified: datetime | None = None
    cty: str | None = None


def safe_name(text: str) -> str:
    """The name as a relative path with `/`.

    Raises PolicyError for an absolute path, a drive letter, `.` or `..` or nothing between separators,
    control characters, half of a surrogate pair, and for what is longer than file systems take.
    """
    name = text.replace("\\", "/")
    parts = name.split("/")
    if _CONTROL.search(name) or any("\ud800" <= character < "\ue000" for character in name):
        raise PolicyError(f"file name {text!r} holds characters that names must not have")
    if _DRIVE.match(name) or any(part in ("", ".", "..") for part in parts):
        raise PolicyError(f"file name {text!r} leads out of the folder; it is not used")
    if len(name.encode()) > MAXIMUM_NAME or any(len(part.encode()) > MAXIMUM_PART for part in parts):
        raise PolicyError(f"file name {text[:40]!r}… is too long")
    return name


def name_in(meta: ContentMeta) -> str | None:
    """The name that a description gives, as it stands there."""
    return meta.filename or (meta.paths[0] if meta.paths else None)


def is_ours(frame: Frame, meta: ContentMeta) -> bool:
    """Whether a frame is about the sequence itself: an index, a checkpoint, evidence of an erasure."""
    return is_index(frame) or meta.message_type in _OWN_TYPES


def history(reader: Reader) -> Iterator[Member]:
    """Every frame of a file or its deletion, in order; frames without name are called by their number."""
    for frame in reader.frames(1):
        meta = reader.content_meta(frame)
        if is_ours(frame, meta):
            continue
        yield Member(
            name=name_in(meta) or str(frame.index),
            index=frame.index,
            stored=len(frame.body),
            deleted=meta.event == DELETE and not frame.erased,
            erased=frame.erased,
            modified=meta.modified or meta.created,
            cty=meta.cty,
        )


def members(reader: Reader, *, recover: bool = False) -> dict[str, Member]:
    """The files in an archive by name; with `recover` also those deleted since, as they last were."""
    found: dict[str, Member] = {}
    for member in history(reader):
        if not member.deleted:
            found[member.name] = member
        elif not recover:
            found.pop(member.name, None)
    return found
