"""`meshman dare encode|decode|keypair`: files as envelopes, and keys for them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mathmesh.codec import b64, udf
from mathmesh.dare import stream
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.suites import A256CBC, ENCRYPTIONS, HYBRID, INTEROPERABLE, OWN
from mathmesh.errors import PolicyError, StoreError
from mathmesh.keys import symmetric
from mathmesh.keys.agreement_key import agreement_key
from mathmesh.keys.hybrid import HybridPrivateKey
from mathmesh.keys.pair import generate
from meshclient.envelope_file import decode_file, decoded_name, encode_file, encoded_name
from meshclient.meshman.dare_keys import Keys, key_flags
from meshclient.meshman.dare_progress import progress
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.meshman.hash import content_type_of
from meshclient.output_file import OutputFile

TAG = "ResultFile"
STANDARD_INPUT = Path("-")
KINDS = ("X448", "X25519", "Ed448", "Ed25519", HYBRID)

SOURCE = click.argument(
    "source", metavar="FILE", type=click.Path(exists=True, allow_dash=True, path_type=Path)
)
TARGET = click.argument("target", required=False, type=click.Path(path_type=Path))
FORCE = click.option("--force", is_flag=True, help="Replace files that exist.")
CONTENT_TYPE = click.option("--cty", metavar="TYPE", help="Media type.  [default: from the file's name]")
EXTENDED = click.option("--extended", is_flag=True, help="Allow algorithms that only this program knows.")
CIPHER = click.option(
    "--alg",
    type=click.Choice(list(ENCRYPTIONS), case_sensitive=False),
    default=A256CBC,
    show_default=True,
    help="Cipher.",
)


@click.command("encode", cls=MeshCommand, example="dare encode file.txt file.dare /encrypt=bob@example.com")
@SOURCE
@TARGET
@CONTENT_TYPE
@CIPHER
@click.option("--cloak", is_flag=True, help="Encrypt the file's name and type too.")
@click.option("--sub", is_flag=True, help="Of a folder, encode the folders in it too.")
@EXTENDED
@FORCE
@key_flags(encrypts=True, signs=True)
def encode(
    source: Path,
    target: Path | None,
    cty: str | None,
    alg: str,
    cloak: bool,
    sub: bool,
    extended: bool,
    force: bool,
    keys: Keys,
) -> Answer:
    """Encode a file as DARE envelope, with a digest, encrypted and signed as told.

    Of a folder, each file becomes an envelope, beside it or in the folder TARGET. FILE `-` is standard input.
    """
    if alg.upper() != A256CBC and not extended:
        raise PolicyError(f"{alg} is not read by other programs of the Mesh; /extended allows it")
    done = []
    for path, goal in pairs(source, target, sub=sub):
        meta = _described(path, cty)
        cloaked = {"ContentMetaData": b64.encode(meta.encode())} if cloak else None
        goal.parent.mkdir(parents=True, exist_ok=True)
        with progress(path) as told:
            written = encode_file(
                sys.stdin.buffer if path == STANDARD_INPUT else path,
                goal,
                entropy=os.urandom,
                recipients=keys.recipients,
                symmetric=keys.secrets,
                signers=keys.signers,
                content_meta=None if cloak else meta,
                cloaked=cloaked,
                enc=alg.upper(),
                suites=OWN if extended else INTEROPERABLE,
                overwrite=force,
                progress=told,
            )
        done.append((goal, written))
    if not done:
        raise StoreError(f"{source} holds no files to encode; /sub includes those in folders below")
    lines = [f"{goal}: {written.octets} bytes" for goal, written in done]
    if source.is_dir():
        files = [{"Filename": str(goal), "TotalBytes": written.octets} for goal, written in done]
        return Answer(lines=lines, tag=TAG, members={"Files": files})
    goal, written = done[0]
    members = {"Filename": str(goal), "TotalBytes": written.octets, "Length": written.length}
    return Answer(lines=lines, tag=TAG, members=members)


@click.command("decode", cls=MeshCommand, example="dare decode file.dare file.txt /key=secret.key")
@SOURCE
@TARGET
@click.option("--verify", "required", is_flag=True, help="Refuse what no signer that is believed has signed.")
@EXTENDED
@FORCE
@key_flags(verifies=True)
def decode(
    source: Path, target: Path | None, required: bool, extended: bool, force: bool, keys: Keys
) -> Answer:
    """Verify and decrypt a DARE envelope. The file appears when all of it was found to hold.

    TARGET is by default the name without .dare. FILE `-` is standard input.
    """
    stdin = source == STANDARD_INPUT
    if stdin and target is None:
        raise click.UsageError("TARGET is needed with standard input.")
    goal = target or decoded_name(source)
    with progress(source) as told:
        opened = decode_file(
            sys.stdin.buffer if stdin else source,
            goal,
            keyring=keys.keyring,
            signers=keys.believed() if required or keys.trusted else (),
            require_signature=required or bool(keys.trusted),
            suites=OWN if extended else INTEROPERABLE,
            overwrite=force,
            progress=told,
        )
    members: dict[str, Any] = {"Filename": str(goal), "TotalBytes": opened.length, **report(opened)}
    unknown = "whose key is not known here" if required or keys.trusted else "not checked; /verify does"
    notes = [f"Signed by {kid}, {unknown}." for kid in opened.unverified]
    lines = [f"{goal}: {opened.length} bytes", *(f"Signer: {kid}" for kid in opened.signed_by)]
    return Answer(lines=lines, tag=TAG, members=members, notes=notes)


@click.command("keypair", cls=MeshCommand, example="dare keypair bob.key /type=X448")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--type", "kind", type=click.Choice(KINDS, case_sensitive=False), default="X448", help="Algorithm."
)
@click.option(
    "--from", "secret", metavar="FILE", help="Make it from the secret key in FILE, as sequences do."
)
def keypair(target: Path, kind: str, secret: str | None) -> Answer:
    """Make a key pair: the private key goes to TARGET, the public one to TARGET.pub.

    X448 and X25519 are for recipients, Ed448 and Ed25519 for signers; MLKEM768-X448 holds against quantum
    computers and is known to this program only.
    """
    made: Any
    if secret is not None:
        made = agreement_key(symmetric.secret(udf.canonical(Path(secret).read_text().strip())))
    elif kind.upper() == HYBRID:
        made = HybridPrivateKey.generate(os.urandom)
    else:
        made = generate(next(name for name in KINDS if name.lower() == kind.lower()), os.urandom)
    public = target.with_name(target.name + ".pub")
    for path, value, private in ((target, made.to_json(), True), (public, made.public.to_json(), False)):
        with OutputFile(path, private=private) as output:
            output.write(json.dumps(value).encode() + b"\n")
            output.commit()
    lines = [f"{made.public.udf}", f"File={public}"]
    return Answer(lines=lines, tag="ResultKey", members={"Key": made.public.udf, "File": str(public)})


def pairs(source: Path, target: Path | None, *, sub: bool) -> Iterator[tuple[Path, Path]]:
    """Files to encode, and where each goes."""
    if not source.is_dir():
        stdin = source == STANDARD_INPUT
        if stdin and target is None:
            raise click.UsageError("TARGET is needed with standard input.")
        goal = target or encoded_name(source)
        yield source, goal / encoded_name(source).name if goal.is_dir() and not stdin else goal
        return
    for path in sorted(source.rglob("*") if sub else source.iterdir()):
        if path.is_file() and not path.is_symlink() and path.suffix != ".dare":
            goal = encoded_name(path)
            yield path, goal if target is None else target / goal.relative_to(source)


def _described(path: Path, cty: str | None) -> ContentMeta:
    if path == STANDARD_INPUT:
        return ContentMeta(cty=cty)
    return ContentMeta(filename=path.name, cty=cty or content_type_of(path))


def report(opened: stream.StreamOpened) -> dict[str, Any]:
    """What a result says of an envelope that was verified."""
    members: dict[str, Any] = {"PayloadDigest": b64.encode(opened.digest), "Verified": True}
    if opened.signed_by:
        members["SignedBy"] = list(opened.signed_by)
    if opened.unverified:
        members["Unverified"] = list(opened.unverified)
    return members
