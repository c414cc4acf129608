import itertools
import os

import pytest

from mathmesh.codec import udf
from mathmesh.dare.envelope import Envelope
from mathmesh.dare.recovery_record import make_record, open_record
from mathmesh.errors import EncodingError, PolicyError, VerificationError
from mathmesh.keys import derive, earl
from mathmesh.threshold import recovery

CONTENT = b"ZAAQ-... and everything else that must not be lost"


def test_any_quorum_opens_the_record() -> None:
    made = make_record(CONTENT, 3, 5, entropy=os.urandom)
    stored = Envelope.from_bytes(made.envelope.to_json())
    for chosen in itertools.combinations(made.shares, 3):
        assert open_record(stored, chosen, identifier=made.identifier).content == CONTENT
        assert open_record(stored, chosen).content == CONTENT
    assert made.identifier == stored.envelope_id == earl.content_id(recovery.recover(made.shares).udf)
    for secret in (made.secret, *made.shares):
        assert secret not in repr(made)


def test_too_few_mixed_or_damaged_shares_open_nothing() -> None:
    made, other = (make_record(CONTENT, 2, 3, entropy=os.urandom) for _ in range(2))
    damaged = made.shares[1][:-7] + ("A" if made.shares[1][-7] != "A" else "B") + made.shares[1][-6:]
    for shares in (
        (made.shares[0],),
        (made.shares[0], other.shares[1]),
        (made.shares[0], damaged),
        other.shares,
    ):
        for identifier in (made.identifier, None):
            with pytest.raises(VerificationError):
                open_record(made.envelope, shares, identifier=identifier)


def test_a_given_secret() -> None:
    key = udf.text(udf.ENCRYPTION, bytes(range(16)))
    first, second = (make_record(CONTENT, 2, 2, entropy=os.urandom, secret=key) for _ in range(2))
    assert first.shares != second.shares
    assert open_record(first.envelope, second.shares).content == CONTENT
    with pytest.raises(EncodingError):
        make_record(CONTENT, 2, 2, entropy=os.urandom, secret=derive.new_seed(258, os.urandom))
    with pytest.raises(PolicyError):
        make_record(CONTENT, 1, 2, entropy=os.urandom)
