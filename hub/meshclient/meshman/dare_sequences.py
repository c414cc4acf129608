"""`meshman dare create|log|append|list|index|copy`: sequences."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mathmesh.dare import history
from mathmesh.dare.content_meta import ContentMeta, format_time
from mathmesh.dare.policy import ISOLATED, ONCE, SESSION
from mathmesh.dare.sequence import CONTAINER_TYPES, MERKLE, Frame
from mathmesh.errors import KeyUnavailableError, MeshError
from meshclient.archive_file import Source, add, sources
from meshclient.meshman.dare_keys import Keys, key_flags
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.meshman.hash import content_type_of
from meshclient.sequence_copy import PURGE, Redaction, copy_sequence
from meshclient.sequence_proof import append_checkpoint
from meshclient.store_files import SequenceFile

TAG = "ResultSequence"
TEXT_TYPE = "text/plain"
_SHOWN = 200

SEQUENCE = click.argument("sequence", type=click.Path(exists=True, dir_okay=False, path_type=Path))
NEW_SEQUENCE = click.argument("sequence", type=click.Path(dir_okay=False, path_type=Path))
TYPE = click.option(
    "--type",
    "kind",
    type=click.Choice(CONTAINER_TYPES, case_sensitive=False),
    default=MERKLE,
    show_default=True,
    help="How frames are linked.",
)
POLICY = click.option(
    "--policy",
    type=click.Choice((ONCE, SESSION, ISOLATED), case_sensitive=False),
    default=SESSION,
    show_default=True,
    help="How often keys are exchanged.",
)
CLOAK = click.option("--cloak", is_flag=True, help="Encrypt names and descriptions too.")
INDEX = click.option("--index", "indexed", is_flag=True, help="Append an index.")


@contextmanager
def opened(sequence: Path, keys: Keys, *, writable: bool) -> Iterator[SequenceFile]:
    """The sequence, with the keys that are at hand for it."""
    with SequenceFile.open(sequence) as looked_at:
        keyring = keys.keyring_or_none(looked_at.frame(0).header)
    with SequenceFile.open(sequence, keyring=keyring, entropy=os.urandom if writable else None) as file:
        yield file


def began(
    sequence: Path, keys: Keys, kind: str, policy: str, cloak: bool, meta: ContentMeta | None = None
) -> SequenceFile:
    """A new sequence with what the flags say."""
    return SequenceFile.create(
        sequence,
        container_type=_word(kind, CONTAINER_TYPES),
        policy_recipients=keys.curve_recipients,
        encryption=_word(policy, (ONCE, SESSION, ISOLATED)),
        cloaked=cloak,
        content_meta=meta,
        keyring=keys.held,
        entropy=os.urandom,
    )


def sign(file: SequenceFile, keys: Keys) -> int | None:
    """A checkpoint for each signer that was named; the number of the last one."""
    number = None
    for signer in keys.signers:
        number = append_checkpoint(file, signer, os.urandom)
    return number


@click.command(
    "create", cls=MeshCommand, example="dare create log.dcon /type=Merkle /encrypt=alice@example.com"
)
@NEW_SEQUENCE
@TYPE
@POLICY
@CLOAK
@click.option("--cty", metavar="TYPE", help="Media type of what it will hold.")
@key_flags(encrypts=True)
def create(sequence: Path, kind: str, policy: str, cloak: bool, cty: str | None, keys: Keys) -> Answer:
    """Create a sequence. What is appended is encrypted to the recipients named now."""
    with began(sequence, keys, kind, policy, cloak, ContentMeta(cty=cty) if cty else None) as file:
        return _answer(file, [f"{sequence}: {file.container_type}"])


@click.command("log", cls=MeshCommand, example='dare log log.dcon "The garage was opened"')
@SEQUENCE
@click.argument("text")
@key_flags(signs=True)
def log(sequence: Path, text: str, keys: Keys) -> Answer:
    """Append TEXT to a sequence, with the time. With /sign also a checkpoint."""
    with opened(sequence, keys, writable=True) as file:
        now = datetime.now(UTC)
        number = file.append(text.encode(), ContentMeta(cty=TEXT_TYPE, created=now))
        sign(file, keys)
        return _answer(file, [f"{sequence}: frame {number}"], Frame=number)


@click.command("append", cls=MeshCommand, example="dare append archive.dcon file.txt /index")
@SEQUENCE
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--id", "name", metavar="NAME", help="Name of the file in the sequence.")
@click.option("--cty", metavar="TYPE", help="Media type.  [default: from the file's name]")
@INDEX
@key_flags(signs=True)
def append(
    sequence: Path, file: Path, name: str | None, cty: str | None, indexed: bool, keys: Keys
) -> Answer:
    """Append a file, or the files of a folder, to a sequence."""
    chosen = list(sources(file))
    if name is not None:
        if len(chosen) != 1:
            raise click.UsageError("/id names one file; FILE is a folder.")
        chosen = [Source(path=chosen[0].path, name=name)]
    types = {one.name: cty or content_type_of(one.path) for one in chosen}
    with opened(sequence, keys, writable=True) as opened_file:
        numbers = add(opened_file, chosen, types)
        if indexed:
            opened_file.append_index()
        sign(opened_file, keys)
        lines = [f"{one.name}: frame {number}" for one, number in zip(chosen, numbers, strict=True)]
        return _answer(opened_file, lines, Added=numbers)


@click.command("list", cls=MeshCommand, example="dare list log.dcon")
@SEQUENCE
@key_flags()
def list_(sequence: Path, keys: Keys) -> Answer:
    """List the frames of a sequence, texts with their content where a key is at hand."""
    with opened(sequence, keys, writable=False) as file:
        entries = [_entry(file, frame) for frame in file.frames(1)]
        return _answer(file, [_line(entry) for entry in entries], Entries=entries)


@click.command("index", cls=MeshCommand, example="dare index archive.dcon /full")
@SEQUENCE
@click.option("--full", is_flag=True, help="List all frames, not only those since the last index.")
@key_flags(signs=True)
def index(sequence: Path, full: bool, keys: Keys) -> Answer:
    """Append an index to a sequence; with /sign also a checkpoint that vouches for all frames."""
    with opened(sequence, keys, writable=True) as file:
        numbers = list(file.append_index(full=full))
        checkpoint = sign(file, keys)
        lines = [f"{sequence}: index in frame {number}" for number in numbers] or [f"{sequence}: nothing new"]
        return _answer(file, lines, Index=numbers, Checkpoint=checkpoint)


@click.command("copy", cls=MeshCommand, example="dare copy archive.dcon smaller.dcon /purge")
@SEQUENCE
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--decrypt", is_flag=True, help="Write the copy in clear.")
@click.option("--purge", is_flag=True, help="Leave out what was deleted or replaced.")
@click.option("--expired", is_flag=True, help="Leave out what has expired.")
@click.option(
    "--type", "kind", type=click.Choice(CONTAINER_TYPES, case_sensitive=False), help="How to link frames."
)
@INDEX
@key_flags(encrypts=True, signs=True)
def copy(
    sequence: Path,
    target: Path,
    decrypt: bool,
    purge: bool,
    expired: bool,
    kind: str | None,
    indexed: bool,
    keys: Keys,
) -> Answer:
    """Copy a sequence into a new file, for other recipients or without what is no longer wanted.

    Erased frames are left out. The copy says which sequence it was made from.
    """
    if decrypt and keys.recipients:
        raise click.UsageError("/decrypt and /encrypt exclude each other.")
    base = PURGE if purge else Redaction()
    rule = Redaction(
        superseded=base.superseded, deleted=base.deleted, expired=datetime.now(UTC) if expired else None
    )
    recipients = () if decrypt else keys.curve_recipients if keys.recipients else None
    with opened(sequence, keys, writable=False) as file:
        copied = copy_sequence(
            file,
            target,
            entropy=os.urandom,
            redaction=rule,
            recipients=recipients,
            container_type=None if kind is None else _word(kind, CONTAINER_TYPES),
            index=indexed,
            signer=keys.signers[0] if keys.signers else None,
        )
    lines = [f"{target}: {copied.kept} copied, {copied.dropped} left out"]
    members = {"Filename": str(target), "Copied": copied.kept, "Dropped": copied.dropped}
    return Answer(lines=lines, tag=TAG, members=members)


def _entry(file: SequenceFile, frame: Frame) -> dict[str, Any]:
    entry: dict[str, Any] = {"Index": frame.index, "Length": len(frame.body)}
    if frame.erased:
        return entry | {"Erased": True}
    try:
        meta = file.content_meta(frame)
    except KeyUnavailableError:
        return entry | {"Sealed": True}
    moment = meta.created or meta.modified
    entry |= {
        "Name": history.name_of(meta),
        "Event": meta.event,
        "Type": meta.cty or meta.message_type,
        "Time": format_time(moment) if moment else None,
    }
    if meta.cty == TEXT_TYPE and not meta.filename:
        try:
            entry["Text"] = file.plaintext(frame).decode("utf-8", "replace")
        except KeyUnavailableError:
            entry["Sealed"] = True
        except MeshError as error:
            entry["Refused"] = str(error)
    return {name: value for name, value in entry.items() if value is not None}


def _line(entry: dict[str, Any]) -> str:
    told = [str(entry[name]) for name in ("Time", "Event", "Name", "Text", "Refused") if name in entry]
    told += [word.lower() for word in ("Erased", "Sealed") if entry.get(word)]
    if not told:
        told = [str(entry.get("Type", ""))]
    text = " ".join(told).replace("\n", " ")
    return f"{entry['Index']:>6} {entry['Length']:>10} {text[:_SHOWN]}".rstrip()


def _answer(file: SequenceFile, lines: list[str], **members: Any) -> Answer:
    said = {"Filename": str(file.path), "Type": file.container_type, "Frames": file.count}
    return Answer(lines=lines, tag=TAG, members=said | members)


def _word(text: str, words: tuple[str, ...]) -> str:
    return next(word for word in words if word.lower() == text.lower())
