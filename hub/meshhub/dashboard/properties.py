"""The properties of a device as its description states them, and values read from what people type.

A description is `{"n": {node: {"k": kind, "p": {property: [type, access, format, unit, flags]}}}}`
(protocol book, "Description"); types are b, i, f, e, s and access is r, w or e.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshhub.dashboard.problems import Problem

Scalar = bool | int | float | str
TRUE_WORDS = frozenset({"true", "on", "yes", "1", "open", "locked"})
FALSE_WORDS = frozenset({"false", "off", "no", "0", "closed", "unlocked"})
TYPE_NAMES = {"b": "on or off", "i": "a whole number", "f": "a number", "e": "one of", "s": "a text"}
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?):(-?\d+(?:\.\d+)?)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of one node: where it is, what it takes, how it is shown."""

    node: str
    kind: str
    name: str
    type: str
    access: str
    format: str = ""
    unit: str = ""
    flags: str = ""

    @property
    def path(self) -> str:
        """`node.property`, always unambiguous."""
        return f"{self.node}.{self.name}"

    @property
    def range(self) -> tuple[float, float] | None:
        """Lowest and highest value, where the format gives them."""
        found = _RANGE.match(self.format)
        return (float(found[1]), float(found[2])) if found else None

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that an e property takes."""
        return tuple(self.format.split(",")) if self.type == "e" and self.format else ()

    @property
    def writable(self) -> bool:
        """Whether `set` may name it."""
        return self.access == "w"


def properties(description: Mapping[str, object]) -> tuple[Property, ...]:
    """Every property in `description`, in its order; malformed parts are left out."""
    found = []
    for node, body in _mapping(description.get("n")).items():
        entry = _mapping(body)
        kind = str(entry.get("k", ""))
        for name, shape in _mapping(entry.get("p")).items():
            if isinstance(shape, list) and len(shape) >= 2 and all(isinstance(part, str) for part in shape):
                texts = [*map(str, shape), "", "", ""]
                found.append(
                    Property(
                        node=node,
                        kind=kind,
                        name=name,
                        type=texts[0],
                        access=texts[1],
                        format=texts[2],
                        unit=texts[3],
                        flags=texts[4],
                    )
                )
    return tuple(found)


def find(known: Iterable[Property], name: str) -> Property:
    """The property called `name` (`prop` when only one node has it, else `node.prop`).

    Raises `Problem` of kind `unknown-property` or `ambiguous-property`, both with the candidates.
    """
    known = tuple(known)
    matches = [one for one in known if name in (one.name, one.path)]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise Problem(
            404,
            "unknown-property",
            f"The device has no property “{name}”.",
            "Use one of the candidates.",
            [one.path for one in known],
        )
    raise Problem(
        409,
        "ambiguous-property",
        f"Several parts of the device have a property “{name}”.",
        "Write node.property.",
        [one.path for one in matches],
    )


def read_value(target: Property, given: object) -> Scalar:
    """`given` (a JSON value, or a text that someone typed) as a value of `target`.

    Raises `Problem` of kind `read-only` or `bad-value`.
    """
    if not target.writable:
        raise Problem(409, "read-only", f"{target.path} is reported by the device and cannot be set.")
    value = _typed(target, given)
    if value is None or not _within(target, value):
        raise Problem(
            422,
            "bad-value",
            f"“{given}” is not a value for {target.path}.",
            f"Give {_expected(target)}.",
            target.choices,
        )
    return value


def _typed(target: Property, given: object) -> Scalar | None:
    if target.type == "b":
        return _boolean(given)
    if target.type in ("i", "f"):
        return _number(target, given)
    if isinstance(given, str):
        return given.strip().lower() if target.type == "e" else given
    return None


def _boolean(given: object) -> bool | None:
    if isinstance(given, bool):
        return given
    word = str(given).strip().lower() if isinstance(given, str) else ""
    if word in TRUE_WORDS:
        return True
    return False if word in FALSE_WORDS else None


def _number(target: Property, given: object) -> int | float | None:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    text = str(given).strip()
    if target.unit and text.endswith(target.unit):
        text = text[: -len(target.unit)].strip()
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    if target.type == "f":
        return value
    return int(value) if value.is_integer() else None


def _within(target: Property, value: Scalar) -> bool:
    if target.choices:
        return value in target.choices
    if isinstance(value, str):
        return len(value.encode()) <= 256
    if target.range is not None and not isinstance(value, bool):
        lowest, highest = target.range
        return lowest <= value <= highest
    return True


def _expected(target: Property) -> str:
    if target.choices:
        return f"one of {', '.join(target.choices)}"
    text = TYPE_NAMES.get(target.type, "a value")
    if target.range is not None:
        text += f" from {target.range[0]:g} to {target.range[1]:g}"
    return f"{text} {target.unit}".strip()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
