"""The closed list of kinds and their properties (protocol book, "Kinds"); both ends check against it."""

from meshlink.record import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BOOLEAN, INTEGER, FLOAT, ENUM, STRING = "b", "i", "f", "e", "s"
READ, WRITE, EVENT = "r", "w", "e"

NEEDS_GO, ONE_SHOT = "g", "o"

MAXIMUM_TEXT = 256

_UNKNOWN_PROPERTY, _VALUE = 51, 52

_MEASURED = (FLOAT, READ, "", "")
_FOUND = (BOOLEAN, READ, "", "")
_PERCENT = (INTEGER, WRITE, "0:100", "%")

# kind → property → (type, access, format when the description gives none, unit)
KINDS = {
    "switch": {"on": (BOOLEAN, WRITE, "", "")},
    "light": {
        "on": (BOOLEAN, WRITE, "", ""),
        "level": _PERCENT,
        "ct": (INTEGER, WRITE, "", "mired"),
        "rgb": (INTEGER, WRITE, "0:16777215", ""),
    },
    "cover": {"position": _PERCENT, "move": (ENUM, WRITE, "open,close,stop", "")},
    "lock": {"locked": (BOOLEAN, WRITE, "", "")},
    "climate": {
        "temperature": (FLOAT, READ, "", "°C"),
        "target": (FLOAT, WRITE, "", "°C"),
        "mode": (ENUM, WRITE, "off,heat,cool,auto", ""),
    },
    "fan": {"on": (BOOLEAN, WRITE, "", ""), "speed": _PERCENT},
    "sensor": {
        "temperature": _MEASURED,
        "humidity": _MEASURED,
        "pressure": _MEASURED,
        "illuminance": _MEASURED,
        "co2": _MEASURED,
        "voltage": _MEASURED,
        "current": _MEASURED,
        "power": _MEASURED,
        "distance": _MEASURED,
        "weight": _MEASURED,
        "signal": _MEASURED,
        "battery": _MEASURED,
    },
    "binary": {
        "contact": _FOUND,
        "motion": _FOUND,
        "occupancy": _FOUND,
        "leak": _FOUND,
        "smoke": _FOUND,
        "tamper": _FOUND,
    },
    "button": {"press": (ENUM, EVENT, "single,double,long", "")},
    "number": {"value": (FLOAT, WRITE, "", "")},
    "select": {"value": (ENUM, WRITE, "", "")},
    "text": {"value": (STRING, WRITE, "", "")},
    "meter": {"energy": _MEASURED, "water": _MEASURED, "gas": _MEASURED, "heat": _MEASURED},
}

DANGEROUS_KINDS = ("lock",)
SINGLE_PROPERTY_KINDS = ("binary",)


class Property:
    """One property of one node: kind, node, name, type, access, format, unit, flags (all text)."""

    def __init__(self, kind: str, node: str, name: str, given: "list[str]") -> None:
        default = KINDS[kind][name]
        self.kind = kind
        self.node = node
        self.name = name
        self.type = given[0]
        self.access = given[1]
        self.format = given[2] if len(given) > 2 and given[2] else default[2]
        self.unit = given[3] if len(given) > 3 and given[3] else default[3]
        self.flags = given[4] if len(given) > 4 else ""

    @property
    def writable(self) -> bool:
        """Whether a command may name it."""
        return self.access == WRITE

    @property
    def needs_go(self) -> bool:
        """Whether a command is challenged before it is acted on."""
        return self.kind in DANGEROUS_KINDS or NEEDS_GO in self.flags or ONE_SHOT in self.flags

    @property
    def one_shot(self) -> bool:
        """Whether acting twice differs from acting once: its command id is stored before it is acted on."""
        return ONE_SHOT in self.flags

    def choices(self) -> "list[str]":
        """The values of an enumeration; empty for other types."""
        return self.format.split(",") if self.type == ENUM else []

    def limits(self) -> "tuple[float, float] | None":
        """Least and greatest value of a number; None where the format gives none."""
        if self.type not in (INTEGER, FLOAT) or ":" not in self.format:
            return None
        low, high = self.format.split(":", 1)
        return float(low), float(high)


def property_of(description: "dict[str, Any]", node: str, name: str) -> Property:
    """The property `name` of `node` in a checked description; raises LinkError 51 when there is none."""
    entry = description["n"].get(node)
    given = entry["p"].get(name) if entry else None
    if given is None:
        raise LinkError(_UNKNOWN_PROPERTY, "this device has no " + node + "." + name)
    return Property(entry["k"], node, name, given)


def properties(description: "dict[str, Any]") -> "list[Property]":
    """Every property of a checked description."""
    out = []
    for node, entry in description["n"].items():
        for name, given in entry["p"].items():
            out.append(Property(entry["k"], node, name, given))
    return out


def needs_go(description: "dict[str, Any]", node: str) -> bool:
    """Whether any command to `node` is challenged first."""
    return any([prop.needs_go for prop in properties(description) if prop.node == node])


def writable(prop: Property) -> bool:
    """Whether a command may name the property."""
    return prop.writable


def check_value(prop: Property, value: object) -> object:
    """`value`, if the property can take it; raises LinkError 52 saying what it takes."""
    if prop.type == BOOLEAN:
        fits = isinstance(value, bool)
        wanted = "true or false"
    elif prop.type == ENUM:
        fits = isinstance(value, str) and value in prop.choices()
        wanted = "one of " + prop.format
    elif prop.type == STRING:
        longest = int(prop.format) if prop.format else MAXIMUM_TEXT
        fits = isinstance(value, str) and len(value) <= longest
        wanted = "text of at most " + str(longest) + " characters"
    else:
        fits = _number_fits(prop, value)
        wanted = "a whole number" if prop.type == INTEGER else "a number"
        if prop.format:
            wanted += " in " + prop.format
    if not fits:
        raise LinkError(_VALUE, prop.node + "." + prop.name + " takes " + wanted)
    return value


def _number_fits(prop: Property, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if prop.type == INTEGER and not isinstance(value, int):
        return False
    limits = prop.limits()
    return limits is None or limits[0] <= value <= limits[1]
