"""At most one Hint a second (protocol book, "Hints")."""

from meshlink import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshlink.suite import Effects

INTERVAL = 1000


class Hints:
    """The limit of one sender."""

    def __init__(self) -> None:
        self._last: int | None = None

    def about(self, sid: bytes, code: int, peer: object, now: int) -> "Effects":
        """The Hint as an effect, or none when the last one is less than a second old."""
        if self._last is not None and now - self._last < INTERVAL:
            return []
        self._last = now
        return [("send", record.hint(sid, code), peer)]
