"""Descriptions, kinds and the values their properties take."""

from typing import Any

import pytest

from meshlink import description, kinds
from meshlink.record import LinkError

GOOD: dict[str, Any] = {
    "d": 1,
    "v": 7,
    "m": "maker/box1",
    "n": {
        "relay": {"k": "switch", "p": {"on": ["b", "w"]}},
        "lamp": {"k": "light", "p": {"on": ["b", "w"], "level": ["i", "w", "10:90", "%"], "rgb": ["i", "w"]}},
        "air": {
            "k": "sensor",
            "p": {"temperature": ["f", "r", "", "°C"], "battery": ["i", "r", "0:100", "%"]},
        },
        "gate": {"k": "cover", "p": {"move": ["e", "w", "", "", "g"]}},
        "bell": {"k": "button", "p": {"press": ["e", "e"]}},
        "note": {"k": "text", "p": {"value": ["s", "w", "5"]}},
    },
}


def changed(**members: Any) -> dict[str, Any]:
    return {**GOOD, **members}


def node(kind: str, **given: Any) -> dict[str, Any]:
    return changed(n={"x": {"k": kind, "p": given}})


def test_a_good_one() -> None:
    assert description.check(GOOD) is GOOD
    assert len(kinds.properties(GOOD)) == 9


@pytest.mark.parametrize(
    "wrong",
    [
        changed(d=2),
        changed(v="7"),
        changed(v=True),
        changed(m=None),
        changed(n={}),
        changed(n=[]),
        changed(n={"": GOOD["n"]["relay"]}),
        changed(n={"Relay": GOOD["n"]["relay"]}),
        changed(n={"a.b": GOOD["n"]["relay"]}),
        changed(n={"a" * 33: GOOD["n"]["relay"]}),
        changed(n={"x": {"k": "toaster", "p": {"on": ["b", "w"]}}}),
        changed(n={"x": {"k": "switch", "p": {}}}),
        changed(n={"x": {"k": "switch"}}),
        changed(n={"x": []}),
        node("switch", off=["b", "w"]),
        node("switch", on=["i", "w"]),
        node("switch", on=["b", "r"]),
        node("switch", on=["b"]),
        node("switch", on=["b", "w", "", "", "", ""]),
        node("switch", on=["b", "w", 1]),
        node("light", level=["i", "w", "low:high"]),
        node("light", level=["i", "w", "10"]),
        node("select", value=["e", "w"]),
        node("select", value=["e", "w", "a,,b"]),
        node("text", value=["s", "w", "0"]),
        node("binary", leak=["b", "r"], smoke=["b", "r"]),
        changed(m="x" * 3000),
    ],
)
def test_wrong_ones(wrong: dict[str, Any]) -> None:
    with pytest.raises(LinkError) as caught:
        description.check(wrong)
    assert caught.value.code == 3


def test_the_limit_is_3072_octets() -> None:
    size = len(description.json_text.text(GOOD).encode())
    longest = changed(m="maker/box1" + "x" * (3072 - size))
    assert description.check(longest)
    with pytest.raises(LinkError):
        description.check(changed(m=longest["m"] + "x"))


@pytest.mark.parametrize(
    ("text", "found"),
    [("level", ("lamp", "level")), ("relay.on", ("relay", "on")), ("lamp.on", ("lamp", "on"))],
)
def test_resolve(text: str, found: tuple[str, str]) -> None:
    assert description.resolve(GOOD, text) == found


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("on", "lamp.on, relay.on"),
        ("off", "air.battery"),
        ("lamp.off", "lamp.level"),
        ("nobody.on", "lamp.on"),
    ],
)
def test_resolve_lists_candidates(text: str, listed: str) -> None:
    with pytest.raises(LinkError, match=listed) as caught:
        description.resolve(GOOD, text)
    assert caught.value.code == 51


@pytest.mark.parametrize(
    ("where", "good", "bad"),
    [
        (("relay", "on"), [True, False], [1, 0, "true", None]),
        (("lamp", "level"), [10, 90], [9, 91, 50.0, True, "50", None]),
        (("lamp", "rgb"), [0, 0xFFFFFF], [-1, 0x1000000]),
        (("gate", "move"), ["open", "stop"], ["Open", "", "open,close", None]),
        (("note", "value"), ["", "12345"], ["123456", 1]),
    ],
)
def test_values(where: tuple[str, str], good: list[object], bad: list[object]) -> None:
    prop = kinds.property_of(GOOD, *where)
    for value in good:
        assert kinds.check_value(prop, value) == value
    for value in bad:
        with pytest.raises(LinkError) as caught:
            kinds.check_value(prop, value)
        assert caught.value.code == 52


def test_what_is_dangerous() -> None:
    assert kinds.property_of(GOOD, "gate", "move").needs_go
    assert kinds.needs_go(GOOD, "gate")
    assert not kinds.needs_go(GOOD, "lamp")
    assert kinds.needs_go(node("lock", locked=["b", "w"]), "x")
    assert kinds.needs_go(node("select", value=["e", "w", "go", "", "o"]), "x")
    assert kinds.writable(kinds.property_of(GOOD, "lamp", "on"))
    assert not kinds.writable(kinds.property_of(GOOD, "bell", "press"))
    for where in (("relay", "off"), ("nobody", "on")):
        with pytest.raises(LinkError) as caught:
            kinds.property_of(GOOD, *where)
        assert caught.value.code == 51
