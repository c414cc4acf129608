"""A climate sensor: temperature and relative humidity of the air."""

from meshdevice.capability import FLOAT, Capability, Property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from meshdevice.parts import Value


class Climate(Capability):
    """measure: `measure() -> (temperature in °C, humidity in %)`; it raises OSError when the sensor fails."""

    kind = "sensor"

    def __init__(self, measure: "Callable[[], tuple[float, float]]") -> None:
        properties = {
            "temperature": Property(FLOAT, "r", "", "°C"),
            "humidity": Property(FLOAT, "r", "", "%"),
        }
        super().__init__(properties, {"temperature": None, "humidity": None})
        self._measure = measure

    def sample(self) -> "list[tuple[str, Value]]":
        try:
            temperature, humidity = self._measure()
        except OSError:
            return []
        self.values["temperature"] = round(temperature, 2)
        self.values["humidity"] = round(humidity, 1)
        return [(name, self.values[name]) for name in ("temperature", "humidity")]
