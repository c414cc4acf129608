"""Sealing by a PKCS#11 token (security module, smart card), through the library `python-pkcs11`.

The token holds an AES-256 key that does not leave it and encrypts the master key with it. Settings come
from the environment: MESH_PKCS11_MODULE (path of the vendor's library), MESH_PKCS11_TOKEN (its label, where
there are several) and MESH_PKCS11_PIN_FILE (a file with the PIN, mode 0600).
"""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mathmesh.codec import jsonbcd
from mathmesh.errors import EncodingError, KeyUnavailableError

NAME = "pkcs11"
MODULE = "MESH_PKCS11_MODULE"
TOKEN = "MESH_PKCS11_TOKEN"  # noqa: S105 - the name of a setting
PIN_FILE = "MESH_PKCS11_PIN_FILE"
KEY_LABEL = "mesh-hub"

_KEY_BITS = 256
_IV_OCTETS = 16
_ID_OCTETS = 8


class Pkcs11Sealer:
    """A `Sealer` in a token. `pin` is asked for each session; the default reads MESH_PKCS11_PIN_FILE."""

    def __init__(
        self,
        module: Path | None = None,
        *,
        token: str | None = None,
        pin: Callable[[], str] | None = None,
    ) -> None:
        self._module = module or (Path(os.environ[MODULE]) if MODULE in os.environ else None)
        self._token = token or os.environ.get(TOKEN)
        self._pin = pin or _pin_from_file

    @property
    def name(self) -> str:
        """`pkcs11`."""
        return NAME

    def seal(self, secret: bytes) -> bytes:
        """Octets that only this token opens; its key is made when it has none yet.

        Raises KeyUnavailableError when the token cannot be used.
        """
        with self._session(write=True) as (library, session, label):
            key = next(iter(session.get_objects(_attributes(library))), None)
            if key is None:
                key = session.generate_key(
                    library.KeyType.AES,
                    _KEY_BITS,
                    id=os.urandom(_ID_OCTETS),
                    label=KEY_LABEL,
                    store=True,
                    template={library.Attribute.SENSITIVE: True, library.Attribute.EXTRACTABLE: False},
                )
            iv = os.urandom(_IV_OCTETS)
            mechanism = library.Mechanism.AES_CBC_PAD
            ciphertext = key.encrypt(secret, mechanism=mechanism, mechanism_param=iv)
            parts = {"Token": label, "Key": bytes(key.id), "Iv": iv, "Secret": bytes(ciphertext)}
        return jsonbcd.dumps_b(parts)

    def unseal(self, sealed: bytes) -> bytes:
        """The secret; KeyUnavailableError when the token that sealed it is absent."""
        parts = _parts(sealed)
        with self._session(token=parts["Token"]) as (library, session, label):
            wanted = {**_attributes(library), library.Attribute.ID: parts["Key"]}
            key = next(iter(session.get_objects(wanted)), None)
            if key is None:
                raise KeyUnavailableError(f"the token {label} does not hold the key that sealed this file")
            mechanism = library.Mechanism.AES_CBC_PAD
            return bytes(key.decrypt(parts["Secret"], mechanism=mechanism, mechanism_param=parts["Iv"]))

    @contextmanager
    def _session(self, token: str | None = None, write: bool = False) -> Iterator[tuple[Any, Any, str]]:
        library = _library()
        if self._module is None:
            raise KeyUnavailableError(f"set {MODULE} to the path of the token's PKCS#11 library")
        try:
            slots = library.lib(str(self._module)).get_tokens(token_label=token or self._token)
            found = next(iter(slots), None)
            if found is None:
                raise KeyUnavailableError(f"the token {token or self._token or ''} is not there; plug it in")
            with found.open(user_pin=self._pin(), rw=write) as session:
                yield library, session, str(found.label)
        except library.exceptions.PKCS11Error as error:
            reason = str(error) or type(error).__name__
            raise KeyUnavailableError(f"the PKCS#11 token cannot be used: {reason}") from None


def _library() -> Any:
    try:
        library = importlib.import_module("pkcs11")
        importlib.import_module("pkcs11.exceptions")
    except ImportError:
        raise KeyUnavailableError(
            "python-pkcs11 is not installed; tokens cannot be used without it"
        ) from None
    return library


def _attributes(library: Any) -> dict[Any, Any]:
    attribute = library.Attribute
    return {attribute.CLASS: library.ObjectClass.SECRET_KEY, attribute.LABEL: KEY_LABEL}


def _pin_from_file() -> str:
    path = os.environ.get(PIN_FILE)
    if path is None:
        raise KeyUnavailableError(f"set {PIN_FILE} to the path of a file with the token's PIN")
    try:
        with Path(path).open(encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise KeyUnavailableError(f"{path} can be read by others; run: chmod 600 {path}")
            return file.readline().rstrip("\r\n")
    except (OSError, UnicodeError):
        raise KeyUnavailableError(f"the file {path} with the token's PIN cannot be read") from None


def _parts(sealed: bytes) -> dict[str, Any]:
    kinds = {"Token": str, "Key": bytes, "Iv": bytes, "Secret": bytes}
    try:
        parts = jsonbcd.loads(sealed)
    except EncodingError:
        parts = None
    if not isinstance(parts, dict) or not all(isinstance(parts.get(n), kind) for n, kind in kinds.items()):
        raise KeyUnavailableError("the sealed key is not that of a token; restore the file from the backup")
    return parts
