"""`meshman dare archive|delete|dir|extract`: archives of files."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from mathmesh.dare import archive as archives
from mathmesh.dare.archive import Member
from mathmesh.dare.content_meta import format_time
from mathmesh.errors import StoreError
from meshclient import archive_file
from meshclient.meshman.dare_files import FORCE
from meshclient.meshman.dare_keys import Keys, key_flags
from meshclient.meshman.dare_sequences import CLOAK, NEW_SEQUENCE, POLICY, SEQUENCE, TYPE, began, opened, sign
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.meshman.hash import content_type_of

TAG = "ResultArchive"


@click.command(
    "archive", cls=MeshCommand, example="dare archive photos.dcon photos /encrypt=alice@example.com"
)
@NEW_SEQUENCE
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@TYPE
@POLICY
@CLOAK
@click.option("--index/--no-index", "indexed", default=True, help="Append an index.")
@key_flags(encrypts=True, signs=True)
def archive(
    sequence: Path, files: tuple[Path, ...], kind: str, policy: str, cloak: bool, indexed: bool, keys: Keys
) -> Answer:
    """Create an archive and add files and folders to it, with all that is in them.

    With /sign, the signer vouches for all of it. Links are left out.
    """
    chosen = [source for path in files for source in archive_file.sources(path)]
    types = {one.name: content_type_of(one.path) for one in chosen}
    with began(sequence, keys, kind, policy, cloak, archive_file.FIRST) as file:
        archive_file.add(file, chosen, types)
        if indexed and chosen:
            file.append_index()
        checkpoint = sign(file, keys)
        members = {
            "Filename": str(sequence),
            "Files": len(chosen),
            "Frames": file.count,
            "Checkpoint": checkpoint,
        }
    return Answer(lines=[f"{sequence}: {len(chosen)} files"], tag=TAG, members=members)


@click.command("dir", cls=MeshCommand, example="dare dir photos.dcon")
@SEQUENCE
@click.option("--recover", is_flag=True, help="List deleted files too.")
@key_flags()
def dir_(sequence: Path, recover: bool, keys: Keys) -> Answer:
    """List the files in an archive; sizes are as stored."""
    with opened(sequence, keys, writable=False) as file:
        found = archives.members(file.reader, recover=recover).values()
    lines = [_line(member) for member in sorted(found, key=lambda one: one.name)]
    members = {"Filename": str(sequence), "Files": [_member(member) for member in found]}
    return Answer(lines=lines, tag=TAG, members=members)


@click.command("delete", cls=MeshCommand, example="dare delete photos.dcon photos/one.jpg")
@SEQUENCE
@click.argument("names", nargs=-1, required=True)
@click.option("--erase", "erased", is_flag=True, help="Make the content unreadable for ever.")
@key_flags(signs=True)
def delete(sequence: Path, names: tuple[str, ...], erased: bool, keys: Keys) -> Answer:
    """Delete files from an archive. They can be recovered unless they are erased."""
    signer = keys.signers[0] if keys.signers else None
    with opened(sequence, keys, writable=True) as file:
        gone = archive_file.delete(file, names, erased=erased, entropy=os.urandom, signer=signer)
        sign(file, keys)
    lines = [f"{name}: {'erased' if erased else 'deleted'}" for name in names]
    members = {"Filename": str(sequence), "Deleted": list(names), "Erased": list(gone) or None}
    return Answer(lines=lines, tag=TAG, members=members)


@click.command("extract", cls=MeshCommand, example="dare extract photos.dcon out /file=photos/one.jpg")
@SEQUENCE
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option("--record", type=click.IntRange(1), multiple=True, help="Number of the frame to extract.")
@click.option("--file", "name", metavar="NAME", multiple=True, help="Name of the file to extract.")
@click.option("--recover", is_flag=True, help="Extract deleted files too.")
@FORCE
@key_flags()
def extract(
    sequence: Path,
    target: Path | None,
    record: tuple[int, ...],
    name: tuple[str, ...],
    recover: bool,
    force: bool,
    keys: Keys,
) -> Answer:
    """Extract files from an archive, verified and decrypted: all of them, or those named.

    TARGET is the folder they go to (default: here); for a single /file or /record also the name of the file.
    """
    with opened(sequence, keys, writable=False) as file:
        there = archives.members(file.reader, recover=recover)
        if record:
            history = {member.index: member for member in archives.history(file.reader) if not member.deleted}
            chosen = [_known(history, number, sequence) for number in record]
        else:
            chosen = [_known(there, one, sequence) for one in name] if name else list(there.values())
        if len(chosen) == 1 and (name or record) and target is not None and not target.is_dir():
            archive_file.extract_one(file, chosen[0], target, overwrite=force)
            written = [target]
        else:
            written = archive_file.extract(file, target or Path(), chosen, overwrite=force)
    lines = [str(path) for path in written]
    return Answer(lines=lines, tag=TAG, members={"Filename": str(sequence), "Written": lines})


def _known(found: dict[Any, Member], wanted: object, sequence: Path) -> Member:
    member = found.get(wanted)
    if member is None:
        raise StoreError(f"{sequence} holds no file {wanted!r}; `dare dir` lists them")
    return member


def _member(member: Member) -> dict[str, Any]:
    members = {
        "Name": member.name,
        "Index": member.index,
        "Stored": member.stored,
        "Modified": None if member.modified is None else format_time(member.modified),
        "Type": member.cty,
        "Erased": member.erased or None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _line(member: Member) -> str:
    moment = _moment(member.modified)
    return f"{member.stored:>12} {moment} {member.name}" + (" (erased)" if member.erased else "")


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
