"""Keys derived from seeds of type Z by name (draft-hallambaker-mesh-udf §6, names of mesh-schema §3).

A key name is type, actor, operation and resource without separators: `CompleteAccountEncryptMMM_Contact`.
"""

import re

from mathmesh.codec import udf
from mathmesh.errors import EncodingError
from mathmesh.keys import algorithms, hkdf
from mathmesh.keys.pair import PrivateKey
from mathmesh.types import Entropy

ANY = 0
X25519, X448, ED25519, ED448 = 1, 2, 3, 4
PROFILE_DEVICE = 256
ACTIVATION_DEVICE = 257
PROFILE_ACCOUNT = 258
ACTIVATION_ACCOUNT = 259
PROFILE_SERVICE = 260
ACTIVATION_SERVICE = 261

KEY_TYPES = {
    ANY: "Any",
    X25519: "X25519",
    X448: "X448",
    ED25519: "Ed25519",
    ED448: "Ed448",
    5: "P256",
    6: "P384",
    7: "P521",
    8: "RSA2048",
    9: "RSA3072",
    10: "RSA4096",
    PROFILE_DEVICE: "MeshProfileDevice",
    ACTIVATION_DEVICE: "MeshActivationDevice",
    PROFILE_ACCOUNT: "MeshProfileAccount",
    ACTIVATION_ACCOUNT: "MeshActivationAccount",
    PROFILE_SERVICE: "MeshProfileService",
    ACTIVATION_SERVICE: "MeshActivationService",
}
"""Names of the seed codes, as in the `KeyType` member of PrivateKeyUDF."""

SEED_OCTETS = 32
SIGNING_OPERATIONS = ("Profile", "AdminSign", "Sign")
AGREEMENT_OPERATIONS = ("AdminEncrypt", "Encrypt", "Authenticate", "Escrow")

_NAME = re.compile(
    "(?:Complete|Base|Activation)(?:Account|Member|Device|Service|Host)"
    f"({'|'.join(SIGNING_OPERATIONS + AGREEMENT_OPERATIONS)})"
)
_NAMED_TYPES = (ANY, *range(PROFILE_DEVICE, ACTIVATION_SERVICE + 1))


def new_seed(alg: int, entropy: Entropy, octets: int = SEED_OCTETS) -> str:
    """Fresh seed UDF for keys of the seed code `alg`."""
    if alg not in KEY_TYPES:
        raise EncodingError(f"no such seed code: {alg}")
    return udf.text(udf.SEED, alg.to_bytes(2, "big") + entropy(octets))


def seed_type(seed_udf: str) -> int:
    """Seed code of a seed UDF."""
    return int.from_bytes(_seed(seed_udf)[:2], "big")


def derive_key(seed_udf: str, key_name: str, crv: str | None = None) -> PrivateKey:
    """The private key of that name.

    The curve is the seed's own if its code names one, else `crv` (an Algorithm member of PrivateKeyUDF),
    else Ed448 for operations that sign and X448 for the others. Never derive two curves under one name:
    the shorter seed is the beginning of the longer one. Raises EncodingError for anything that is no seed.
    """
    return PrivateKey.from_seed(*key_seed(seed_udf, key_name, crv))


def key_seed(seed_udf: str, key_name: str, crv: str | None = None) -> tuple[str, bytes]:
    """Curve and seed octets of the key that `derive_key` makes."""
    seed = _seed(seed_udf)
    name = _curve_name(int.from_bytes(seed[:2], "big"), key_name, crv)
    return name, hkdf.hkdf(seed, info(seed_udf, key_name), algorithms.curve(name).private_size)


def info(seed_udf: str, key_name: str) -> bytes:
    """HKDF info: the seed's code, whatever key is derived, and the name."""
    return _seed(seed_udf)[:2] + key_name.encode()


def seed_octets(seed_udf: str) -> bytes:
    """HKDF input: seed code and random octets, without the type octet."""
    return _seed(seed_udf)


def _seed(seed_udf: str) -> bytes:
    code, data = udf.parse(seed_udf)
    if code != udf.SEED or len(data) < 3:
        raise EncodingError("keys are derived from a seed UDF, which begins with Z")
    return data


def _curve_name(alg: int, key_name: str, crv: str | None) -> str:
    if alg in algorithms.BY_SEED_CODE:
        own = algorithms.BY_SEED_CODE[alg].name
        if crv is not None and crv != own:
            raise EncodingError(f"seed is for {own} keys only")
        return own
    if alg not in _NAMED_TYPES:
        raise EncodingError(f"keys of seed code {alg} are not supported")
    if crv is not None:
        return crv
    match = _NAME.match(key_name)
    if match is None:
        raise EncodingError("key name tells no curve; give one")
    return "Ed448" if match.group(1) in SIGNING_OPERATIONS else "X448"
