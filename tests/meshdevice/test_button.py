"""The gestures of a switch, looked at every 20 ms."""

import pytest

from meshdevice.button import Gestures


def _play(presses: list[tuple[int, int]], until: int) -> list[str]:
    """Gestures when the switch is down in each [from, to) ms."""
    gestures = Gestures()
    seen = []
    for now in range(100, until, 20):
        gesture = gestures.step(any(start <= now < end for start, end in presses), now)
        if gesture:
            seen.append(gesture)
    return seen


@pytest.mark.parametrize(
    ("presses", "expected"),
    [
        ([(200, 300)], ["single"]),
        ([(200, 300), (450, 550)], ["double"]),
        ([(200, 300), (1200, 1300)], ["single", "single"]),
        ([(200, 1400)], ["long"]),
        ([(200, 10300)], ["hold10"]),
        ([(200, 9900)], ["long"]),
        ([(200, 12000)], ["hold10"]),
        ([(200, 210), (230, 400)], ["single"]),
        ([(200, 12000), (13000, 13100)], ["hold10", "single"]),
        ([], []),
    ],
)
def test_gestures(presses: list[tuple[int, int]], expected: list[str]) -> None:
    assert _play(presses, 15000) == expected
