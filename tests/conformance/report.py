"""What a conformance check yields and how it is counted."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

State = Literal["passed", "failed", "not yet"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one case; `detail` says what differs or which kind is left to later work."""

    name: str
    state: State
    detail: str = ""


Runner = Callable[[Path], Iterator[Outcome]]
"""Checks one file. `runners()` of each module maps glob patterns relative to the folder to runners."""


def load(path: Path) -> Any:
    """The JSON of a vector file; published texts hold raw line feeds inside strings."""
    return json.loads(path.read_text(encoding="utf-8"), strict=False)


def not_yet(name: str) -> Iterator[Outcome]:
    """The one outcome of a file or kind that is known and not supported."""
    yield Outcome(name, "not yet")


def check(name: str, case: Callable[[], Iterable[tuple[str, object, object]]]) -> Outcome:
    """Runs `case`, which yields (field, computed, expected) for every output field of one vector."""
    try:
        compared = 0
        for field, computed, expected in case():
            compared += 1
            if computed != expected or type(computed) is not type(expected):
                return Outcome(name, "failed", f"{field} differs")
    except Exception as error:
        return Outcome(name, "failed", f"{type(error).__name__}: {error}")
    if not compared:
        return Outcome(name, "failed", "nothing was compared")
    return Outcome(name, "passed")
