"""The compact description of a device (protocol book, "Description"): checked once, when it comes in.

{"d":1, "v":7, "m":"maker/box1", "n":{"relay":{"k":"switch","p":{"on":["b","w"]}}}}
property = [type b|i|f|e|s, access r|w|e, format, unit, flags]; the last three may be left out from the right
"""

from meshlink import json_text, kinds
from meshlink.record import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAXIMUM = 3072
FORMAT_VERSION = 1
MAXIMUM_NAME = 32

_FORMAT, _UNKNOWN_PROPERTY = 3, 51
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-_"
_NUMBERS = (kinds.INTEGER, kinds.FLOAT)


def check(description: "dict[str, Any]") -> "dict[str, Any]":
    """The description itself, if it follows the rules; raises LinkError 3 naming the node or property at
    fault.
    """
    if description.get("d") != FORMAT_VERSION:
        _refuse("its format is not version 1")
    version = description.get("v")
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        _refuse("it has no version number")
    model = description.get("m")
    if not isinstance(model, str) or not _is_plain(model):
        _refuse("it names no model")
    nodes: Any = description.get("n")
    if not isinstance(nodes, dict) or not nodes:
        raise LinkError(_FORMAT, "the description cannot be used: it has no nodes")
    for node, entry in nodes.items():
        _check_node(node, entry)
    if len(json_text.text(description).encode()) > MAXIMUM:
        _refuse("it is longer than 3072 octets")
    return description


def resolve(description: "dict[str, Any]", text: str) -> tuple[str, str]:
    """(node, property) for `property` or `node.property` of a checked description.

    Raises LinkError 51 when nothing, or more than one node, has that property; the text lists the candidates.
    """
    node, _, name = text.rpartition(".")
    found = [p for p in kinds.properties(description) if p.name == name and (not node or p.node == node)]
    if len(found) == 1:
        return found[0].node, found[0].name
    candidates = found or kinds.properties(description)
    listed = ", ".join(sorted([p.node + "." + p.name for p in candidates]))
    what = " names several properties: " if found else " is not a property of this device, which has "
    raise LinkError(_UNKNOWN_PROPERTY, text + what + listed)


def _check_node(node: str, entry: "Any") -> None:
    if not _is_name(node):
        _refuse("a node's name is not 1 to 32 of a-z, 0-9, - and _")
    if not isinstance(entry, dict) or str(entry.get("k")) not in kinds.KINDS:
        _refuse(str(node) + " has a kind that is not in the list")
    given = entry.get("p")
    if not isinstance(given, dict) or not given:
        _refuse(str(node) + " has no properties")
    if entry["k"] in kinds.SINGLE_PROPERTY_KINDS and len(given) != 1:
        _refuse(str(node) + " has more than one property")
    for name, items in given.items():
        if name not in kinds.KINDS[entry["k"]]:
            _refuse(str(node) + " has the property " + str(name) + ", which its kind does not know")
        _check_property(str(node) + "." + name, entry["k"], name, items)


def _check_property(label: str, kind: str, name: str, items: "Any") -> None:
    if not isinstance(items, list) or not 2 <= len(items) <= 5:
        _refuse(label + " is not a list of two to five texts")
    if not all([isinstance(item, str) and _is_plain(item) for item in items]):
        _refuse(label + " is not a list of two to five texts")
    wanted = kinds.KINDS[kind][name]
    number = items[0] in _NUMBERS and wanted[0] in _NUMBERS
    if (items[0] != wanted[0] and not number) or items[1] != wanted[1]:
        _refuse(label + " has another type or access than its kind")
    prop = kinds.Property(kind, "", name, items)
    try:
        if prop.type == kinds.ENUM and "" in prop.choices():
            _refuse(label + " lists no choices")
        if prop.type in _NUMBERS and prop.format and not _is_range(prop.limits()):
            _refuse(label + " has a format that is not low:high")
        if prop.type == kinds.STRING and prop.format and int(prop.format) < 1:
            _refuse(label + " has a length below 1")
    except ValueError:
        _refuse(label + " has a format that is no number")


def _is_range(limits: "tuple[float, float] | None") -> bool:
    """Two finite numbers in order: others have no form in JSON."""
    return limits is not None and limits[1] - limits[0] >= 0 and limits[1] - limits[1] == 0


def _is_plain(text: str) -> bool:
    """No control character, which a terminal would obey."""
    return all([" " <= character and not "\x7f" <= character < "\xa0" for character in text])


def _is_name(name: object) -> bool:
    if not isinstance(name, str) or not 0 < len(name) <= MAXIMUM_NAME:
        return False
    return all([character in _NAME for character in name])


def _refuse(text: str) -> None:
    raise LinkError(_FORMAT, "the description cannot be used: " + text)
