"""A lamp: on or off, and a level that is remembered while it is off; a short press switches it by hand."""

from meshdevice.button import SINGLE
from meshdevice.capability import BOOL, INTEGER, Capability, Property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from meshdevice.parts import Value


class Light(Capability):
    """drive: `drive(percent)` sets the lamp's power, 0 for off; it starts off, at full level."""

    kind = "light"

    def __init__(self, drive: "Callable[[int], None]") -> None:
        properties = {"on": Property(BOOL, "w"), "level": Property(INTEGER, "w", "0:100", "%")}
        super().__init__(properties, {"on": False, "level": 100})
        self._drive = drive
        self.apply()

    def apply(self) -> None:
        level = self.values["level"]
        self._drive(level if self.values["on"] and isinstance(level, int) else 0)

    def press(self, gesture: str) -> "list[tuple[str, Value]]":
        if gesture != SINGLE:
            return []
        return [("on", self.write("on", not self.values["on"]))]
