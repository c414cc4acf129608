"""The benchmarks run, say what they cannot compare, and end in the summary."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SUMMARY = re.compile(r"bench:( \S+=\d+\.\d{3})+")


def bench(*arguments: str, path: str | None = None) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments],
        cwd=CHECKOUT,
        env=None if path is None else {"PATH": path},
        capture_output=True,
        text=True,
        timeout=140,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_store_with_few_frames(tmp_path: Path) -> None:
    lines = bench("store", "--frames", "1000", "--fast-core", "--folder", str(tmp_path))
    assert SUMMARY.fullmatch(lines[-1])
    for name in ("sealed appends, unsynced", "sealed appends, synced per 100", "SQLite", "plain file"):
        told = [line for line in lines if line.startswith(name)]
        assert told
        assert all(" octets" in line and " syncs" in line for line in told), name
    for name in (
        "append at ",
        "open ",
        "random frame by index",
        "random frame by the tree",
        "full verification",
    ):
        assert any(line.startswith(name) for line in lines), name


def test_what_is_not_installed_is_said(tmp_path: Path) -> None:
    lines = bench("bulk", "--megabytes", "1", "--fast-core", "--folder", str(tmp_path), path=str(tmp_path))
    assert {
        "not compared with openssl enc: it is not installed",
        "not compared with age: it is not installed",
    } < {*lines}
    assert sum("1.000 of" in line or "of S512 alone" in line for line in lines) == 2
    assert SUMMARY.fullmatch(lines[-1])


def test_growing_needs_room(tmp_path: Path) -> None:
    lines = bench("--growth", str(10**12), "--folder", str(tmp_path))
    assert lines[0].startswith("not grown to 1,000,000,000,000 frames")
    assert not list(tmp_path.iterdir())


def test_unknown_groups_are_refused() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.bench", "nothing"], cwd=CHECKOUT, capture_output=True)
    assert done.returncode == 2
