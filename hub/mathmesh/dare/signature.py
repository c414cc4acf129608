"""Signatures of an envelope: over the payload digest, by keys that are named (mesh-dare §4.2).

Written are pure Ed448 and pure Ed25519 signatures. The published reference signs with Ed25519ctx and the
empty context, which is read too; the draft says Ed25519.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mathmesh.codec import b64
from mathmesh.dare import protection
from mathmesh.dare.suites import Suites
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import edwards
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.types import Entropy

MAXIMUM_SIGNATURES = 64

Signers = Mapping[str, PublicKey] | Iterable[PublicKey]
"""Keys that may be believed; of a mapping the values count, since identifiers are computed here."""


def make(
    signer: PrivateKey, digest: bytes, dig: str, entropy: Entropy, seed: bytes = b"", salt: bytes = b""
) -> dict[str, Any]:
    """The Signature of `digest`, with its witness when the body is encrypted under `seed` and `salt`."""
    signature = signer.sign(digest, entropy)
    entry = {"alg": dig, "kid": signer.public.udf, "signature": b64.encode(signature)}
    if seed:
        entry["witness"] = b64.encode(protection.witness(seed, salt, signature))
    return entry


def of(members: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The signatures of a header or trailer; raises EncodingError when they are no list of objects."""
    signatures = members.get("signatures", [])
    if not isinstance(signatures, list) or not all(isinstance(entry, dict) for entry in signatures):
        raise EncodingError("signatures of an envelope are not a list of objects")
    if len(signatures) > MAXIMUM_SIGNATURES:
        raise EncodingError("envelope has more than 64 signatures")
    return signatures


def by_kid(signers: Signers) -> dict[str, PublicKey]:
    """The keys by their identifiers."""
    keys = signers.values() if isinstance(signers, Mapping) else signers
    return {key.udf: key for key in keys}


def verify(key: PublicKey, signature: bytes, digest: bytes) -> None:
    """Raises VerificationError unless `key` signed `digest`, in either form for Ed25519."""
    try:
        key.verify(signature, digest)
    except VerificationError:
        if key.crv != "Ed25519" or not edwards.context_signature_holds(key.octets, signature, digest):
            raise


def verify_all(
    signatures: Sequence[Mapping[str, Any]],
    digest: bytes,
    dig: str,
    keys: Mapping[str, PublicKey],
    suites: Suites,
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
        alg = entry.get("alg", dig)
        if alg != dig or alg not in suites.dig:
            raise VerificationError(f"signature of {kid} names an algorithm that we do not use")
        verify(key, protection.binary(dict(entry), "signature") or b"", digest)
        held.append(kid)
    return tuple(held), tuple(unknown)


def check_witnesses(signatures: Sequence[Mapping[str, Any]], seed: bytes, salt: bytes) -> None:
    """Raises VerificationError when a signature was made by someone who could not read this payload."""
    for entry in signatures:
        members = dict(entry)
        claimed = protection.binary(members, "witness")
        signature = protection.binary(members, "signature") or b""
        if claimed is not None and not hmac.compare_digest(
            claimed, protection.witness(seed, salt, signature)
        ):
            raise VerificationError(f"witness of signature by {entry.get('kid')} is that of another payload")
