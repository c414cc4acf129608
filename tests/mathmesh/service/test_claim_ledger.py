"""The ledger of claims, in whatever order the spools are read."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from mathmesh.codec import udf
from mathmesh.keys import ids
from mathmesh.service.claims import Claim, ClaimLedger

START = datetime(2031, 5, 1, tzinfo=UTC)
MAKER, ALICE, BOB = "maker@x.y", "alice@x.y", "bob@x.y"


def claim(number: int, account: str, seconds: float, publication: str = "P") -> Claim:
    return Claim(
        publication_id=publication,
        message_id=udf.text(udf.NONCE, bytes([number]) * 16),
        account=account,
        publisher=MAKER,
        received=START + timedelta(seconds=seconds),
    )


def answer(made: Claim) -> str:
    return ids.envelope_id(ids.response_id(made.message_id))


def holder(ledger: ClaimLedger, seconds: float, publication: str = "P") -> tuple[str, bool] | None:
    found = ledger.holder(MAKER, publication, START + timedelta(seconds=seconds))
    return (found.claim.account, found.permanent) if found else None


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, (ALICE, False)), (119.9, (ALICE, False)), (120, None), (-119.9, (ALICE, False)), (-120, None)],
)
def test_a_provisional_lock(seconds: float, expected: tuple[str, bool] | None) -> None:
    ledger = ClaimLedger()
    ledger.add(claim(1, ALICE, 0))
    assert holder(ledger, seconds) == expected
    assert holder(ledger, seconds, "Q") is None


def test_confirmations_count_only_for_the_claimant() -> None:
    ledger, made = ClaimLedger(), claim(1, ALICE, 0)
    ledger.add(made)
    ledger.confirm(BOB, answer(made))
    ledger.confirm(MAKER, answer(made))
    assert holder(ledger, 500) is None
    ledger.confirm(ALICE, answer(made))
    assert holder(ledger, 500) == (ALICE, True)


def test_releases_count_only_for_claimant_and_publisher() -> None:
    ledger, made = ClaimLedger(), claim(1, ALICE, 0)
    ledger.add(made)
    ledger.release(BOB, made.message_id)
    assert holder(ledger, 1) == (ALICE, False)
    ledger.release(MAKER, made.message_id)
    assert holder(ledger, 1) is None


def test_the_order_between_spools_does_not_matter() -> None:
    first, second, third = claim(1, ALICE, 0), claim(2, ALICE, 10), claim(3, BOB, 400)
    steps = [
        lambda ledger: [ledger.add(one) for one in (first, second, third)],
        lambda ledger: ledger.confirm(ALICE, answer(first)),
        lambda ledger: ledger.release(ALICE, second.message_id),
        lambda ledger: ledger.confirm(BOB, answer(third)),
    ]
    for order in itertools.permutations(steps):
        ledger = ClaimLedger()
        for step in order:
            step(ledger)
        assert holder(ledger, 9999) == (BOB, True)


def test_a_new_claim_of_the_holder_keeps_the_lock_and_is_the_one_told() -> None:
    ledger, first, second = ClaimLedger(), claim(1, ALICE, 0), claim(2, ALICE, 1000)
    ledger.add(first)
    ledger.confirm(ALICE, answer(first))
    ledger.add(second)
    found = ledger.holder(MAKER, "P", START + timedelta(seconds=9000))
    assert found is not None
    assert (found.claim, found.permanent) == (second, True)


def test_a_release_covers_the_earlier_claims_and_no_later_one() -> None:
    ledger = ClaimLedger()
    made = [claim(number, ALICE, number) for number in range(1, 4)]
    for one in made:
        ledger.add(one)
        ledger.confirm(ALICE, answer(one))
    ledger.release(ALICE, made[1].message_id)
    assert holder(ledger, 9999) == (ALICE, True)
    ledger.release(ALICE, made[2].message_id)
    assert holder(ledger, 9999) is None


def test_look_ups() -> None:
    ledger, made = ClaimLedger(), claim(1, ALICE, 0)
    assert not ledger.knows_message(made.message_id)
    ledger.add(made)
    assert ledger.knows_message(made.message_id)
    assert ledger.answered_by(answer(made)) == made
    assert ledger.answered_by("MAAA") is None
    assert ledger.closed_by(made.message_id) == made
    assert ledger.closed_by("NAAA") is None
