"""The properties of a device by the names that people use, and values read from what people type.

Kinds, types and limits are those of `meshlink.kinds` (protocol book, "Kinds").
"""

import math
from collections.abc import Iterable, Mapping

from meshhub.dashboard.problems import Problem
from meshhub.dashboard.wording import sentence
from meshlink import description as descriptions
from meshlink import kinds
from meshlink.kinds import Property
from meshlink.messages import LinkError

Scalar = bool | int | float | str
TRUE_WORDS = frozenset({"true", "on", "yes", "1"})
FALSE_WORDS = frozenset({"false", "off", "no", "0"})


def properties(description: Mapping[str, object]) -> tuple[Property, ...]:
    """Every property in `description`, in its order; none when the description does not follow its format."""
    try:
        return tuple(kinds.properties(descriptions.check(dict(description))))
    except LinkError:
        return ()


def path(one: Property) -> str:
    """`node.property`, always unambiguous."""
    return f"{one.node}.{one.name}"


def find(known: Iterable[Property], name: str) -> Property:
    """The property called `name` (`property` when only one node has it, else `node.property`).

    Case does not matter. Raises `Problem` of kind `unknown-property` or `ambiguous-property`, both with the
    candidates.
    """
    known = tuple(known)
    wanted = name.casefold()
    matches = [one for one in known if wanted in (one.name.casefold(), path(one).casefold())]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise Problem(
            404,
            "unknown-property",
            f"The device has no property “{name}”.",
            "These are the ones it has." if known else "It has none.",
            [path(one) for one in known],
        )
    raise Problem(
        409,
        "ambiguous-property",
        f"Several parts of the device have a property “{name}”.",
        "Write node.property.",
        [path(one) for one in matches],
    )


def read_value(target: Property, given: object) -> Scalar:
    """`given` (a JSON value, or a text that someone typed) as a value of `target`.

    Raises `Problem` of kind `read-only` or `bad-value`.
    """
    if not target.writable:
        raise Problem(409, "read-only", f"{path(target)} is reported by the device and cannot be set.")
    value = _typed(target, given)
    try:
        kinds.check_value(target, value)
    except LinkError as wrong:
        raise Problem(
            422,
            "bad-value",
            f"“{given}” is not a value for {path(target)}.",
            _taken(target) or sentence(str(wrong)),
            target.choices(),
        ) from None
    assert value is not None  # no type takes it
    return value


def _taken(target: Property) -> str:
    """What the property takes, for people; empty where the link's own words say it as well."""
    if target.type == kinds.BOOLEAN:
        return "It takes true or false."
    if target.type == kinds.ENUM:
        return "It takes one of these."
    if target.type not in (kinds.INTEGER, kinds.FLOAT):
        return ""
    number = "a whole number" if target.type == kinds.INTEGER else "a number"
    limits = target.limits()
    span = f" from {limits[0]:g} to {limits[1]:g}" if limits else ""
    return f"It takes {number}{span}{f' {target.unit}' if target.unit else ''}."


def _typed(target: Property, given: object) -> Scalar | None:
    """`given` in the type of `target` as far as it can be read so; None where it cannot."""
    if target.type == kinds.BOOLEAN:
        return _boolean(given)
    if target.type in (kinds.INTEGER, kinds.FLOAT):
        return _number(target, given)
    if isinstance(given, str):
        return given.strip().lower() if target.type == kinds.ENUM else given
    return None


def _boolean(given: object) -> bool | None:
    if isinstance(given, bool):
        return given
    word = given.strip().lower() if isinstance(given, str) else ""
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
    if target.type == kinds.FLOAT:
        return value
    return int(value) if value.is_integer() else None
