import itertools
import os

import pytest

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, PolicyError, VerificationError
from mathmesh.keys import derive, symmetric
from mathmesh.threshold import recovery, shamir

# draft-hallambaker-mesh-udf-13, "Shamir secret sharing", whose key the draft prints without its type.
PUBLISHED = [
    "SAQM-JPZ2-TI3G-ZC4N-HNMZ-HREO-EVNC-A",
    "SAQR-GLZU-B3CL-STMW-EWSO-AVHK-AE4T-W",
]
KEY = udf.text(udf.ENCRYPTION, bytes.fromhex("764f4125a81fc984510e473432497ad2"))

SECRETS = [
    KEY,
    udf.text(udf.ENCRYPTION, bytes(15)),
    udf.text(udf.ENCRYPTION, bytes(range(32))),
    udf.text(udf.ENCRYPTION, b"\xc8\x01\x02" + bytes(13)),
    *(
        derive.new_seed(code, os.urandom, octets)
        for code, octets in ((258, 32), (256, 16), (260, 32), (259, 32), (3, 32), (0, 61))
    ),
]


def test_published_shares_give_the_key_with_its_type() -> None:
    found = recovery.recover(PUBLISHED)
    assert (found.udf, found.verified) == (KEY, False)
    assert recovery.recover(PUBLISHED, expected=found.identifier).verified
    assert "764f" not in repr(found)
    assert KEY not in repr(found)


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_keys_and_seeds_come_back_as_what_they_were(secret: str) -> None:
    name = recovery.identifier(secret)
    shares = recovery.share(secret, 2, 4, os.urandom)
    for chosen in itertools.combinations(shares, 2):
        assert recovery.recover(chosen, expected=name) == recovery.Recovered(
            udf=secret, identifier=name, verified=True
        )


def test_the_identifier_of_an_account_seed_is_its_profile() -> None:
    seed = derive.new_seed(derive.PROFILE_ACCOUNT, os.urandom)
    assert recovery.identifier(seed) == derive.derive_key(seed, "CompleteAccountProfile").public.udf


def test_the_identifiers_of_a_key() -> None:
    data = udf.parse(KEY)[1]
    for expected in (symmetric.key_id(data), recovery.identifier(KEY), recovery.identifier(KEY)[:24].lower()):
        assert recovery.is_identifier(KEY, expected)
    for expected in (recovery.identifier(KEY)[:19], symmetric.key_id(data[:-1]), "", "no udf", KEY):
        assert not recovery.is_identifier(KEY, expected)


@pytest.mark.parametrize("secret", [SECRETS[0], SECRETS[4]], ids=["first", "last"])
def test_every_bit_of_every_share_counts(secret: str) -> None:
    """Exactly as many shares as needed, one bit of one of them wrong: refused against the identifier."""
    name = recovery.identifier(secret)
    shares = recovery.share(secret, 2, 3, os.urandom)
    code, data = udf.parse(shares[1])
    for bit in range(0, 8 * len(data), 3):
        damaged = udf.text(code, (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big"))
        with pytest.raises((VerificationError, EncodingError)):
            recovery.recover([shares[0], damaged], expected=name)


def test_shares_of_two_sets_give_no_secret() -> None:
    first, second = (recovery.share(KEY, 2, 3, os.urandom) for _ in range(2))
    with pytest.raises(VerificationError, match="not give the expected"):
        recovery.recover([first[0], second[1]], expected=recovery.identifier(KEY))


@pytest.mark.parametrize(
    "secret",
    [
        udf.text(udf.NONCE, bytes(16)),
        udf.text(udf.ENCRYPTION_SIGNATURE, bytes(16)),
        udf.text(udf.SEED, b"\x7f\x00" + bytes(32)),
        udf.text(udf.SEED, b"\x01\x02" + bytes(8)),
        symmetric.key_id(bytes(16)),
    ],
)
def test_what_is_neither_key_nor_seed_is_not_shared(secret: str) -> None:
    with pytest.raises(EncodingError):
        recovery.share(secret, 2, 3, os.urandom)


def test_a_key_that_looks_like_a_seed_is_refused() -> None:
    with pytest.raises(PolicyError):
        recovery.share(udf.text(udf.ENCRYPTION, b"\xc8\x01\x02" + bytes(32)), 2, 3, os.urandom)


def test_shares_of_something_shorter_than_a_key() -> None:
    with pytest.raises(VerificationError):
        recovery.recover(shamir.split(bytes(14), 2, 2, os.urandom))


def test_a_key_of_others_that_looks_like_an_identifier_is_recovered() -> None:
    octets = b"\x60" + bytes(range(15))
    found = recovery.recover(shamir.split(octets, 2, 2, os.urandom))
    assert found.udf == udf.text(udf.ENCRYPTION, octets)
    assert recovery.recover(shamir.split(octets, 2, 2, os.urandom), expected=found.identifier).verified
