"""Public and private keys as JSON objects, as key files and the members of objects hold them."""

import random
from collections.abc import Iterable

from mathmesh.codec import jsonbcd
from mathmesh.dare.envelope import open_envelope, seal
from mathmesh.dare.suites import OWN
from mathmesh.errors import MeshError
from mathmesh.keys.hybrid import HybridPrivateKey, HybridPublicKey
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey, PublicKey, generate

ENTROPY = random.Random("keys to be damaged").randbytes
CURVES = ("X25519", "X448", "Ed25519", "Ed448")


def seeds() -> Iterable[bytes]:
    """A pair of each curve, a composite one, and a hybrid one."""
    for crv in CURVES:
        key = generate(crv, ENTROPY)
        yield jsonbcd.dumps(key.to_json())
        yield jsonbcd.dumps(key.public.to_json())
        yield jsonbcd.dumps(PrivateKey.from_scalar(crv, key.scalar).to_json())
    hybrid = HybridPrivateKey.generate(ENTROPY)
    yield jsonbcd.dumps(hybrid.to_json())
    yield jsonbcd.dumps(hybrid.public.to_json())


def one(data: bytes) -> None:
    """A key that is read is written again as the same key, and what is sealed for it opens."""
    try:
        value = jsonbcd.loads(data)
    except MeshError:
        return
    if not isinstance(value, dict):
        return
    for kind in (PublicKey, PrivateKey, HybridPublicKey, HybridPrivateKey):
        try:
            key = kind.from_json(value)
            again = kind.from_json(key.to_json())
            assert again.to_json() == key.to_json()
            _used(key)
        except MeshError:
            pass


def _used(key: object) -> None:
    if isinstance(key, PublicKey | HybridPublicKey):
        seal(b"x", entropy=ENTROPY, recipients=[key], suites=OWN)
    elif isinstance(key, PrivateKey):
        assert PublicKey(key.crv, key.public.octets) == key.public
        sealed = seal(b"x", entropy=ENTROPY, recipients=[key.public])
        assert open_envelope(sealed, keyring=MemoryKeyring([key])).plaintext == b"x"
