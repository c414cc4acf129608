"""Key exchange: wrapping the base seed for recipients and opening it (draft-hallambaker-mesh-dare §4.3.1).

KEK = HKDF-SHA-512 of the agreement result with empty info, then AES key wrap of RFC 3394. The draft's text
says SHA-256, info "dare-master" and padding; reference data agree with what is done here. Documentation
examples use info "master", which is read and never written.

By algorithm of the recipient's key, the agreement result is:
 * X25519, X448: the u coordinate, 32 or 56 octets.
 * Ed25519, Ed448: the encoding of the point, 32 or 57 octets, as the reference makes it.
 * MLKEM768-X448, an extension of ours: see `keys.hybrid`; the member `kem` carries the ciphertext of ML-KEM.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from mathmesh.codec import b64
from mathmesh.dare.protection import SEED_OCTETS, binary
from mathmesh.dare.suites import INTEROPERABLE, Suites
from mathmesh.errors import (
    EncodingError,
    KeyUnavailableError,
    LocalProtocolError,
    MeshError,
    PolicyError,
    VerificationError,
)
from mathmesh.keys import algorithms, edwards, hkdf, openssl, symmetric
from mathmesh.keys.hybrid import HybridPrivateKey, HybridPublicKey
from mathmesh.keys.keyring import Keyring, MemoryKeyring
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from mathmesh.types import Entropy

MAXIMUM_RECIPIENTS = 64
_KEK_OCTETS = 32
_READ_INFOS = (b"", b"master")

Recipient = PublicKey | HybridPublicKey


@runtime_checkable
class HybridHolder(Protocol):
    """What a keyring has in addition when it holds keys of MLKEM768-X448."""

    def hybrid(self, kid: str) -> HybridPrivateKey | None:
        """Private key whose public key has this identifier."""


class HybridKeyring(MemoryKeyring):
    """A keyring in memory that also holds keys of MLKEM768-X448."""

    def __init__(self, hybrids: Sequence[HybridPrivateKey], keys: Sequence[PrivateKey] = ()) -> None:
        super().__init__(keys)
        self._hybrids = {key.public.udf: key for key in hybrids}

    def hybrid(self, kid: str) -> HybridPrivateKey | None:
        """Private key whose public key has this identifier."""
        return self._hybrids.get(kid)


def agree(private: PrivateKey, peer: PublicKey) -> bytes:
    """Agreement result of two keys of one curve, signature curves included.

    Raises LocalProtocolError for keys of two curves, VerificationError for a peer that is not of prime order.
    """
    if private.crv != peer.crv:
        raise LocalProtocolError(f"a {private.crv} key cannot agree with a {peer.crv} key")
    if not algorithms.curve(peer.crv).signs:
        return private.agree(peer)
    return edwards.multiply(peer.crv, private.scalar, peer.octets)


def key_encryption_key(agreement: bytes, info: bytes = b"") -> bytes:
    """32 octets from an agreement result or symmetric secret; raises VerificationError for all zero."""
    if not any(agreement):
        raise VerificationError("key agreement gave zero: the public key is not one to use")
    return hkdf.hkdf(agreement, info, _KEK_OCTETS)


def recipient_entry(recipient: PublicKey, base_seed: bytes, ephemeral: PrivateKey) -> dict[str, Any]:
    """The Recipient that lets the holder of `recipient` find `base_seed`; `ephemeral` is used once."""
    kek = key_encryption_key(agree(ephemeral, recipient))
    return {
        "kid": recipient.udf,
        "epk": ephemeral.public.to_json(),
        "wmk": b64.encode(openssl.wrap_key(kek, base_seed)),
    }


def hybrid_entry(recipient: HybridPublicKey, base_seed: bytes, entropy: Entropy) -> dict[str, Any]:
    """The Recipient for the holder of an MLKEM768-X448 key."""
    secret, ciphertext, ephemeral = recipient.encapsulate(entropy)
    return {
        "kid": recipient.udf,
        "epk": ephemeral.to_json(),
        "kem": b64.encode(ciphertext),
        "wmk": b64.encode(openssl.wrap_key(key_encryption_key(secret), base_seed)),
    }


def symmetric_entry(secret: bytes, base_seed: bytes) -> dict[str, Any]:
    """The Recipient for holders of `secret`, the octets of a key UDF after its type octet."""
    wrapped = openssl.wrap_key(key_encryption_key(secret), base_seed)
    return {"kid": symmetric.key_id(secret), "wmk": b64.encode(wrapped)}


def make_recipients(
    base_seed: bytes,
    *,
    entropy: Entropy,
    recipients: Sequence[Recipient] = (),
    symmetric_keys: Sequence[bytes] = (),
    suites: Suites = INTEROPERABLE,
) -> list[dict[str, Any]]:
    """Recipient entries for all keys, each public key with an ephemeral key of its own.

    Raises PolicyError for none, for more than 64 and for a key of an algorithm that is not allowed.
    """
    if not 0 < len(recipients) + len(symmetric_keys) <= MAXIMUM_RECIPIENTS:
        raise PolicyError("an exchange has 1 to 64 recipients")
    entries: list[dict[str, Any]] = []
    for key in recipients:
        suites.check_exchange(key.crv)
        if isinstance(key, HybridPublicKey):
            entries.append(hybrid_entry(key, base_seed, entropy))
        else:
            entries.append(recipient_entry(key, base_seed, generate(key.crv, entropy)))
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
        ciphertext = binary(entry, "kem")
        if ciphertext is not None:
            yield from _decapsulated(kid, wrapped, ciphertext, ephemeral, keyring)
            continue
        private = keyring.private(kid)
        if private is not None and private.crv == ephemeral.crv:
            yield from _agreed(wrapped, private, ephemeral)
        else:
            others.append((wrapped, ephemeral))
    for wrapped, ephemeral in others:
        for held in keyring.kids():
            private = keyring.private(held)
            if private is not None and private.crv == ephemeral.crv:
                yield from _agreed(wrapped, private, ephemeral)


def _agreed(wrapped: bytes, private: PrivateKey, ephemeral: PublicKey) -> Iterator[tuple[bytes, bytes]]:
    """An entry with a key that is not to be used does not keep the others from opening."""
    try:
        yield wrapped, agree(private, ephemeral)
    except VerificationError:
        return


def _decapsulated(
    kid: str, wrapped: bytes, ciphertext: bytes, ephemeral: PublicKey, keyring: Keyring
) -> Iterator[tuple[bytes, bytes]]:
    private = keyring.hybrid(kid) if isinstance(keyring, HybridHolder) else None
    if private is None or ephemeral.crv != "X448":
        return
    try:
        yield wrapped, private.decapsulate(ciphertext, ephemeral)
    except VerificationError:
        return


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
