from hypothesis import given, settings
from hypothesis import strategies as st

from meshhub.spans import Spans

PARTS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 8)), max_size=12)


@settings(max_examples=100, deadline=None)
@given(PARTS, st.integers(1, 50), st.integers(0, 20))
def test_spans_are_a_set_of_numbers(parts: list[tuple[int, int]], first: int, more: int) -> None:
    spans, numbers = Spans(), set()
    for low, length in parts:
        spans.add(low, low + length)
        numbers |= set(range(low, low + length + 1))
    assert {number for low, high in spans for number in range(low, high + 1)} == numbers
    assert all(
        later[0] > earlier[1] + 1 for earlier, later in zip(list(spans), list(spans)[1:], strict=False)
    )
    expected = 0
    while expected + 1 in numbers:
        expected += 1
    assert spans.contiguous == expected
    absent = {number for low, high in spans.missing(first, first + more) for number in range(low, high + 1)}
    assert absent == set(range(first, first + more + 1)) - numbers
    assert (first in spans) == (first in numbers)


def test_a_huge_span_costs_nothing() -> None:
    spans = Spans()
    spans.add(1, 1 << 52)
    spans.add(5, 4)
    assert list(spans) == [(1, 1 << 52)]
    assert spans.missing(1, 1 << 53) == [((1 << 52) + 1, 1 << 53)]
