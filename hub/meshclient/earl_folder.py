"""Publishing content for locators: a folder that any web server can serve, and the handler that serves it.

Content lies at `.well-known/mmm-udf/IDENTIFIER` below the folder, one file each, readable by everyone: it is
ciphertext, or a document whose digest its readers know (draft-hallambaker-mesh-udf §5.4).
"""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path

from aiohttp import web

from mathmesh.codec import udf, uri
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.dare.locator import seal_located
from mathmesh.errors import EncodingError, StoreError
from mathmesh.keys import digest, earl
from mathmesh.keys.pair import PrivateKey
from meshclient.file_lock import sync_directory

MEDIA_TYPE = "application/dare"

_MODE = 0o644
_HEADERS = {"Cache-Control": "max-age=60", "X-Content-Type-Options": "nosniff"}


def publish(folder: Path, envelope: Envelope, identifier: str) -> Path:
    """Write `envelope` where the content with this identifier is looked for, at once and durably.

    Raises EncodingError for what is no content identifier, StoreError when the folder cannot be written.
    """
    path = path_of(folder, identifier)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, envelope.to_json())
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    return path


def publish_content(
    folder: Path,
    authority: str,
    key_udf: str,
    content: bytes,
    content_meta: ContentMeta | None = None,
    signer: PrivateKey | None = None,
) -> str:
    """Seal `content` under a key UDF of type E, publish it, and return the locator that leads to it.

    `authority` is the domain that serves the folder; `signer` is needed for a contact's key.
    """
    locator = uri.udf_locator(authority, key_udf)
    envelope = seal_located(content, key_udf, entropy=os.urandom, content_meta=content_meta, signer=signer)
    publish(folder, envelope, earl.content_id(key_udf))
    return locator


def publish_document(
    folder: Path, authority: str, document: bytes, content_type: str, bits: int = udf.DEFAULT_BITS
) -> str:
    """Publish a document for everyone under the digest of it, and return the locator that leads to it."""
    name = digest.content_digest(document, content_type, bits=bits)
    envelope = seal(document, entropy=os.urandom, content_meta=ContentMeta(cty=content_type))
    publish(folder, envelope, earl.content_id(name))
    return uri.udf_locator(authority, name)


def publish_profile(folder: Path, authority: str, envelope: Envelope, name: str) -> str:
    """Publish a signed profile under its own UDF `name`, and return the locator that leads to it."""
    publish(folder, envelope, earl.content_id(name))
    return uri.udf_locator(authority, name)


def withdraw(folder: Path, identifier: str) -> bool:
    """Remove what is published under `identifier`; false when there was nothing."""
    path = path_of(folder, identifier)
    if not path.exists():
        return False
    path.unlink()
    sync_directory(path.parent)
    return True


def path_of(folder: Path, identifier: str) -> Path:
    """The file of the content with this identifier; EncodingError for what is no content identifier."""
    code, _ = udf.parse(identifier)
    if not udf.DIGEST <= code <= udf.DIGEST + udf.MAXIMUM_COMPRESSION:
        raise EncodingError("content is published under a digest UDF, which begins with M")
    return folder / earl.WELL_KNOWN.strip("/") / udf.canonical(identifier)


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with partial.open("xb") as file:
            os.fchmod(file.fileno(), _MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def add_publications(application: web.Application, folder: Path) -> None:
    """Serve what is published in `folder` from an aiohttp application, to everyone."""

    async def get(request: web.Request) -> web.Response:
        try:
            content = await asyncio.to_thread(path_of(folder, request.match_info["identifier"]).read_bytes)
        except (EncodingError, FileNotFoundError):
            raise web.HTTPNotFound(text="nothing is published here\n") from None
        return web.Response(body=content, content_type=MEDIA_TYPE, headers=_HEADERS)

    application.router.add_get(earl.WELL_KNOWN + "{identifier}", get)
