from pathlib import Path

import pytest

from meshhub.telemetry_batch import Batch, Gap, Reading
from meshhub.telemetry_index import TelemetryIndex

STORE = "MMM_Telemetry_MAAAAAAA"


def batch(*numbers: int, time: int = 0, boot: int = 1) -> Batch:
    return Batch(
        readings=tuple(
            Reading(
                time=time + s,
                node="canary-node",
                property="canary-prop",
                value="canary-value",
                boot=boot,
                s=s,
            )
            for s in numbers
        )
    )


def test_frames_by_time_and_numbers(tmp_path: Path) -> None:
    index = TelemetryIndex(tmp_path / "index.sqlite")
    assert index.frames(STORE) == 1
    index.add_many(STORE, [(1, batch(1, 2, 3)), (2, batch(5, 6, time=100))])
    index.add_many(STORE, [(3, Batch(gaps=(Gap(time=300, boot=1, first=4, last=4),)))])
    assert index.frames(STORE) == 4
    assert index.frames("MMM_Telemetry_OTHER") == 1
    assert sorted(index.spans(STORE)) == [(1, 1, 3), (1, 4, 4), (1, 5, 6)]
    assert index.between(STORE, 0, 3) == [1]
    assert index.between(STORE, 3, 105) == [1, 2]
    assert index.between(STORE, 106, 1 << 60) == [2, 3]
    assert index.between(STORE, 107, 299) == []
    index.cut(STORE, 2)
    assert index.frames(STORE) == 2
    assert index.spans(STORE) == [(1, 1, 3)]
    index.close()


def test_it_survives_a_restart_and_holds_no_names_or_values(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    index = TelemetryIndex(path)
    index.add_many(STORE, [(1, batch(1, 2))])
    content = b"".join(item.read_bytes() for item in tmp_path.iterdir())
    assert b"canary" not in content
    index.close()
    again = TelemetryIndex(path)
    assert again.spans(STORE) == [(1, 1, 2)]
    again.close()


@pytest.mark.parametrize("damage", [b"", b"\0" * 4096, b"garbage" * 1000, None])
def test_a_damaged_index_is_moved_aside(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "index.sqlite"
    index = TelemetryIndex(path)
    index.add_many(STORE, [(number, batch(number)) for number in range(1, 400)])
    index.close()
    if damage is None:
        content = bytearray(path.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 5000] = b"\xff" * 5000
        path.write_bytes(content)
    else:
        path.write_bytes(damage)
    again = TelemetryIndex(path)
    assert again.frames(STORE) == 1
    again.add_many(STORE, [(1, batch(1))])
    assert again.spans(STORE) == [(1, 1, 1)]
    again.close()
    if damage:
        assert [item.name for item in tmp_path.iterdir() if "damaged" in item.name]
