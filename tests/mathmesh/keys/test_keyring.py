import os

from mathmesh.keys import symmetric
from mathmesh.keys.keyring import Keyring, MemoryKeyring
from mathmesh.keys.pair import generate


def test_finds_keys_in_any_spelling() -> None:
    key, secret = generate("X448", os.urandom), os.urandom(15)
    ring: Keyring = MemoryKeyring([key], [secret])
    kid, symmetric_kid = key.public.udf, symmetric.key_id(secret)
    assert ring.private(kid) is key
    assert ring.private(kid.lower().replace("-", "")) is key
    assert ring.symmetric(symmetric_kid.lower()) == secret
    assert set(ring.kids()) == {kid, symmetric_kid}


def test_answers_none_for_others() -> None:
    ring = MemoryKeyring([generate("X448", os.urandom)])
    assert ring.private(generate("X448", os.urandom).public.udf) is None
    assert ring.private("not a key identifier") is None
    assert ring.symmetric("") is None
