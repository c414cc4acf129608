"""The key pair of a symmetric key, so that what takes recipients takes it too: an addition of ours.

A sequence names its recipients in its policy, as public keys, and is appended to by people who need not be
able to read it. Who has the symmetric key has the pair.
"""

from mathmesh.keys import hkdf
from mathmesh.keys.pair import PrivateKey

CURVE = "X448"
_INFO = b"mesh-hub agreement key"
_OCTETS = 56


def agreement_key(secret: bytes) -> PrivateKey:
    """The X448 key pair of the octets of a key UDF after its type octet."""
    return PrivateKey.from_seed(CURVE, hkdf.hkdf(secret, _INFO, _OCTETS))
