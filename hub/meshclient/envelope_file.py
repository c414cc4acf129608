"""Files as envelopes: encode, decode and verify in constant memory, whatever their size.

Hashing runs in a thread beside encryption. Results are files that appear when they are complete and, for
decoding, when everything was verified.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from mathmesh.dare import stream
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.exchange import Recipient
from mathmesh.dare.sealing import Sealing
from mathmesh.dare.signature import Signers
from mathmesh.dare.suites import A256CBC, INTEROPERABLE, S512, Suites
from mathmesh.errors import EncodingError, KeyUnavailableError, MeshError, PolicyError, StoreError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.types import Entropy
from meshclient.hash_thread import HashThread
from meshclient.output_file import OutputFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

EXTENSION = ".dare"
UNENCODED = ".undare"

Source = Path | BinaryIO
"""A file by name, or an open stream of unknown length such as standard input."""


def encoded_name(source: Path) -> Path:
    """Where the envelope of a file goes unless another place is named."""
    return source.with_name(source.name + EXTENSION)


def decoded_name(source: Path) -> Path:
    """Where the content of an envelope goes: its name without `.dare`, else with `.undare`."""
    if source.suffix == EXTENSION and source.stem:
        return source.with_suffix("")
    return source.with_name(source.name + UNENCODED)


def encode_file(
    source: Source,
    target: Path,
    *,
    entropy: Entropy,
    recipients: Sequence[Recipient] = (),
    symmetric: Sequence[bytes] = (),
    signers: Sequence[PrivateKey] = (),
    content_meta: ContentMeta | None = None,
    annotations: Sequence[bytes] = (),
    cloaked: Mapping[str, Any] | None = None,
    enc: str = A256CBC,
    dig: str = S512,
    suites: Suites = INTEROPERABLE,
    overwrite: bool = False,
    sync: bool = True,
    progress: stream.Progress | None = None,
) -> stream.Written:
    """Writes the envelope of `source` to `target`; arguments as those of `dare.envelope.seal`.

    Raises StoreError when a file cannot be read or written, or changes meanwhile.
    """
    sealing = Sealing(
        entropy=entropy,
        recipients=recipients,
        symmetric=symmetric,
        signers=signers,
        content_meta=content_meta,
        annotations=annotations,
        cloaked=cloaked,
        enc=enc,
        dig=dig,
        suites=suites,
    )
    with (
        _opened(source) as (read, length),
        OutputFile(target, overwrite=overwrite, sync=sync) as output,
        HashThread() as thread,
    ):
        written = stream.write_stream(
            sealing, read, output.write, length=length, wrap=thread.wrap, progress=progress
        )
        output.commit()
    return written


def decode_file(
    source: Source,
    target: Path,
    *,
    keyring: Keyring | stream.KeyringFor | None = None,
    signers: Signers = (),
    require_signature: bool = False,
    require_digest: bool = True,
    suites: Suites = INTEROPERABLE,
    overwrite: bool = False,
    sync: bool = True,
    progress: stream.Progress | None = None,
) -> stream.StreamOpened:
    """Verifies and decrypts the envelope in `source`; `target` comes into being when all of it holds.

    What was encrypted goes to a file for its owner alone. Errors as those of `dare.envelope.open_envelope`,
    with the name of the file, and StoreError.
    """
    with (
        _opened(source) as (read, _),
        OutputFile(target, overwrite=overwrite, private=True, sync=sync) as output,
        HashThread() as thread,
        _named(source),
    ):
        opened = stream.open_stream(
            read,
            output.write,
            keyring=keyring,
            signers=signers,
            require_signature=require_signature,
            require_digest=require_digest,
            suites=suites,
            wrap=thread.wrap,
            progress=progress,
        )
        output.commit()
    return opened


def verify_file(
    source: Source,
    *,
    keyring: Keyring | stream.KeyringFor | None = None,
    signers: Signers = (),
    require_signature: bool = False,
    suites: Suites = INTEROPERABLE,
    progress: stream.Progress | None = None,
) -> stream.StreamOpened:
    """Verifies digest and signatures of the envelope in `source`; witnesses too where a key opens it."""
    with _opened(source) as (read, _), HashThread() as thread, _named(source):
        return stream.open_stream(
            read,
            None,
            keyring=keyring,
            signers=signers,
            require_signature=require_signature,
            suites=suites,
            wrap=thread.wrap,
            progress=progress,
        )


@contextmanager
def _opened(source: Source) -> Iterator[tuple[stream.Read, int | None]]:
    """How to read `source`, and its length where that is known."""
    if not isinstance(source, Path):
        yield source.read, None
        return
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"{source} cannot be read: {error.strerror}") from error
    try:
        size = os.fstat(descriptor).st_size
        regular = os.path.isfile(source)
        yield lambda count: _read(descriptor, count, source), size if regular else None
    finally:
        os.close(descriptor)


def _read(descriptor: int, count: int, source: Path) -> bytes:
    try:
        return os.read(descriptor, count)
    except OSError as error:
        raise StoreError(f"{source} cannot be read: {error.strerror}") from error


@contextmanager
def _named(source: Source) -> Iterator[None]:
    """Errors about the envelope name its file; those about keys and rights are not about the file."""
    try:
        yield
    except EncodingError as error:
        raise EncodingError(f"{_name(source)} is no whole envelope: {error}") from error
    except (KeyUnavailableError, PolicyError, StoreError):
        raise
    except MeshError as error:
        raise type(error)(f"{_name(source)}: {error}") from error


def _name(source: Source) -> str:
    return str(source) if isinstance(source, Path) else "standard input"
