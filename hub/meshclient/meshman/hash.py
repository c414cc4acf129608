"""`meshman hash`: digests and authenticators of files (the reference's commands of the same names)."""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import digest, mac
from meshclient.meshman.frame import Answer, MeshGroup

TAG = "ResultDigest"
MISMATCH = "The calculated fingerprint did not match the expected value"
DEFAULT_TYPE = "application/octet-stream"
NONCE_OCTETS = 16
MINIMUM_BITS = 100

_STEP = 20  # digests are cut at whole groups of four characters
_UDF_ALGORITHMS = {"sha2": False, "sha512": False, "sha2-512": False, "sha3": True, "sha3-512": True}
_ALGORITHMS = {
    "sha2": "sha512",
    "sha512": "sha512",
    "sha256": "sha256",
    "sha3": "sha3_512",
    "sha3512": "sha3_512",
    "sha3256": "sha3_256",
}
_TYPES = mimetypes.MimeTypes(filenames=())  # the table of Python itself, the same on every machine

FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
EXPECT = click.option("--expect", metavar="UDF", help="Check that this is the value.")
CONTENT_TYPE = click.option("--cty", metavar="TYPE", help="Media type.  [default: from the file's name]")
BITS = click.option(
    "--bits",
    type=click.IntRange(MINIMUM_BITS, 440),
    default=udf.DEFAULT_BITS,
    show_default=True,
    help="Precision; whole groups of four characters are printed.",
)


def _algorithm(names: list[str]) -> Callable[..., Any]:
    choice = click.Choice(names, case_sensitive=False)
    return click.option("--alg", type=choice, default="sha2", show_default=True, help="Hash function.")


@click.group("hash", cls=MeshGroup)
def command() -> None:
    """Content digests and message authentication codes of files."""


@command.command("udf", example="hash udf file.txt /cty=text/plain /bits=200")
@FILE
@_algorithm([*_UDF_ALGORITHMS])
@BITS
@CONTENT_TYPE
@EXPECT
def hash_udf(file: Path, alg: str, bits: int, cty: str | None, expect: str | None) -> Answer:
    """The fingerprint of a file as UDF: it covers the content and its media type."""
    sha3 = _UDF_ALGORITHMS[alg.lower()]
    hashed = _hashed(file, "sha3_512" if sha3 else "sha512")
    content_type = cty or content_type_of(file)

    def at(precision: int) -> str:
        return digest.hashed_digest(hashed, content_type, bits=precision, sha3=sha3)

    return (
        _checked(at, expect)
        if expect
        else Answer(lines=[at(_whole(bits))], tag=TAG, members={"Digest": at(_whole(bits))})
    )


@command.command("digest", example="hash digest file.txt /alg=sha3")
@FILE
@_algorithm([*_ALGORITHMS])
@click.option("--expect", metavar="HEX", help="Check that this is the value.")
def hash_digest(file: Path, alg: str, expect: str | None) -> Answer:
    """The digest of a file in hexadecimal."""
    value = _hashed(file, _ALGORITHMS[alg.lower()]).hex().upper()
    if expect:
        if not hmac.compare_digest(value.encode(), expect.strip().upper().encode()):
            raise VerificationError(MISMATCH)
        return _confirmed(value)
    return Answer(lines=[value], tag=TAG, members={"Digest": value})


@command.command("mac", example="hash mac file.txt /key=NDXX-MFCD-5YYF-VHJF-JTIG-SJY5-HMBU")
@FILE
@_algorithm([*_UDF_ALGORITHMS])
@BITS
@CONTENT_TYPE
@click.option("--key", metavar="UDF", help="The key.  [default: a new one, printed below the value]")
@EXPECT
def hash_mac(file: Path, alg: str, bits: int, cty: str | None, key: str | None, expect: str | None) -> Answer:
    """A commitment to a file: nobody finds the content from it who has not also the key."""
    sha3 = _UDF_ALGORITHMS[alg.lower()]
    hashed = _hashed(file, "sha3_512" if sha3 else "sha512")
    content_type = cty or content_type_of(file)
    if expect and not key:
        raise click.UsageError("/expect needs the /key under which the value was made.")
    used = key or udf.text(udf.NONCE, os.urandom(NONCE_OCTETS))

    def at(precision: int) -> str:
        return mac.hashed_content_mac(used, hashed, content_type, bits=precision, sha3=sha3)

    if expect:
        return _checked(at, expect)
    value = at(_whole(bits))
    return Answer(lines=[value, used], tag=TAG, members={"Digest": value, "Key": used})


def content_type_of(file: Path) -> str:
    """Media type by the ending of a file's name."""
    return _TYPES.guess_type(file.name)[0] or DEFAULT_TYPE


def _hashed(file: Path, algorithm: str) -> bytes:
    with file.open("rb") as content:
        return hashlib.file_digest(content, algorithm).digest()


def _checked(at: Callable[[int], str], expect: str) -> Answer:
    """True when `expect` is the value at its own precision."""
    try:
        given = udf.canonical(expect)
    except EncodingError as malformed:
        raise click.UsageError(f"/expect: {malformed}") from None
    bits = 5 * len(given.replace("-", ""))
    if bits < MINIMUM_BITS:
        raise VerificationError(f"the expected value has fewer than {MINIMUM_BITS} bits, too few to compare")
    if not hmac.compare_digest(given, at(bits)):
        raise VerificationError(MISMATCH)
    return _confirmed(given)


def _confirmed(value: str) -> Answer:
    return Answer(lines=["True"], tag=TAG, members={"Digest": value, "Verified": True})


def _whole(bits: int) -> int:
    return -(-bits // _STEP) * _STEP
