"""Pauses double, stay under their limit, differ between devices and start again after success."""

import os

from meshdevice.backoff import Backoff


def test_pauses_double_up_to_the_limit_within_a_fifth() -> None:
    backoff = Backoff(1000, 60000, os.urandom)
    for expected in (1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000):
        assert expected * 0.8 <= backoff.pause() <= expected * 1.2
    backoff.reset()
    assert backoff.pause() <= 1200


def test_the_extremes_of_the_spread() -> None:
    assert Backoff(1000, 1000, lambda n: b"\0" * n).pause() == 800
    assert Backoff(1000, 1000, lambda n: b"\xff" * n).pause() == 1200
