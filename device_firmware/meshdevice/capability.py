"""What a device can do: nodes with properties, read and written by name, never by model.

A node's kind and properties follow the closed list of the protocol book, "Kinds and properties". The same
objects make the compact description in `hello`; the link checks access and values of commands against it,
so that a node is only asked for what it offers.
"""

UNKNOWN_PROPERTY = 51
NOT_ALLOWED = 53
FAILED = 54

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshdevice.parts import Value

BOOL = "b"
INTEGER = "i"
FLOAT = "f"
CHOICE = "e"


class CapabilityError(Exception):
    """A property cannot be read or written; `code` is the error code of the protocol book."""

    def __init__(self, code: int) -> None:
        super().__init__("capability error " + str(code))
        self.code = code


class Property:
    """type: b i f e s; access: r w e; format: "low:high" of a number or choices of e; unit: text."""

    def __init__(self, type_code: str, access: str, format_text: str = "", unit: str = "") -> None:
        self.type_code = type_code
        self.access = access
        self.format = format_text
        self.unit = unit

    def describe(self) -> list[str]:
        """The compact form, without empty members at its end."""
        parts = [self.type_code, self.access, self.format, self.unit]
        while not parts[-1]:
            parts.pop()
        return parts


class Capability:
    """One node: `kind` of the closed list, its properties and their present values (None: never known)."""

    kind = ""

    def __init__(self, properties: dict[str, Property], values: "dict[str, Value]") -> None:
        self.properties = properties
        self.values = values

    def describe(self) -> dict[str, object]:
        """The node in the compact description."""
        return {"k": self.kind, "p": {name: item.describe() for name, item in self.properties.items()}}

    def read(self, prop: str) -> "Value":
        """Present value; None for an event or one never measured. CapabilityError 51: no such property."""
        if prop not in self.properties:
            raise CapabilityError(UNKNOWN_PROPERTY)
        return self.values.get(prop)

    def write(self, prop: str, value: "Value") -> "Value":
        """Set a property to a checked, absolute value; the value afterwards.

        CapabilityError 51: no such property, 53: not writable, 54: the hardware refuses.
        """
        if prop not in self.properties:
            raise CapabilityError(UNKNOWN_PROPERTY)
        if self.properties[prop].access != "w":
            raise CapabilityError(NOT_ALLOWED)
        former = self.values[prop]
        self.values[prop] = value
        try:
            self.apply()
        except OSError:
            self.values[prop] = former
            raise CapabilityError(FAILED) from None
        return value

    def apply(self) -> None:
        """Bring the hardware to the present values; raises OSError when it fails."""

    def sample(self) -> "list[tuple[str, Value]]":
        """Measure now; the (property, value) pairs to report. Actuators have nothing to measure."""
        return []

    def press(self, gesture: str) -> "list[tuple[str, Value]]":
        """The unit's own button was used; the (property, value) pairs to report."""
        return []
