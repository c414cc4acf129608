"""What a conformance check yields and how it is counted."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

State = Literal["passed", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one case; `detail` says what differs, or what could not be checked where it passed."""

    name: str
    state: State
    detail: str = ""


COMMENTARY = frozenset({"note", "source", "sources", "where", "why", "what", "description", "label"})
"""Members that say something of a vector and are neither input nor output."""


class Absent:
    """Stands for an output that a vector does not tell."""


ABSENT = Absent()


class Vector(dict[str, Any]):
    """One case; a member that it lacks is ABSENT: no input, and as expected value not compared."""

    def __missing__(self, name: str) -> Absent:
        return ABSENT


Runner = Callable[[Path], Iterator[Outcome]]
"""Checks one file. `runners()` of each module maps glob patterns relative to the folder to runners."""


def load(path: Path) -> Any:
    """The JSON of a vector file; published texts hold raw line feeds inside strings."""
    return json.loads(path.read_text(encoding="utf-8"), strict=False)


def check(name: str, case: Callable[[], Iterable[tuple[str, object, object]]]) -> Outcome:
    """Runs `case`, which yields (field, computed, expected) for every output field of one vector."""
    try:
        compared = 0
        for field, computed, expected in case():
            if expected is ABSENT:
                continue
            compared += 1
            if not _same(computed, expected):
                return Outcome(name, "failed", f"{field} differs")
    except Exception as error:
        return Outcome(name, "failed", f"{type(error).__name__}: {error}")
    if not compared:
        return Outcome(name, "failed", "nothing was compared")
    return Outcome(name, "passed")


def by_list(kinds: Mapping[str, Callable[[Vector], Iterable[tuple[str, object, object]]]]) -> Runner:
    """Runs every case below each member of a file that is named in `kinds` ("" for a bare list).

    A member holds a case or a list of cases; one that is not in `kinds` fails by its name.
    """

    def run(path: Path) -> Iterator[Outcome]:
        vectors = load(path)
        groups = vectors if isinstance(vectors, dict) else {"": vectors}
        for kind, cases in groups.items():
            if kind in COMMENTARY:
                continue
            if kind not in kinds:
                yield Outcome(f"{path.name} {kind}", "failed", "unknown kind")
                continue
            for number, case in enumerate(cases if isinstance(cases, list) else [cases]):
                yield check(f"{path.name} {kind}[{number}]", lambda c=case, k=kind: kinds[k](Vector(c)))

    return run


def _same(computed: object, expected: object) -> bool:
    numbers = (int, float)
    if type(computed) in numbers and type(expected) in numbers:
        return computed == expected
    return type(computed) is type(expected) and computed == expected
