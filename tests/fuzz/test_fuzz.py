"""Every fuzz target holds on its seeds and on damaged ones, and is fuzzed where atheris is installed."""

import importlib
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LONG_SECONDS = 300
NAMES = sorted(path.stem.removeprefix("target_") for path in Path(__file__).parent.glob("target_*.py"))


def target(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(CHECKOUT))
    return importlib.import_module(f"tests.fuzz.target_{name}")


def damaged(seed: bytes, source: random.Random) -> bytes:
    octets = bytearray(seed)
    for _ in range(source.randint(1, 4)):
        position = source.randrange(len(octets) + 1)
        kind = source.randrange(4)
        if kind == 0:
            octets[position:position] = source.randbytes(source.randint(1, 4))
        elif kind == 1:
            del octets[position : position + source.randint(1, 8)]
        elif position < len(octets):
            octets[position] ^= 1 << source.randrange(8)
    return bytes(octets)


@pytest.mark.parametrize("name", NAMES)
def test_seeds_and_damaged_seeds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = target(name, monkeypatch)
    source = random.Random(name)
    seeds = list(module.seeds())
    assert seeds
    for seed in seeds:
        module.one(seed)
        for _ in range(max(1, 400 // len(seeds))):
            module.one(damaged(seed, source))


@pytest.mark.parametrize("name", NAMES)
def test_a_moment_of_fuzzing(name: str) -> None:
    done = fuzz("--seconds", "1", name)
    if "skipped" in done.stdout:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout
    assert f"fuzz {name}: " in done.stdout


@pytest.mark.long
@pytest.mark.timeout(LONG_SECONDS + 120)
@pytest.mark.parametrize("name", NAMES)
def test_minutes_of_fuzzing(name: str) -> None:
    done = fuzz("--seconds", str(LONG_SECONDS), name)
    if "skipped" in done.stdout:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout


def test_what_must_not_be_is_found(tmp_path: Path) -> None:
    """A target that is wrong on inputs which no seed holds fails, and its input is printed."""
    broken = CHECKOUT / "tests" / "fuzz"
    program = (
        "import sys, types\n"
        "from tests.fuzz import __main__ as fuzz\n"
        "print(fuzz.ABSENT if not fuzz.has_atheris() else fuzz.run(sys.argv[1], 20, 1))\n"
    )
    package = tmp_path / "tests" / "fuzz"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text((broken / "__main__.py").read_text())
    (package / "target_broken.py").write_text(
        "def seeds():\n    return [b'abcd']\n\n\ndef one(data):\n    assert data[:1] != b'M'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "broken"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "skipped" in done.stdout:
        pytest.skip(done.stdout.strip())
    assert done.stdout.startswith("(False, 'broken: FAILED crash on 4d"), done.stdout + done.stderr


def test_unknown_targets() -> None:
    done = fuzz("nothing")
    assert done.returncode == 2
    assert "no such target: nothing" in done.stderr


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS + 100,
        check=False,
    )
