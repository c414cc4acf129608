"""Which entry numbers of one boot are kept: disjoint closed intervals, in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator


class Spans:
    """Numbers from 1 upwards."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and not self.missing(number, number)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._spans)

    @property
    def contiguous(self) -> int:
        """The highest number up to which, from 1, none is missing; 0 when 1 is."""
        return self._spans[0][1] if self._spans and self._spans[0][0] <= 1 else 0

    def add(self, first: int, last: int) -> None:
        """Take in first..last; nothing when last is below first."""
        if last < first:
            return
        start = bisect_left(self._spans, first - 1, key=lambda span: span[1])
        end = start
        while end < len(self._spans) and self._spans[end][0] <= last + 1:
            first = min(first, self._spans[end][0])
            last = max(last, self._spans[end][1])
            end += 1
        self._spans[start:end] = [(first, last)]

    def missing(self, first: int, last: int) -> list[tuple[int, int]]:
        """The parts of first..last that are not kept."""
        gaps = []
        for low, high in self._spans:
            if high < first:
                continue
            if low > last:
                break
            if low > first:
                gaps.append((first, low - 1))
            first = high + 1
        if first <= last:
            gaps.append((first, last))
        return gaps
