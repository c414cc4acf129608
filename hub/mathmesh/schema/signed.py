"""The steps that every verification of an enveloped object is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from mathmesh.codec import jsonbcd
from mathmesh.dare import protection
from mathmesh.dare.envelope import Envelope, open_envelope
from mathmesh.errors import VerificationError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.key_data import KeyData, same_udf
from mathmesh.schema.mesh_object import MeshObject, MeshStruct, members

Object = TypeVar("Object", bound=MeshObject)


def check_digest(envelope: Envelope, what: str) -> bytes:
    """The PayloadDigest of `envelope`, which must be there and be that of the body."""
    digest = protection.check_payload_digest(envelope.merged(), envelope.body)
    if digest is None:
        raise VerificationError(f"the envelope of {what} states no PayloadDigest")
    return digest


def check_signed_by(envelope: Envelope, key: PublicKey, what: str) -> None:
    """Require a signature by `key`, which covers the digest of the body: it can be checked before
    decryption.
    """
    digest = check_digest(envelope, what)
    for entry in envelope.merged().get("signatures", []):
        if isinstance(entry, dict) and same_udf(entry.get("kid"), key.udf):
            key.verify(protection.binary(entry, "signature") or b"", digest)
            return
    raise VerificationError(f"the envelope of {what} is not signed by {key.udf}")


def check_signed_or_clear(envelope: Envelope, key: PublicKey, what: str, *, allow_unsigned: bool) -> None:
    """As `check_signed_by`; with `allow_unsigned` an envelope without any signature passes as well.

    That is the switch for messages of the reference, which signs none.
    """
    if not (allow_unsigned and is_unsigned(envelope)):
        check_signed_by(envelope, key, what)


def is_unsigned(envelope: Envelope) -> bool:
    """Whether `envelope` bears no signature at all."""
    return not envelope.merged().get("signatures")


def exactly(found: MeshObject, kind: type[Object]) -> Object:
    """`found`, which must be of type `kind` and of none derived from it."""
    if type(found) is not kind:
        raise VerificationError(f"a {found.tag} stands in the place of a {kind.__name__}")
    return found


def object_in(
    envelope: Envelope,
    kind: type[Object],
    *,
    keyring: Keyring | None = None,
    require_digest: bool = True,
    most: int | None = None,
) -> Object:
    """The object of type `kind` inside `envelope`, its digest checked; who signed it is not.

    The body is read tolerantly: published bodies hold raw line feeds inside strings, and signed are the
    octets. `require_digest` false reads envelopes that state no digest, as the reference's unsigned ones do.
    `most` is how many values the body may hold.
    Raises VerificationError when the digest is missing or wrong or the header names another type,
    EncodingError when the body is of another type, KeyUnavailableError when `keyring` does not open it.
    """
    if require_digest:
        check_digest(envelope, kind.__name__)
    opened = open_envelope(envelope, keyring=keyring, require_digest=require_digest)
    tree: Any = jsonbcd.loads(opened.plaintext, tolerant=True, most=most)
    found = kind.decode(tree)
    stated = opened.content_meta.message_type
    if stated is not None and stated not in tree:
        raise VerificationError(f"the header calls a {found.tag} {stated}")
    return found


def check_public_keys(item: MeshStruct, required: Mapping[str, str]) -> dict[str, PublicKey]:
    """Attribute name → key for every key of `item`: `required` (attribute → curve) must be there, none may
    be private.
    """
    keys = {}
    for name in sorted(
        set(required) | {name for name in _slots(item) if isinstance(getattr(item, name), KeyData)}
    ):
        data = getattr(item, name)
        if data is None:
            raise VerificationError(f"{type(item).__name__} has no {name}")
        if data.private_parameters is not None:
            raise VerificationError(f"{type(item).__name__} discloses the private {name}")
        keys[name] = data.public_key(required.get(name))
    return keys


def envelope_of(envelope: Envelope | None, what: str) -> Envelope:
    """`envelope`, which must be there."""
    if envelope is None:
        raise VerificationError(f"{what} is missing")
    return envelope


def _slots(item: MeshStruct) -> list[str]:
    return [member.attribute for member in members(type(item)).values()]
