"""Runs the vectors of the checkout and of `../shared/vectors`, or of the folder in MESH_VECTORS.

The last line is `N passed, N failed`; the exit code is 1 when anything failed or nothing ran.
"""

import importlib
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from tests.conformance import folders
from tests.conformance.report import Outcome, Runner

MODULES = ("udf", "threshold", "mesh_computations", "dare", "mesh", "link")

NOT_CASES = ("README.md", "*/README.md", "udf/15_not_reproduced.json", "mesh/keys-*.jsonl")
"""Commentary, values known to be wrong in their sources, and lists of keys that the cases use."""


def registry() -> dict[str, Runner]:
    """Every pattern with its runner; two modules may not claim the same one."""
    found: dict[str, Runner] = {}
    for name in MODULES:
        full = f"tests.conformance.{name}"
        if importlib.util.find_spec(full) is None:
            continue
        for pattern, runner in importlib.import_module(full).runners().items():
            if pattern in found:
                raise ValueError(f"two runners for {pattern}")
            found[pattern] = runner
    return found


def run_folder(folder: Path, runners: dict[str, Runner]) -> Iterator[tuple[str, Outcome]]:
    """The outcomes of every file below `folder`, each with the file's name."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or any(fnmatchcase(name, pattern) for pattern in NOT_CASES):
            continue
        patterns = [pattern for pattern in runners if fnmatchcase(name, pattern)]
        if not patterns:
            yield name, Outcome(name, "failed", "unknown file")
            continue
        try:
            for outcome in runners[max(patterns, key=len)](path):
                yield name, outcome
        except Exception as error:
            yield name, Outcome(name, "failed", f"{type(error).__name__}: {error}")


def main() -> int:
    """Checks all folders and prints failures, what could not be checked, and the totals."""
    runners = registry()
    totals: Counter[str] = Counter()
    unchecked: Counter[str] = Counter()
    for folder in folders.to_check():
        if not folder.is_dir():
            print(f"{folder}: absent, not checked")
            continue
        print(f"{folder}:")
        files: dict[str, Counter[str]] = {}
        for name, outcome in run_folder(folder, runners):
            files.setdefault(name, Counter())[outcome.state] += 1
            if outcome.state == "failed":
                print(f"  FAILED {name}: {outcome.name}: {outcome.detail}")
            elif outcome.detail:
                unchecked.update(outcome.detail.split("; "))
        for name, states in files.items():
            print(f"  {name}: " + ", ".join(f"{count} {state}" for state, count in sorted(states.items())))
            totals.update(states)
    for what, count in sorted(unchecked.items()):
        print(f"{what} ({count})")
    print(f"{totals['passed']} passed, {totals['failed']} failed")
    return 1 if totals["failed"] or not totals else 0


if __name__ == "__main__":
    sys.exit(main())
