"""Sealing and opening envelopes (draft-hallambaker-mesh-dare §4.2, §4.3).

Opening checks in this order, and nothing of the payload is returned before all have passed:
 1. algorithms are ones we run, lists within limits;
 2. PayloadDigest is that of the body;
 3. signatures whose key is known hold over the digest; one at least when a signature is required;
 4. an encrypted body has a digest or verified signature (CBC alone can be altered);
 5. a recipient entry opens under a key at hand, the body decrypts;
 6. witnesses of the signatures are those of this payload.
Header members, ContentMeta included, are covered by none of these: compare them with the payload.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mathmesh.codec import b64
from mathmesh.dare import exchange, protection
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.structure import Envelope, check_limits
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import symmetric as symmetric_keys
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.types import Entropy

__all__ = ["Envelope", "Opened", "open_envelope", "seal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What an envelope held. `unverified` lists the kids of signatures whose key was not at hand."""

    plaintext: bytes
    content_meta: ContentMeta
    signed_by: tuple[str, ...]
    unverified: tuple[str, ...]


def seal(
    plaintext: bytes,
    *,
    entropy: Entropy,
    recipients: Sequence[PublicKey] = (),
    symmetric: Sequence[bytes] = (),
    signer: PrivateKey | None = None,
    content_meta: ContentMeta | None = None,
    envelope_id: str | None = None,
) -> Envelope:
    """The envelope of `plaintext`, encrypted (A256CBC) when there is any recipient, always with its digest.

    `symmetric` holds secrets as octets after the type octet of their UDF; `signer` signs with Ed448 or
    Ed25519. Every envelope has a base seed and a salt of its own.
    """
    header: dict[str, Any] = {} if envelope_id is None else {"EnvelopeId": envelope_id}
    body, seed, salt = plaintext, b"", b""
    encrypted = bool(recipients or symmetric)
    if encrypted:
        seed, salt = entropy(protection.SEED_OCTETS), entropy(protection.SALT_OCTETS)
        body = protection.encrypt(seed, salt, plaintext)
        header["enc"] = protection.A256CBC
    header["dig"] = protection.S512
    if encrypted:
        header["kid"] = symmetric_keys.key_id(seed)
        header["Salt"] = b64.encode(salt)
        header["recipients"] = exchange.make_recipients(
            seed, entropy=entropy, recipients=recipients, symmetric_keys=symmetric
        )
    if content_meta is not None:
        header["ContentMetaData"] = b64.encode(content_meta.encode())
    digest = protection.payload_digest(body)
    trailer: dict[str, Any] = {}
    if signer is not None:
        signature = signer.sign(digest, entropy)
        trailer["signatures"] = [_signature(signer, signature, seed, salt)]
    trailer["PayloadDigest"] = b64.encode(digest)
    return Envelope(header, body, trailer)


def _signature(signer: PrivateKey, signature: bytes, seed: bytes, salt: bytes) -> dict[str, Any]:
    entry = {"alg": protection.S512, "kid": signer.public.udf, "signature": b64.encode(signature)}
    if seed:
        entry["witness"] = b64.encode(protection.witness(seed, salt, signature))
    return entry


def open_envelope(
    envelope: Envelope,
    *,
    keyring: Keyring | None = None,
    signers: Mapping[str, PublicKey] | Iterable[PublicKey] = (),
    require_signature: bool = False,
    require_digest: bool = True,
) -> Opened:
    """Verified and decrypted payload of `envelope`.

    `signers` are the public keys that may be believed; a mapping is read for its values, since the
    identifier of a key is computed and never taken from elsewhere. `require_digest` false reads encrypted
    bodies without digest, as published examples hold.
    Raises VerificationError when any check fails, KeyUnavailableError when no key opens the body,
    PolicyError for algorithms or sizes we refuse, EncodingError for malformed members.
    """
    check_limits(envelope.header)
    encrypted = protection.is_encrypted(envelope.header)
    members = envelope.merged()
    claimed = protection.check_payload_digest(members, envelope.body)
    digest = claimed or protection.payload_digest(envelope.body)
    signatures = _signatures(members)
    signed_by, unverified = _verify(signatures, digest, _by_kid(signers))
    if require_signature and not signed_by:
        raise VerificationError("envelope is not signed by a key that is trusted here; ask for a signed copy")
    plaintext = envelope.body
    if encrypted:
        if require_digest and claimed is None and not signed_by:
            raise VerificationError("encrypted body has no digest; ask the sender for an envelope with one")
        seed = exchange.open_recipients(envelope.header.get("recipients"), keyring)
        salt = protection.salt_of(envelope.header)
        plaintext = protection.decrypt(seed, salt, envelope.body)
        _check_witnesses(signatures, seed, salt)
    return Opened(
        plaintext=plaintext,
        content_meta=envelope.content_meta,
        signed_by=signed_by,
        unverified=unverified,
    )


def _by_kid(signers: Mapping[str, PublicKey] | Iterable[PublicKey]) -> dict[str, PublicKey]:
    keys = signers.values() if isinstance(signers, Mapping) else signers
    return {key.udf: key for key in keys}


def _signatures(members: dict[str, Any]) -> list[dict[str, Any]]:
    signatures = members.get("signatures", [])
    if not isinstance(signatures, list) or not all(isinstance(entry, dict) for entry in signatures):
        raise EncodingError("signatures of an envelope are not a list of objects")
    return signatures


def _verify(
    signatures: list[dict[str, Any]], digest: bytes, keys: dict[str, PublicKey]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Kids whose signature holds and kids without a key; one that does not hold ends it."""
    held: list[str] = []
    unknown: list[str] = []
    for entry in signatures:
        kid = str(entry.get("kid", ""))
        key = keys.get(kid)
        if key is None:
            unknown.append(kid)
            continue
        if entry.get("alg", protection.S512) != protection.S512:
            raise VerificationError(f"signature of {kid} names an algorithm that we do not use")
        key.verify(protection.binary(entry, "signature") or b"", digest)
        held.append(kid)
    return tuple(held), tuple(unknown)


def _check_witnesses(signatures: list[dict[str, Any]], seed: bytes, salt: bytes) -> None:
    for entry in signatures:
        claimed = protection.binary(entry, "witness")
        signature = protection.binary(entry, "signature") or b""
        if claimed is not None and not hmac.compare_digest(
            claimed, protection.witness(seed, salt, signature)
        ):
            raise VerificationError(f"witness of signature by {entry.get('kid')} is that of another payload")
