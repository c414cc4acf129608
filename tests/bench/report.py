"""A figure of a benchmark, beside the limit that was measured in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line. `ratio` is against the limit named in `beside`; `octets` and `syncs` are of one item."""

    name: str
    rate: float
    unit: str
    beside: str = ""
    ratio: float | None = None
    octets: float | None = None
    syncs: float | None = None

    def __str__(self) -> str:
        text = f"{self.name:<58}{self.rate:>13,.1f} {self.unit:<9}"
        if self.octets is not None:
            text += f" {self.octets:6,.0f} octets"
        if self.syncs is not None:
            text += f" {self.syncs:6.3f} syncs"
        if self.ratio is not None:
            text += f"   {self.ratio:.3f} of {self.beside}"
        return text


def absent(name: str) -> str:
    """The line that stands for a comparison that cannot be made here."""
    return f"not compared with {name}: it is not installed"


def rates(actions: Sequence[Callable[[], int]], rounds: int = 5) -> list[float]:
    """Items per second of each action in its best round; all take turns, so that noise hits them alike.

    An action returns how many items it did.
    """
    best = [0.0] * len(actions)
    for _ in range(rounds):
        for number, action in enumerate(actions):
            start = time.perf_counter()
            count = action()
            best[number] = max(best[number], count / (time.perf_counter() - start))
    return best
