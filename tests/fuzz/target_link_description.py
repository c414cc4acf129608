"""Descriptions of devices: what is accepted can be resolved, listed and checked against."""

from collections.abc import Iterable

from mathmesh.errors import EncodingError
from meshlink import description, json_text, kinds
from meshlink.record import LinkError


def seeds() -> Iterable[bytes]:
    """One with every type of property, and the smallest."""
    yield (
        b'{"d":1,"v":7,"m":"maker/box","n":{"light":{"k":"light","p":{"on":["b","w"],"level":["i","w",'
        b'"0:100","%"]}},"door":{"k":"lock","p":{"locked":["b","w","","","g"]}},"feeder":{"k":"select",'
        b'"p":{"value":["e","w","small,large","","o"]}},"air":{"k":"sensor","p":{"temperature":'
        b'["f","r","-40:85","C"]}},"note":{"k":"text","p":{"value":["s","w","12"]}}}}'
    )
    yield b'{"d":1,"v":0,"m":"","n":{"a":{"k":"switch","p":{"on":["b","w"]}}}}'


def one(data: bytes) -> None:
    """An accepted description serves every question that is asked of one."""
    try:
        found = description.check(json_text.loads(data))
    except (EncodingError, LinkError):
        return
    for prop in kinds.properties(found):
        assert description.resolve(found, f"{prop.node}.{prop.name}") == (prop.node, prop.name)
        assert kinds.property_of(found, prop.node, prop.name).name == prop.name
        for value in (True, 0, 20.5, "small", None, "x" * 300):
            try:
                kinds.check_value(prop, value)
            except LinkError:
                pass
    try:
        description.resolve(found, "nothing")
    except LinkError:
        pass
