"""Nodes: what they describe is what they read and write."""

import pytest

from meshdevice.button import Button
from meshdevice.capability import CapabilityError
from meshdevice.climate import Climate
from meshdevice.light import Light
from meshdevice.products import build
from meshlink import description


class Bench:
    """A board of which only the actuator and the sensor are there."""

    def __init__(self) -> None:
        self.power: list[int] = []
        self.reading: tuple[float, float] | None = (21.237, 44.44)

    def actuate(self, name: str, value: int) -> None:
        if value == 13:
            raise OSError("no current")
        self.power.append(value)

    def measure(self) -> tuple[float, float]:
        if self.reading is None:
            raise OSError("no answer")
        return self.reading


def test_a_lamp_keeps_its_level_while_it_is_off() -> None:
    bench = Bench()
    light = Light(lambda percent: bench.actuate("light", percent))
    light.write("level", 40)
    light.write("on", True)
    light.write("on", False)
    assert bench.power == [0, 0, 40, 0]
    assert (light.read("on"), light.read("level")) == (False, 40)


def test_hardware_that_fails_leaves_the_former_value() -> None:
    bench = Bench()
    light = Light(lambda percent: bench.actuate("light", percent))
    light.write("on", True)
    with pytest.raises(CapabilityError) as raised:
        light.write("level", 13)
    assert raised.value.code == 54
    assert light.read("level") == 100


@pytest.mark.parametrize(("prop", "code"), [("colour", 51), ("temperature", 53)])
def test_refused_writes(prop: str, code: int) -> None:
    with pytest.raises(CapabilityError) as raised:
        Climate(Bench().measure).write(prop, 1)
    assert raised.value.code == code


def test_a_sensor_that_fails_reports_nothing_and_keeps_its_last_value() -> None:
    bench = Bench()
    climate = Climate(bench.measure)
    assert climate.read("temperature") is None
    assert climate.sample() == [("temperature", 21.24), ("humidity", 44.4)]
    bench.reading = None
    assert climate.sample() == []
    assert climate.read("temperature") == 21.24


def test_presses() -> None:
    assert Button().press("double") == [("press", "double")]
    light = Light(lambda percent: None)
    assert light.press("single") == [("on", True)]
    assert light.press("single") == [("on", False)]
    assert light.press("long") == []


@pytest.mark.parametrize(
    ("kind", "nodes"),
    [
        ("light", {"light": {"k": "light", "p": {"on": ["b", "w"], "level": ["i", "w", "0:100", "%"]}}}),
        (
            "climate",
            {
                "air": {
                    "k": "sensor",
                    "p": {"temperature": ["f", "r", "", "°C"], "humidity": ["f", "r", "", "%"]},
                }
            },
        ),
        ("button", {"button": {"k": "button", "p": {"press": ["e", "e", "single,double,long"]}}}),
    ],
)
def test_the_description_is_one_that_the_link_accepts(kind: str, nodes: dict[str, object]) -> None:
    described = {name: node.describe() for name, node in build(kind, Bench()).items()}
    assert described == nodes
    assert description.check({"d": 1, "v": 1, "m": "mesh/x1", "n": described})


def test_an_unknown_product_is_refused() -> None:
    with pytest.raises(ValueError, match="no product"):
        build("toaster", Bench())
