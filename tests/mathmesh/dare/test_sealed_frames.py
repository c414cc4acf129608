"""The quick way of making sealed frames gives the octets of the general one."""

import random

import pytest

from mathmesh.codec import jsonbcd
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.policy import ONCE, SESSION, Policy, policy_for
from mathmesh.dare.sequence import CONTAINER_TYPES
from mathmesh.dare.sequence_writer import Text, new_sequence
from mathmesh.dare.suites import A256CBC, S512
from mathmesh.errors import EncodingError, PolicyError
from mathmesh.keys.pair import generate

KEY = generate("X448", random.Random("sealed frames").randbytes)
ITEMS = [
    (b"reading", None),
    (bytes(200), ContentMeta(unique_id="é", event="New")),
    (b"", ContentMeta()),
    *((bytes(length), None) for length in (15, 16, 300, 1500, 2100, 70_000)),
    (b"x", ContentMeta(unique_id="y" * 3000)),
]


def frames(kind: str, policy: Policy, text: Text | None) -> list[bytes]:
    writer, staged = new_sequence(kind, policy, entropy=random.Random("same").randbytes, text=text)
    writer.commit(staged)
    found = [staged.octets]
    for number in range(0, 60):
        batch = ITEMS[number % 10 : number % 10 + number % 4]
        staged = writer.stage(batch)
        assert len(staged.positions) == len(batch)
        if number % 7:
            writer.commit(staged)
            found.append(staged.octets)
    return found


@pytest.mark.parametrize("kind", CONTAINER_TYPES)
@pytest.mark.parametrize("encryption", [ONCE, SESSION])
def test_same_octets(kind: str, encryption: str) -> None:
    policy = policy_for((KEY.public,), encryption)
    assert frames(kind, policy, None) == frames(kind, policy, jsonbcd.dumps)
    plain = Policy(encryption=encryption, encrypt_keys=(KEY.public,), enc=A256CBC, dig=S512)
    assert frames(kind, plain, None) == frames(kind, plain, jsonbcd.dumps)


def test_long_descriptions_are_refused() -> None:
    writer, staged = new_sequence(
        "Merkle", policy_for((KEY.public,), SESSION), entropy=random.Random("same").randbytes
    )
    writer.commit(staged)
    with pytest.raises(EncodingError, match="64 KiB"):
        writer.stage([(b"", ContentMeta(unique_id="y" * 60_000))])


def test_randomness_that_repeats_itself_is_refused() -> None:
    source = [random.Random("same").randbytes, lambda count: (b"\1\2\3\4" * count)[:count]]
    writer, staged = new_sequence(
        "Merkle", policy_for((KEY.public,), SESSION), entropy=lambda count: source[0](count)
    )
    writer.commit(staged)
    del source[0]
    with pytest.raises(PolicyError, match="repeats itself"):
        writer.stage([(b"x", None)] * 200)
