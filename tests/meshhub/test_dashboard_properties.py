"""Descriptions and typed values."""

import pytest

from meshhub.dashboard.problems import Problem
from meshhub.dashboard.properties import find, path, properties, read_value

BOX = {
    "d": 1,
    "v": 1,
    "m": "maker/box",
    "n": {
        "lamp": {"k": "light", "p": {"on": ["b", "w"], "level": ["i", "w", "0:100", "%"]}},
        "fan": {"k": "fan", "p": {"on": ["b", "w"], "speed": ["i", "w"]}},
        "air": {"k": "sensor", "p": {"temperature": ["f", "r", "", "°C"]}},
        "heat": {"k": "climate", "p": {"target": ["f", "w", "5:30", "°C"], "mode": ["e", "w", "off,heat"]}},
        "push": {"k": "button", "p": {"press": ["e", "e", "single,double"]}},
        "note": {"k": "text", "p": {"value": ["s", "w"]}},
    },
}
KNOWN = properties(BOX)


def test_every_property_is_found_in_order():
    assert [path(one) for one in KNOWN][:4] == ["lamp.on", "lamp.level", "fan.on", "fan.speed"]
    level = KNOWN[1]
    assert (level.limits(), level.unit, level.kind, level.writable) == ((0.0, 100.0), "%", "light", True)


@pytest.mark.parametrize(
    "broken",
    [{}, BOX | {"n": []}, BOX | {"n": {"a": 1}}, BOX | {"n": {"a": {"k": "switch", "p": {"on": ["b", 1]}}}}],
)
def test_a_malformed_description_has_no_properties(broken):
    assert properties(broken) == ()


@pytest.mark.parametrize(
    ("name", "expected"), [("level", "lamp.level"), ("fan.on", "fan.on"), ("mode", "heat.mode")]
)
def test_a_property_is_named_as_short_as_possible(name, expected):
    assert path(find(KNOWN, name)) == expected


@pytest.mark.parametrize(
    ("name", "kind", "candidate"),
    [("on", "ambiguous-property", "fan.on"), ("colour", "unknown-property", "lamp.level")],
)
def test_an_unclear_property_lists_the_candidates(name, kind, candidate):
    with pytest.raises(Problem) as raised:
        find(KNOWN, name)
    assert raised.value.kind == kind
    assert candidate in raised.value.candidates


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("lamp.on", "true", True),
        ("lamp.on", "OFF", False),
        ("lamp.on", True, True),
        ("level", "40", 40),
        ("level", "40 %", 40),
        ("level", 40.0, 40),
        ("speed", "100 %", 100),
        ("target", "21.5°C", 21.5),
        ("target", 21, 21.0),
        ("mode", "Heat", "heat"),
        ("note.value", " Hello ", " Hello "),
    ],
)
def test_values_are_read_by_the_type_of_the_property(name, given, value):
    read = read_value(find(KNOWN, name), given)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "kind"),
    [
        ("lamp.on", "maybe", "bad-value"),
        ("lamp.on", 1, "bad-value"),
        ("lamp.on", None, "bad-value"),
        ("level", "101", "bad-value"),
        ("level", "4.5", "bad-value"),
        ("level", True, "bad-value"),
        ("level", "nan", "bad-value"),
        ("target", "inf", "bad-value"),
        ("mode", "cool", "bad-value"),
        ("note.value", "x" * 257, "bad-value"),
        ("temperature", 20, "read-only"),
        ("press", "single", "read-only"),
    ],
)
def test_wrong_values_are_refused(name, given, kind):
    with pytest.raises(Problem) as raised:
        read_value(find(KNOWN, name), given)
    assert raised.value.kind == kind
