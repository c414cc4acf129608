"""The conformance command itself: our vectors pass, and a wrong byte anywhere in them is noticed."""

import copy
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
VECTORS = CHECKOUT / "tests" / "vectors"
CORE = ("udf/*.json", "threshold/*.json", "mesh/computations.json", "dare/*.json", "link/*.json")

# Commentary; inputs of which only some values lead elsewhere; and what must be refused, altered or not.
SILENT = frozenset(
    {"note", "source", "sources", "label", "edition", "pin_bits", "bits", "kind", "document_defects"}
    | {"what", "payload", "variant", "must_reject", "must_refuse", "frame_must_reject"}
)
# What no digest of an envelope covers and the key found by it does not tell: the signature still holds.
UNCOVERED = {("recipients", 0, "kid"), ("signatures", 0, "kid"), ("signatures", 0, "alg")}
SAMPLES, SECONDS = 60, 4


def run(folder: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.conformance"],
        cwd=CHECKOUT,
        env={**os.environ, "MESH_VECTORS": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in SILENT:
                yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def changed(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if value is None:
        return ""
    middle = next((i for i in range(len(value) // 2, len(value)) if value[i].isalnum()), None)
    if middle is None:
        return value + "A"
    other = "b" if value[middle] in "aA1" else "1" if value[middle].isdigit() else "a"
    return value[:middle] + (other.upper() if value[middle].isupper() else other) + value[middle + 1 :]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(CHECKOUT))
    from tests.conformance.__main__ import registry

    return registry()


@pytest.mark.parametrize(
    "name",
    sorted(path.relative_to(VECTORS).as_posix() for pattern in CORE for path in VECTORS.glob(pattern)),
)
def test_a_wrong_value_anywhere_fails(name: str, registry: dict[str, Any], tmp_path: Path) -> None:
    runner = runner_of(name, registry)
    good = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    start = time.perf_counter()
    assert {outcome.state for outcome in runner(VECTORS / name)} == {"passed"}
    samples = min(SAMPLES, 1 + int(SECONDS / (time.perf_counter() - start)))
    paths = [path for path in leaves(good) if path[-3:] not in UNCOVERED]
    unnoticed = []
    for path in paths[:: max(1, len(paths) // samples)]:
        bad = copy.deepcopy(good)
        holder = bad
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = changed(holder[path[-1]])
        target = tmp_path / Path(name).name
        target.write_text(json.dumps(bad), encoding="utf-8")
        if all(outcome.state == "passed" for outcome in runner(target)):
            unnoticed.append(path)
    assert not unnoticed


def runner_of(name: str, registry: dict[str, Any]) -> Any:
    return registry[max((pattern for pattern in registry if fnmatchcase(name, pattern)), key=len)]


BINARY = sorted(path.name for path in VECTORS.glob("dare/*.d*") if path.suffix in (".dare", ".dcon"))


@pytest.mark.parametrize("name", BINARY)
def test_a_flipped_bit_anywhere_in_a_binary_file_fails(
    name: str, registry: dict[str, Any], tmp_path: Path
) -> None:
    listing = "sequences.json" if name.startswith("seq_") else "own_vectors.json"
    folder = tmp_path / "dare"
    shutil.copytree(VECTORS / "dare", folder)
    checks = [(runner_of(f"dare/{file}", registry), folder / file) for file in (name, listing)]
    octets = (folder / name).read_bytes()

    def states() -> set[str]:
        return {outcome.state for runner, path in checks for outcome in runner(path)}

    assert states() == {"passed"}
    source = random.Random(name)
    for position in range(0, len(octets), max(1, len(octets) // SAMPLES)):
        bad = bytearray(octets)
        bad[position] ^= 1 << source.randrange(8)
        (folder / name).write_bytes(bad)
        assert "failed" in states(), position


def test_the_pinned_vectors_are_those_that_the_code_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: dict[str, Any]
) -> None:
    """So that a bit altered in one of them, an input included, is seen."""
    from tests.conformance import pin_core, pin_link, pin_threshold

    for module in (pin_core, pin_threshold, pin_link):
        monkeypatch.setattr(module, "OWN", tmp_path)
        module.main()
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.json")}
    assert made == {name: (VECTORS / name).read_bytes() for name in made}
    assert len(made) > len(list(VECTORS.glob("udf/*.json")))


def test_last_line_and_exit_code(tmp_path: Path) -> None:
    (tmp_path / "udf").mkdir()
    shutil.copy(VECTORS / "udf" / "13_uri_sin.json", tmp_path / "udf")
    assert run(tmp_path) == (
        0,
        [f"{tmp_path}:", "  udf/13_uri_sin.json: 5 passed", "5 passed, 0 failed"],
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("udf/99_new.json", {"cases": []}),
        ("udf/13_uri_sin.json", {"cases": [{"kind": "new"}]}),
        ("udf/13_uri_sin.json", {"cases": [{"uri": "udf:"}]}),
        ("udf/13_uri_sin.json", []),
        ("mesh/computations.json", [{"kind": "new", "edition": "2022", "input": {}, "output": ""}]),
        ("new.txt", "text"),
    ],
)
def test_unknown_files_and_kinds_fail(name: str, content: object, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    code, lines = run(tmp_path)
    assert code == 1
    assert lines[-1] == "0 passed, 1 failed"


def test_nothing_checked_is_no_success(tmp_path: Path) -> None:
    code, lines = run(tmp_path / "absent")
    assert code == 1
    assert lines[-1] == "0 passed, 0 failed"
