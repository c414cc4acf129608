"""How a device judges commands (protocol book, "Commands"): one gate, the order of its checks fixed.

id among the kept results → x → node and property → access → value → n → (ask, go) → act
"""

from meshlink import kinds, messages
from meshlink.hkdf import equal
from meshlink.record import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshlink.suite import Suite

KEPT = 64
CHALLENGE = 8
GO_WITHIN = 5000
MAXIMUM_OPEN = 8


class Gate:
    """Judges for one checked description; verdicts are tuples whose first item says what to do:

    ("res", code, value)  answer at once          ("ask", challenge)  challenge the hub
    ("act", Property)     act, then kept()        ("wait",)           it is being acted on: say nothing
    """

    def __init__(self, suite: "Suite", description: "dict[str, Any]") -> None:
        self._suite = suite
        self._description = description
        self._results: dict[bytes, tuple[int, object]] = {}
        self._order: list[bytes] = []
        self._last: dict[tuple[str, str], int] = {}
        self._asked: dict[bytes, tuple[dict[str, Any], bytes, int]] = {}
        self._acting: dict[bytes, kinds.Property] = {}

    def command(self, message: "dict[str, Any]", hub_time: int | None, now: int) -> "tuple[Any, ...]":
        """Verdict on a `cmd`; hub_time: ms since 1970 or None when not known, now: own ticks in ms."""
        identifier = message["id"]
        if identifier in self._results:
            return ("res",) + self._results[identifier]
        if identifier in self._acting:
            return ("wait",)
        if identifier in self._asked:
            return ("ask", self._asked[identifier][1])
        try:
            prop = self._check(message, hub_time)
        except LinkError as error:
            return ("res",) + self.keep(identifier, error.code, None)
        if not prop.needs_go:
            return self._accept(message, prop)
        while len(self._asked) >= MAXIMUM_OPEN:
            del self._asked[min(self._asked, key=lambda key: self._asked[key][2])]
        challenge = self._suite.random(CHALLENGE)
        self._asked[identifier] = (message, challenge, now)
        return ("ask", challenge)

    def go(self, message: "dict[str, Any]", now: int) -> "tuple[Any, ...]":
        """Verdict on a `go`: acts within 5 s of the challenge, once; a wrong one ends the command."""
        identifier = message["id"]
        if identifier in self._results:
            return ("res",) + self._results[identifier]
        if identifier in self._acting:
            return ("wait",)
        if identifier not in self._asked:
            return ("res", messages.POLICY, None)
        asked, challenge, since = self._asked.pop(identifier)
        if not equal(message["ch"], challenge):
            return ("res",) + self.keep(identifier, messages.POLICY, None)
        if now - since > GO_WITHIN:
            return ("res",) + self.keep(identifier, messages.EXPIRED, None)
        prop = kinds.property_of(self._description, asked["node"], asked["prop"])
        if asked["n"] <= self._last.get((prop.node, prop.name), -1):
            return ("res",) + self.keep(identifier, messages.SUPERSEDED, None)
        return self._accept(asked, prop)

    def keep(self, identifier: bytes, code: int, value: object) -> "tuple[int, object]":
        """Keep the result of a command, so that the same id gets the same answer; 64 are kept."""
        self._acting.pop(identifier, None)
        if identifier not in self._results:
            self._order.append(identifier)
        self._results[identifier] = (code, value)
        if len(self._order) > KEPT:
            del self._results[self._order.pop(0)]
        return code, value

    def restore(self, identifiers: "list[bytes]") -> None:
        """One-shot commands acted on before this boot: never again, their result is not known."""
        for identifier in identifiers:
            self.keep(identifier, messages.FAILED, None)

    def _check(self, message: "dict[str, Any]", hub_time: int | None) -> kinds.Property:
        if hub_time is None:
            raise LinkError(messages.NO_TIME, "the device does not know the time")
        if message["x"] < hub_time:
            raise LinkError(messages.EXPIRED, "expired")
        prop = kinds.property_of(self._description, message["node"], message["prop"])
        if not prop.writable:
            raise LinkError(messages.POLICY, "not writable")
        kinds.check_value(prop, message["v"])
        if message["n"] <= self._last.get((prop.node, prop.name), -1):
            raise LinkError(messages.SUPERSEDED, "superseded")
        return prop

    def _accept(self, message: "dict[str, Any]", prop: kinds.Property) -> "tuple[Any, ...]":
        self._last[(prop.node, prop.name)] = message["n"]
        self._acting[message["id"]] = prop
        return ("act", prop, message["v"])
