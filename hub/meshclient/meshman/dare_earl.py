"""`meshman dare earl`: files for whoever gets their locator."""

from __future__ import annotations

import hashlib
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from mathmesh.codec import jsonbcd, uri
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.locator import seal_located
from mathmesh.keys import earl, symmetric
from meshclient.meshman.dare_files import CONTENT_TYPE, pairs
from meshclient.meshman.dare_keys import Keys, key_flags
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.meshman.hash import content_type_of
from meshclient.store_files import SequenceFile


@click.command("earl", cls=MeshCommand, example="dare earl file.txt example.com /dir=/srv/www")
@click.argument("source", metavar="FILE", type=click.Path(exists=True, path_type=Path))
@click.argument("domain")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder that the domain's web server serves.  [default: here]",
)
@click.option(
    "--bits", type=click.IntRange(120, 512), default=128, show_default=True, help="Size of the key."
)
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Sequence to note it in.")
@click.option("--new", is_flag=True, help="Leave out files that /log lists with the same content.")
@click.option("--sub", is_flag=True, help="Of a folder, process the folders in it too.")
@CONTENT_TYPE
@key_flags()
def earl_(
    source: Path,
    domain: str,
    folder: Path,
    bits: int,
    log: Path | None,
    new: bool,
    sub: bool,
    cty: str | None,
    keys: Keys,
) -> Answer:
    """Seal a file for whoever gets its locator (EARL), and publish it; of a folder, each file in it.

    The locator holds the key: whoever has it can fetch and read the file, the server cannot.
    """
    if new and log is None:
        raise click.UsageError("/new needs the /log that lists what is done already.")
    entries = []
    with _log(log, keys) as listed:
        known = _listed(listed) if new and listed else set()
        for path, _ in pairs(source, None, sub=sub):
            content = path.read_bytes()
            digest = hashlib.sha512(content).hexdigest()
            if (str(path), digest) in known:
                continue
            meta = ContentMeta(filename=path.name, cty=cty or content_type_of(path))
            locator = _published(content, meta, domain, folder, bits)
            entry = {"Filename": str(path), "Locator": locator, "Digest": digest}
            if listed is not None:
                listed.append(jsonbcd.dumps(entry), ContentMeta(cty="application/json"))
            entries.append(entry)
    lines = [f"{entry['Filename']}: {entry['Locator']}" for entry in entries]
    if source.is_file() and entries:
        lines = [entries[0]["Locator"]]
    return Answer(lines=lines or ["Nothing new."], tag="ResultEarl", members={"Entries": entries})


def _published(content: bytes, meta: ContentMeta, domain: str, folder: Path, bits: int) -> str:
    from meshclient.earl_folder import publish  # brings a web server along

    key = symmetric.new_key(os.urandom, -(-bits // 8))
    locator = uri.udf_locator(domain, key)
    publish(folder, seal_located(content, key, entropy=os.urandom, content_meta=meta), earl.content_id(key))
    return locator


def _log(path: Path | None, keys: Keys) -> AbstractContextManager[SequenceFile | None]:
    if path is None:
        return nullcontext()
    return SequenceFile.open(path, keyring=keys.held, entropy=os.urandom)


def _listed(file: SequenceFile) -> set[tuple[str, str]]:
    found = set()
    for frame in file.frames(1):
        value = jsonbcd.loads(file.plaintext(frame))
        if isinstance(value, dict):
            found.add((str(value.get("Filename")), str(value.get("Digest"))))
    return found
