"""Content behind an encrypted authenticated resource locator: an envelope that opens under the locator's key.

Rules (draft-hallambaker-mesh-udf §5.4, protocol book):
 1. The key has 120 bits or more; its octets are a recipient of the envelope.
 2. A key of type 32 is a secret of those who have the locator. The envelope is signed by the key that
    follows from it (`earl.authenticator_key`), so that the server which keeps the content cannot alter it.
 3. A key of type 33 is the fingerprint of the Ed448 key that signs the envelope, a contact's.
 4. Signatures count with their witness only, which binds them to salt and seed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mathmesh.codec import b64, jsonbcd, udf
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, Opened, open_envelope, seal
from mathmesh.errors import EncodingError, LocalProtocolError, VerificationError
from mathmesh.keys import earl, symmetric
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PUBLIC_TAG, PrivateKey, PublicKey
from mathmesh.types import Entropy

_NESTING = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """What a locator leads to. `content_meta` lies outside of what is authenticated; `authenticated` is false
    for content of type 32 without our signature, which its server may have altered.
    """

    content: bytes
    content_meta: ContentMeta
    authenticated: bool
    signer: PublicKey | None = None


def seal_located(
    content: bytes,
    key_udf: str,
    *,
    entropy: Entropy,
    content_meta: ContentMeta | None = None,
    signer: PrivateKey | None = None,
) -> Envelope:
    """The envelope of `content` under a key UDF of type E; its EnvelopeId is the content identifier.

    `signer` is the contact's key and needed for a key of type 33 only. Raises EncodingError for a UDF that
    is no key, PolicyError for a short one, LocalProtocolError for a missing or foreign signer.
    """
    secret = symmetric.secret(key_udf)
    if udf.parse(key_udf)[0] == udf.ENCRYPTION:
        if signer is not None:
            raise LocalProtocolError("content of a key of type 32 is signed by the key that follows from it")
        signer = earl.authenticator_key(key_udf)
    elif signer is None or not earl.is_contact_key(key_udf, signer.public):
        raise LocalProtocolError("content of a contact's key is signed by the key that it was made from")
    return seal(
        content,
        entropy=entropy,
        symmetric=[secret],
        signer=signer,
        content_meta=content_meta,
        envelope_id=earl.content_id(key_udf),
    )


def open_located(
    envelope: Envelope,
    key_udf: str,
    *,
    signers: Iterable[PublicKey] = (),
    require_authentication: bool = True,
) -> Located:
    """The content of `envelope` under a key UDF of type E, verified.

    `signers` are keys that a contact may be signed by; keys inside the content are found without them. With
    `require_authentication` false content of a key of type 32 that lacks our signature is given too.
    Raises VerificationError for altered content and for a signer that the key does not name,
    KeyUnavailableError when the key is another one, EncodingError when it is no key.
    """
    keyring = MemoryKeyring(secrets=[symmetric.secret(key_udf)])
    contact = udf.parse(key_udf)[0] == udf.ENCRYPTION_SIGNATURE
    if contact:
        content = open_envelope(envelope, keyring=keyring).plaintext
        wanted = [key for key in (*signers, *keys_in(content)) if earl.is_contact_key(key_udf, key)]
    else:
        wanted = [earl.authenticator_key(key_udf).public]
    opened = open_envelope(envelope, keyring=keyring, signers=wanted)
    signer = _signer(envelope, opened, wanted)
    if signer is None and contact:
        raise VerificationError("contact is not signed by the key that its locator names; do not use it")
    if signer is None and require_authentication:
        raise VerificationError(
            "content is not authenticated under the locator's key; its server may have altered it"
        )
    return Located(
        content=opened.plaintext,
        content_meta=opened.content_meta,
        authenticated=signer is not None,
        signer=signer if contact else None,
    )


def keys_in(content: bytes) -> Iterator[PublicKey]:
    """Every public key in a JSON document, also inside the bodies of envelopes that it holds."""
    try:
        yield from _keys(jsonbcd.loads(content, tolerant=True), 0)
    except EncodingError:
        return


def _keys(value: Any, nesting: int) -> Iterator[PublicKey]:
    if isinstance(value, dict):
        if PUBLIC_TAG in value:
            try:
                yield PublicKey.from_json(value)
            except (EncodingError, VerificationError):
                return
        for item in value.values():
            yield from _keys(item, nesting)
    elif isinstance(value, list):
        if len(value) in (2, 3) and isinstance(value[0], dict) and isinstance(value[1], str):
            yield from _keys_of_body(value[1], nesting + 1)
        for item in value:
            yield from _keys(item, nesting)


def _keys_of_body(text: str, nesting: int) -> Iterator[PublicKey]:
    if nesting > _NESTING:
        return
    try:
        yield from _keys(jsonbcd.loads(b64.decode(text), tolerant=True), nesting)
    except EncodingError:
        return


def _signer(envelope: Envelope, opened: Opened, wanted: list[PublicKey]) -> PublicKey | None:
    """The key among `wanted` whose signature held and carries its witness."""
    witnessed = {
        entry.get("kid")
        for entry in envelope.merged().get("signatures", [])
        if isinstance(entry, dict) and entry.get("witness")
    }
    held = witnessed.intersection(opened.signed_by)
    return next((key for key in wanted if key.udf in held), None)
