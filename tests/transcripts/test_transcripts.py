"""The whole table as one test."""

from __future__ import annotations

from pathlib import Path

import pytest

from .play import play


@pytest.mark.long  # `make transcripts` plays them too
@pytest.mark.timeout(900)
def test_the_transcripts_hold(tmp_path: Path) -> None:
    told: list[str] = []
    _, failed = play(tmp_path, told.append)
    assert failed == 0, "\n".join(line for line in told if "FAILED" in line or line.startswith("\n["))
