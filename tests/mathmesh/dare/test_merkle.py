"""Tree positions and digests, against the recursive formula of the draft."""

import hashlib

import pytest

from mathmesh.dare import merkle

APEXES = [-1, 0, 1, 1, 3, 3, 5, 3, 7, 7, 9, 7, 11, 11, 13, 7, 15]


def digest_of(number: int) -> bytes:
    return hashlib.sha512(number.to_bytes(4, "big")).digest()


def all_tree_digests(count: int) -> list[bytes]:
    """Straight from the formula, with every earlier digest at hand."""
    found: dict[int, bytes] = {-1: bytes(64)}
    for number in range(count):
        current, rank, step = digest_of(number), number + 1, 1
        while rank % 2 == 0:
            current = merkle.combine(found[number - step], current)
            step *= 2
            rank //= 2
        left = step // 2 - 1 if rank == 1 else number - step
        found[number] = merkle.combine(found[left], current)
    return [found[number] for number in range(count)]


def test_apex_of_each_frame() -> None:
    assert [merkle.previous_apex(number) for number in range(len(APEXES))] == APEXES


def test_digests_and_positions_follow_the_formula() -> None:
    expected = all_tree_digests(100)
    state, positions = merkle.TreeState(), merkle.TreeState()
    for number in range(100):
        position = 1000 * number
        if number:
            assert state.next_tree_position() == 1000 * APEXES[number] if number < len(APEXES) else True
            assert state.next_tree_position() == 1000 * merkle.previous_apex(number)
            assert positions.next_tree_position() == 1000 * merkle.previous_apex(number)
        assert state.append(position, digest_of(number)) == expected[number]
        positions.append_position(position)
        assert state.apex == expected[number]


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 8, 13, 31])
def test_a_state_continues_from_its_peaks(cut: int) -> None:
    expected = all_tree_digests(40)
    peaks = [merkle.Peak(rank - 1, 10 * (rank - 1), expected[rank - 1]) for rank in merkle.peak_ranks(cut)]
    state = merkle.TreeState(cut, tuple(peaks))
    twin = state.copy()
    for number in range(cut, 40):
        assert state.append(10 * number, digest_of(number)) == expected[number]
    assert (twin.count, twin.apex) == (cut, expected[cut - 1])


def test_peaks_must_fit_the_count() -> None:
    with pytest.raises(ValueError, match="peaks"):
        merkle.TreeState(3, (merkle.Peak(1, 0, bytes(64)),))


def test_changing_any_payload_changes_every_later_apex() -> None:
    honest = all_tree_digests(9)
    for changed in range(9):
        state = merkle.TreeState()
        digests = [
            state.append(0, digest_of(number + (100 if number == changed else 0))) for number in range(9)
        ]
        assert digests[:changed] == honest[:changed]
        assert all(digests[number] != honest[number] for number in range(changed, 9))
