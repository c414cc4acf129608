"""What a device may report: the properties of its description, with values of their types.

The device is adopted and its records are genuine; it may be hostile all the same. Names that it makes up
would be kept for good, and values of other types would meet code that does not expect them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from meshhub.errors import VALUE, DeviceError
from meshlink import kinds
from meshlink.kinds import Property


class Reported:
    """The properties in `description`, which was checked when the device was added."""

    def __init__(self, description: Mapping[str, object]) -> None:
        self._known = {(prop.node, prop.name): prop for prop in kinds.properties(dict(description))}

    def is_event(self, node: str, name: str) -> bool:
        """Whether the property is an event, such as the press of a button."""
        prop = self._known.get((node, name))
        return prop is not None and prop.access == kinds.EVENT

    def check(self, rows: Iterable[Sequence[object]]) -> None:
        """Rows [dt, node, property, value] of a `tel`; DeviceError (value) when one does not fit."""
        for _, node, name, value in rows:
            prop = self._known.get((str(node), str(name)))
            if prop is None:
                raise DeviceError("readings of a property that the device does not have", kind=VALUE)
            if not _is_of_type(prop, value):
                raise DeviceError(f"a reading of {prop.node}.{prop.name} is of another type", kind=VALUE)


def _is_of_type(prop: Property, value: object) -> bool:
    if value is None:
        return True
    if prop.type == kinds.BOOLEAN:
        return isinstance(value, bool)
    if prop.type in (kinds.INTEGER, kinds.FLOAT):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)
