"""A lamp: on or off, and a level that is remembered while it is off; a short press switches it by hand."""

from meshdevice.button import SINGLE
from meshdevice.capability import BOOL, INTEGER, Capability, Property


class Light(Capability):
    """drive: `drive(percent)` sets the lamp's power, 0 for off; it starts off, at full level."""

    kind = "light"

    def __init__(self, drive: object) -> None:
        properties = {"on": Property(BOOL, "w"), "level": Property(INTEGER, "w", "0:100", "%")}
        super().__init__(properties, {"on": False, "level": 100})
        self._drive = drive
        self.apply()

    def apply(self) -> None:
        self._drive(self.values["level"] if self.values["on"] else 0)

    def press(self, gesture: str) -> list:
        if gesture != SINGLE:
            return []
        return [["on", self.write("on", not self.values["on"])]]
