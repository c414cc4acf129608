import os

import pytest

from mathmesh.codec import udf, uri
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import digest, sin
from mathmesh.keys.pair import generate

POLICY = b'{"Require": "TLS"}'
TYPE = "application/json"


@pytest.mark.parametrize("compatible", [True, False])
@pytest.mark.parametrize("sha3", [True, False])
@pytest.mark.parametrize("bits", [100, 140, 240])
def test_the_policy_that_a_name_commits_to(compatible: bool, sha3: bool, bits: int) -> None:
    name = digest.content_digest(POLICY, TYPE, bits=bits, sha3=sha3)
    address = uri.sin_address("alice", "example.com", name, compatible)
    sin.check_policy(address, POLICY, TYPE)
    sin.check_document(name, POLICY, TYPE)
    for document, content_type in ((POLICY[:-1], TYPE), (POLICY, "text/plain"), (b"", TYPE)):
        with pytest.raises(VerificationError):
            sin.check_policy(address, document, content_type)
        with pytest.raises(VerificationError):
            sin.check_document(name, document, content_type)


def test_every_bit_of_the_name_counts() -> None:
    name = digest.content_digest(POLICY, TYPE)
    code, data = udf.parse(name)
    for bit in range(8 * len(data)):
        other = (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")
        address = uri.sin_address("alice", "example.com", udf.present(bytes([code]) + other), True)
        with pytest.raises(VerificationError):
            sin.check_policy(address, POLICY, TYPE)


def test_the_profile_that_a_name_commits_to() -> None:
    key, other = (generate("Ed448", os.urandom).public for _ in range(2))
    for name in (key.udf, udf.present(key.udf_bytes, 240)):
        address = uri.sin_address("alice", "example.com", name, True)
        sin.check_profile(address, key)
        with pytest.raises(VerificationError):
            sin.check_profile(address, other)


def test_too_few_bits_and_plain_addresses() -> None:
    short = uri.sin_address("alice", "example.com", digest.content_digest(POLICY, TYPE, bits=80), True)
    with pytest.raises(VerificationError):
        sin.check_policy(short, POLICY, TYPE)
    with pytest.raises(EncodingError):
        sin.check_policy("alice@example.com", POLICY, TYPE)
