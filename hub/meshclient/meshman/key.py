"""`meshman key`: secrets, nonces, locators and shares (the reference's commands of the same names), and how
the files with this machine's keys are kept.

Secrets may be given as `-`: they are then read from standard input, where no process list shows them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from mathmesh.codec import udf, uri
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope
from mathmesh.dare.recovery_record import make_record, open_record
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import earl, symmetric
from mathmesh.threshold import recovery
from meshclient import qr
from meshclient.earl import Resolver, parse_locator
from meshclient.earl_folder import path_of, publish
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.hash import content_type_of
from meshclient.meshman.key_sealing import seal, unseal
from meshclient.output_file import OutputFile

TAG = "ResultKey"
DEFAULT_BITS = 128
MAXIMUM_BITS = 512
STANDARD_INPUT = "-"
UNVERIFIED = "Unverified: wrong shares give a wrong secret. Compare with /expect or /record."


def _bits(least: int) -> Callable[..., Any]:
    return click.option(
        "--bits",
        type=click.IntRange(least, MAXIMUM_BITS),
        default=DEFAULT_BITS,
        show_default=True,
        help="Size of the secret, rounded up to whole octets.",
    )


@click.group("key", cls=MeshGroup)
def command() -> None:
    """Secrets, nonces, locators and shares of secrets."""


@command.command("nonce", example="key nonce /bits=256")
@_bits(8)
def nonce(bits: int) -> Answer:
    """A random nonce: unpredictable, but no secret."""
    made = udf.text(udf.NONCE, os.urandom(_octets(bits)))
    return Answer(lines=[made], tag=TAG, members={"Key": made})


@command.command("secret", example="key secret /bits=256")
@_bits(120)
def secret(bits: int) -> Answer:
    """A random secret key."""
    made = _key(bits)
    return Answer(lines=[made], tag=TAG, members={"Key": made})


@command.command("earl", example="key earl example.com /bits=256")
@click.argument("domain", required=False)
@_bits(120)
def earl_(domain: str | None, bits: int) -> Answer:
    """A random secret key and the identifier under which content sealed with it is published.

    With DOMAIN also the locator to hand out and the address at which it is looked for.
    """
    key = _key(bits)
    identifier = earl.content_id(key)
    lines = [key, identifier]
    members = {"Key": key, "Identifier": identifier}
    if domain:
        locator = uri.udf_locator(domain, key)
        location = earl.location(domain.lower(), key)
        lines += [locator, location]
        members |= {"Locator": locator, "Location": location}
    return Answer(lines=lines, tag=TAG, members=members)


@command.command("share", example="key share /quorum=3 /shares=5")
@click.argument("secret", required=False)
@_bits(120)
@click.option("--quorum", type=click.IntRange(2, 15), default=2, show_default=True, help="Shares needed.")
@click.option("--shares", type=click.IntRange(2, 15), default=3, show_default=True, help="Shares made.")
@click.option(
    "--record",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Seal FILE so that a quorum of the shares opens it.",
)
@click.option(
    "--publish",
    "folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where the record is published.  [default: here]",
)
def share(
    secret: str | None, bits: int, quorum: int, shares: int, record: Path | None, folder: Path
) -> Answer:
    """Split a secret into shares of which a quorum recovers it.

    SECRET is a key (E…) or seed (Z…), `-` reads it from standard input; without it, one is made. Printed are
    the secret, its identifier and the shares.
    """
    if quorum > shares:
        raise click.UsageError("/quorum is larger than /shares: the secret could never be recovered.")
    key = _given(secret) or _key(bits)
    members: dict[str, object] = {}
    notes = []
    if record is None:
        made = recovery.share(key, quorum, shares, os.urandom)
    else:
        meta = ContentMeta(cty=content_type_of(record), filename=record.name)
        sealed = make_record(
            record.read_bytes(), quorum, shares, entropy=os.urandom, secret=key, content_meta=meta
        )
        path = publish(folder, sealed.envelope, sealed.identifier)
        made = list(sealed.shares)
        members["Record"] = str(path)
        notes.append(f"Record: {path}")
    key, identifier = udf.canonical(key), recovery.identifier(key)
    members = {"Key": key, "Identifier": identifier, "Shares": made, **members}
    return Answer(lines=[key, identifier, *made], tag=TAG, members=members, notes=notes)


@command.command("recover", example="key recover SAQM-… SARG-… /expect=MDMD-…")
@click.argument("shares", nargs=-1, required=True)
@click.option("--expect", metavar="UDF", help="Identifier of the secret, or UDF of the account of a seed.")
@click.option(
    "--record",
    metavar="WHERE",
    type=click.Path(exists=True, path_type=Path),
    help="Record to open: its file, or the folder it was published in.",
)
@click.option("--domain", metavar="DOMAIN", help="Domain that has published the record.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the content of the record goes; a new file.",
)
def recover(
    shares: tuple[str, ...], expect: str | None, record: Path | None, domain: str | None, out: Path | None
) -> Answer:
    """Recover a secret from SHARES, in any order; `-` reads them from standard input.

    Shares carry no checksum. With /expect, /record or /domain the result is checked; without, it is called
    unverified.
    """
    wanted = record is not None or domain is not None
    if wanted != (out is not None) or (record is not None and domain is not None):
        raise click.UsageError(
            "/out is where the content of one record goes, which /record or /domain names."
        )
    given = [part for word in shares for part in (_read().split() if word == STANDARD_INPUT else [word])]
    found = recovery.recover(given, expected=expect)
    members: dict[str, object] = {
        "Key": found.udf,
        "Identifier": found.identifier,
        "Verified": found.verified or wanted,
    }
    if out is None:
        notes = [] if found.verified else [UNVERIFIED]
        return Answer(lines=[found.udf], tag=TAG, members=members, notes=notes)
    content = _record_content(given, found.udf, record, domain)
    with OutputFile(out, private=True) as file:
        file.write(content)
        file.commit()
    members |= {"File": str(out), "Length": len(content)}
    return Answer(lines=[found.udf, f"{out}: {len(content)} bytes"], tag=TAG, members=members)


@command.command("qr", example="key qr mcu://maker@example.com/EDRL-… /file=label.svg")
@click.argument("text")
@click.option(
    "--file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a picture, .svg or .png.  [default: show it here]",
)
def qr_(text: str, file: Path | None) -> Answer:
    """Show a key, locator, address or share as QR code; `-` reads it from standard input."""
    held = qr.canonical(_given(text) or "")
    if file is None:
        return Answer(lines=[qr.terminal(held)], tag="ResultCode", members={"Text": held})
    qr.write(file, held)
    return Answer(lines=[f"File={file}"], tag="ResultCode", members={"Text": held, "File": str(file)})


@command.command("location", example="key location udf://example.com/EDRL-…")
@click.argument("locator")
def location(locator: str) -> Answer:
    """The address at which the content of a locator is looked for; it does not give the key away."""
    authority, name, _, _ = uri.parse_udf_uri(locator)
    if not authority:
        raise EncodingError("this is a name without a domain; ask for its locator udf://domain/…")
    address = earl.location(authority, name)
    return Answer(lines=[address], tag="ResultLocation", members={"Location": address})


@command.command("resolve", example="key resolve udf://example.com/EDRL-… content.txt")
@click.argument("locator")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--endpoint",
    metavar="URL",
    help="Where its domain keeps content.  [default: https, as `key location` tells]",
)
@click.option("--unauthenticated", is_flag=True, help="Take content that its server may have altered.")
def resolve(locator: str, file: Path, endpoint: str | None, unauthenticated: bool) -> Answer:
    """Fetch what LOCATOR leads to, verify it, and write it to FILE, a new file.

    LOCATOR is udf://domain/KEY or udf://domain/DIGEST, the mcu:// of a contact, or a strong internet name.
    """
    if "://" in locator:
        resolver = _resolver(parse_locator(locator)[0], endpoint)
        located = asyncio.run(resolver.resolve(locator, require_authentication=not unauthenticated))
        content, authenticated = located.content, located.authenticated
    else:
        resolver = _resolver(uri.parse_sin_address(locator)[1], endpoint)
        name = asyncio.run(resolver.resolve_name(locator))
        content = name.profile.encode() if name.profile else name.policy or b""
        authenticated = True
    with OutputFile(file, private=True) as out:
        out.write(content)
        out.commit()
    length = len(content)
    notes = [] if authenticated else ["Not authenticated: the server may have altered it."]
    members = {"File": str(file), "Length": length, "Verified": authenticated}
    return Answer(lines=[f"{file}: {length} bytes"], tag="ResultFile", members=members, notes=notes)


command.add_command(seal)
command.add_command(unseal)


def _record_content(shares: Sequence[str], key: str, record: Path | None, domain: str | None) -> bytes:
    if record is None:
        return asyncio.run(Resolver().resolve(uri.udf_locator(domain or "", key))).content
    path = path_of(record, earl.content_id(key)) if record.is_dir() else record
    if not path.exists():
        raise VerificationError(
            f"{record} holds no record of this secret; one of the shares is wrong or the record is elsewhere"
        )
    return open_record(Envelope.from_bytes(path.read_bytes()), shares).content


def _resolver(domain: str, endpoint: str | None) -> Resolver:
    return Resolver({domain: endpoint} if endpoint else None)


def _key(bits: int) -> str:
    return symmetric.new_key(os.urandom, _octets(bits))


def _octets(bits: int) -> int:
    return -(-bits // 8)


def _given(text: str | None) -> str | None:
    return _read().strip() if text == STANDARD_INPUT else text


def _read() -> str:
    return sys.stdin.read()
