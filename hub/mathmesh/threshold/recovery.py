"""Secrets shared with an identifier, so that a wrong one is noticed when they are recovered (mesh-udf §4.6).

Keys of type E are shared as their octets, seeds of type Z whole, type octet included, as the accounts of the
Mesh are: what was recovered tells by itself which of the two it is. The identifier of a key is the digest
by which locators find its content, that of a profile's seed the UDF of the profile.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, PolicyError, VerificationError
from mathmesh.keys import derive, digest, earl, symmetric
from mathmesh.threshold import shamir
from mathmesh.types import Entropy

_SMALLEST_SEED = 19  # type octet, seed code and 16 octets
_PROFILES = {
    derive.PROFILE_DEVICE: "BaseDeviceProfile",
    derive.PROFILE_ACCOUNT: "CompleteAccountProfile",
    derive.PROFILE_SERVICE: "BaseServiceProfile",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """A recovered secret: `udf` as key (E) or seed (Z). Unless `verified`, it may be a wrong one: the shares
    agreed with each other as far as that shows, and nothing was there to compare it with.
    """

    udf: str = field(repr=False)
    identifier: str
    verified: bool


def share(secret_udf: str, threshold: int, count: int, entropy: Entropy) -> list[str]:
    """`count` shares of a key or seed, any `threshold` of which recover it.

    Raises EncodingError for a UDF of another type, PolicyError for other limits than 2 to 15, and for one
    key in a million whose octets would be taken for a seed.
    """
    return shamir.split(_octets(secret_udf), threshold, count, entropy)


def recover(shares: Sequence[str], *, expected: str | None = None) -> Recovered:
    """The key or seed behind `shares`, compared with the identifier `expected` when that is given.

    `expected` is what `identifier` tells, or the identifier `EB…` of a key, at 100 bits or more.
    Raises VerificationError for shares that do not belong together or whose secret is not the expected one.
    """
    octets = shamir.recover(shares)
    if _is_seed(octets):
        secret = udf.text(udf.SEED, octets[1:])
    elif len(octets) < symmetric.MINIMUM_OCTETS:
        raise VerificationError("shares give neither a key of 120 bits or more nor a seed")
    else:
        secret = udf.text(udf.ENCRYPTION, octets)
    if expected is not None and not is_identifier(secret, expected):
        raise VerificationError(
            "shares do not give the expected secret; one of them is wrong or of another set"
        )
    return Recovered(udf=secret, identifier=identifier(secret), verified=expected is not None)


def identifier(secret_udf: str) -> str:
    """The public name of a key or seed."""
    code, _ = udf.parse(secret_udf)
    if code != udf.SEED:
        return earl.content_id(secret_udf)
    name = _PROFILES.get(derive.seed_type(secret_udf))
    if name is not None:
        return derive.derive_key(secret_udf, name).public.udf
    return digest.content_digest(udf.canonical(secret_udf).encode(), digest.PRIVATE_KEY)


def is_identifier(secret_udf: str, expected: str) -> bool:
    """Whether `expected` names the key or seed, in constant time."""
    code, data = udf.parse(secret_udf)
    text = udf.canonical(secret_udf).encode()
    if code != udf.SEED:
        named = hmac.compare_digest(symmetric.key_id(data), _canonical(expected))
        return named or digest.matches(expected, digest.udf_bytes(text, digest.UDF_ENCRYPTION))
    name = _PROFILES.get(derive.seed_type(secret_udf))
    if name is None:
        return digest.matches(expected, digest.udf_bytes(text, digest.PRIVATE_KEY))
    return digest.matches(expected, derive.derive_key(secret_udf, name).public.udf_bytes)


def _octets(secret_udf: str) -> bytes:
    code, data = udf.parse(secret_udf)
    if code == udf.SEED:
        octets = bytes([code]) + data
        if not _is_seed(octets):
            raise EncodingError("seed is of an unknown kind or shorter than 128 bits")
        return octets
    if code != udf.ENCRYPTION:
        raise EncodingError(
            "what is shared is a key UDF that begins with EA to ED or a seed, which begins with Z"
        )
    octets = symmetric.secret(secret_udf)
    if _is_seed(octets):
        raise PolicyError("this key would be recovered as a seed; draw another one")
    return octets


def _is_seed(octets: bytes) -> bool:
    return (
        len(octets) >= _SMALLEST_SEED
        and octets[0] == udf.SEED
        and int.from_bytes(octets[1:3], "big") in derive.KEY_TYPES
    )


def _canonical(text: str) -> str:
    try:
        return udf.canonical(text)
    except EncodingError:
        return ""
