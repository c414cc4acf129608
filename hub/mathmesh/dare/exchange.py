"""Key exchange: wrapping the base seed for recipients and opening it (draft-hallambaker-mesh-dare §4.3.1).

KEK = HKDF-SHA-512 of the agreement result with empty info, then AES key wrap of RFC 3394. The draft's text
says SHA-256, info "dare-master" and padding; reference data agree with what is done here. Documentation
examples use info "master", which is read and never written.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from mathmesh.codec import b64
from mathmesh.dare.protection import SEED_OCTETS, binary
from mathmesh.errors import EncodingError, KeyUnavailableError, MeshError, PolicyError, VerificationError
from mathmesh.keys import hkdf, openssl, symmetric
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from mathmesh.types import Entropy

MAXIMUM_RECIPIENTS = 64
_KEK_OCTETS = 32
_READ_INFOS = (b"", b"master")


def key_encryption_key(agreement: bytes, info: bytes = b"") -> bytes:
    """32 octets from an agreement result or symmetric secret; raises VerificationError for all zero."""
    if not any(agreement):
        raise VerificationError("key agreement gave zero: the public key is not one to use")
    return hkdf.hkdf(agreement, info, _KEK_OCTETS)


def recipient_entry(recipient: PublicKey, base_seed: bytes, ephemeral: PrivateKey) -> dict[str, Any]:
    """The Recipient that lets the holder of `recipient` find `base_seed`; `ephemeral` is used once."""
    kek = key_encryption_key(ephemeral.agree(recipient))
    return {
        "kid": recipient.udf,
        "epk": ephemeral.public.to_json(),
        "wmk": b64.encode(openssl.wrap_key(kek, base_seed)),
    }


def symmetric_entry(secret: bytes, base_seed: bytes) -> dict[str, Any]:
    """The Recipient for holders of `secret`, the octets of a key UDF after its type octet."""
    wrapped = openssl.wrap_key(key_encryption_key(secret), base_seed)
    return {"kid": symmetric.key_id(secret), "wmk": b64.encode(wrapped)}


def make_recipients(
    base_seed: bytes,
    *,
    entropy: Entropy,
    recipients: Sequence[PublicKey] = (),
    symmetric_keys: Sequence[bytes] = (),
) -> list[dict[str, Any]]:
    """Recipient entries for all keys, each public key with an ephemeral key of its own."""
    if not 0 < len(recipients) + len(symmetric_keys) <= MAXIMUM_RECIPIENTS:
        raise PolicyError("an exchange has 1 to 64 recipients")
    entries = [recipient_entry(key, base_seed, generate(key.crv, entropy)) for key in recipients]
    return entries + [symmetric_entry(secret, base_seed) for secret in symmetric_keys]


def open_recipients(recipients: object, keyring: Keyring | None) -> bytes:
    """The base seed that `recipients` wrap for a key of `keyring`.

    Keys are found by kid, then by trying every key of the same curve. Raises KeyUnavailableError naming the
    identifiers wanted when none opens, EncodingError for malformed entries.
    """
    entries = _entries(recipients)
    for wrapped, agreement in _agreements(entries, keyring):
        seed = _unwrap(wrapped, agreement)
        if seed is not None:
            return seed
    wanted = ", ".join(str(entry.get("kid", "unnamed")) for entry in entries)
    raise KeyUnavailableError(f"no key at hand opens this; it is encrypted for {wanted}")


def _entries(recipients: object) -> list[dict[str, Any]]:
    if not isinstance(recipients, list) or not all(isinstance(entry, dict) for entry in recipients):
        raise EncodingError("an encrypted body needs a list of recipients")
    if len(recipients) > MAXIMUM_RECIPIENTS:
        raise PolicyError("envelope has more than 64 recipients")
    return recipients


def _agreements(entries: list[dict[str, Any]], keyring: Keyring | None) -> Iterator[tuple[bytes, bytes]]:
    """Pairs of wrapped seed and agreement result, the likeliest first."""
    if keyring is None:
        return
    others: list[tuple[bytes, PublicKey]] = []
    for entry in entries:
        kid, wrapped = str(entry.get("kid", "")), binary(entry, "wmk") or b""
        secret = keyring.symmetric(kid)
        if secret is not None:
            yield wrapped, secret
        ephemeral = _ephemeral(entry)
        if ephemeral is None:
            continue
        private = keyring.private(kid)
        if private is not None and private.crv == ephemeral.crv:
            yield wrapped, private.agree(ephemeral)
        else:
            others.append((wrapped, ephemeral))
    for wrapped, ephemeral in others:
        for held in keyring.kids():
            private = keyring.private(held)
            if private is not None and private.crv == ephemeral.crv:
                yield wrapped, private.agree(ephemeral)


def _ephemeral(entry: dict[str, Any]) -> PublicKey | None:
    """The ephemeral key of an entry, None when it has none or it is of a kind that we do not know."""
    try:
        return PublicKey.from_json(entry["epk"]) if entry.get("epk") else None
    except EncodingError:
        return None


def _unwrap(wrapped: bytes, agreement: bytes) -> bytes | None:
    for info in _READ_INFOS:
        try:
            seed = openssl.unwrap_key(key_encryption_key(agreement, info), wrapped)
        except MeshError:
            continue
        if len(seed) == SEED_OCTETS:
            return seed
    return None
