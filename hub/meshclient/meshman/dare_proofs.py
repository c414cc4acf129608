"""`meshman dare prove|erase|undo`: what only a sequence can do."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mathmesh.dare import archive, history
from mathmesh.errors import PolicyError, StoreError
from mathmesh.keys.pair import PublicKey
from meshclient.meshman.dare_files import FORCE
from meshclient.meshman.dare_keys import Keys, key_flags
from meshclient.meshman.dare_sequences import SEQUENCE, TAG, opened, sign
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.output_file import OutputFile
from meshclient.sequence_erasure import erase as erase_frames
from meshclient.sequence_history import undo as undo_entry
from meshclient.sequence_history import undo_since
from meshclient.sequence_proof import export_slice
from meshclient.store_files import SequenceFile


@click.command(
    "prove", cls=MeshCommand, example="dare prove log.dcon part.slice /first=10 /last=20 /signer=alice.pub"
)
@SEQUENCE
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--first", type=click.IntRange(0), help="First frame.")
@click.option("--last", type=click.IntRange(0), help="Last frame.  [default: the first]")
@click.option("--file", "name", metavar="NAME", help="The file, in an archive.")
@FORCE
@key_flags(signs=True, verifies=True)
def prove(
    sequence: Path,
    target: Path,
    first: int | None,
    last: int | None,
    name: str | None,
    force: bool,
    keys: Keys,
) -> Answer:
    """Export frames with the proof that a signer vouched for them.

    With /sign a checkpoint is appended first; else the last one of /signer (or of the own account) counts.
    Whoever has the signer's public key can verify the result without the sequence: `dare verify`.
    """
    if (first is None) == (name is None):
        raise click.UsageError("Name the frames by /first and /last, or a file of an archive by /file.")
    with opened(sequence, keys, writable=bool(keys.signers)) as file:
        sign(file, keys)
        start = _index_of(file, name) if name is not None else first or 0
        end = start if last is None else last
        signer = keys.signers[-1].public if keys.signers else _one(keys.believed())
        octets = export_slice(file, start, end, signer)
    with OutputFile(target, overwrite=force) as output:
        output.write(octets)
        output.commit()
    lines = [f"{target}: frames {start} to {end}, vouched for by {signer.udf}"]
    members = {"Filename": str(target), "First": start, "Last": end, "SignedBy": [signer.udf]}
    return Answer(lines=lines, tag="ResultSlice", members=members)


@click.command("erase", cls=MeshCommand, example="dare erase log.dcon 17 18 /reason=asked")
@SEQUENCE
@click.argument("records", nargs=-1, type=click.IntRange(1))
@click.option("--file", "names", metavar="NAME", multiple=True, help="All versions of an entry or file.")
@click.option("--reason", default="", help="Why, for those who verify.")
@key_flags(signs=True)
def erase(
    sequence: Path, records: tuple[int, ...], names: tuple[str, ...], reason: str, keys: Keys
) -> Answer:
    """Make frames unreadable for ever, in place. All other frames stay as they are and verify.

    Copies elsewhere keep what they have.
    """
    signer = keys.signers[0] if keys.signers else None
    with opened(sequence, keys, writable=True) as file:
        numbers = list(records)
        for name in names:
            found = [version.index for version in history.versions(file.reader, name)]
            if not found:
                raise StoreError(f"{sequence} holds no entry {name!r}")
            numbers += found
        if not numbers:
            raise click.UsageError("Name the frames to erase, or entries by /file.")
        gone = erase_frames(file, numbers, entropy=os.urandom, reason=reason, signer=signer)
    lines = [f"{sequence}: frame {number} erased" for number in gone] or [
        f"{sequence}: nothing left to erase"
    ]
    return Answer(lines=lines, tag=TAG, members={"Filename": str(sequence), "Erased": list(gone)})


@click.command("undo", cls=MeshCommand, example="dare undo catalog.dcon alice@example.com /to=12")
@SEQUENCE
@click.argument("name", required=False)
@click.option(
    "--to", type=click.IntRange(1), help="Frame with the version to go back to.  [default: the one before]"
)
@click.option("--since", type=click.IntRange(0), help="Set everything back to what it was at this frame.")
@key_flags()
def undo(sequence: Path, name: str | None, to: int | None, since: int | None, keys: Keys) -> Answer:
    """Set an entry or file back to an earlier version, by appending it anew."""
    if (name is None) == (since is None) or (since is not None and to is not None):
        raise click.UsageError("Name one entry, or set all back with /since.")
    with opened(sequence, keys, writable=True) as file:
        numbers = undo_since(file, since or 0) if name is None else [undo_entry(file, name, to=to)]
    lines = [f"{sequence}: frame {number}" for number in numbers] or [f"{sequence}: nothing to undo"]
    return Answer(lines=lines, tag=TAG, members={"Filename": str(sequence), "Added": numbers})


def _index_of(file: SequenceFile, name: str) -> int:
    member = archive.members(file.reader).get(name)
    if member is None:
        raise StoreError(f"{file.path} holds no file {name!r}; `dare dir` lists them")
    return member.index


def _one(keys: list[PublicKey]) -> PublicKey:
    if not keys:
        raise PolicyError("name the signer by /signer, or sign now by /sign")
    return keys[0]
