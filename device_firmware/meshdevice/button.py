"""A push button: its presses as events, and the gestures of the button that every device has."""

from meshdevice.capability import CHOICE, Capability, Property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshdevice.parts import Value

SINGLE = "single"
DOUBLE = "double"
LONG = "long"
WIPE = "hold10"

_DEBOUNCE = 30
_DOUBLE_GAP = 400
_LONG = 1000
_WIPE = 10000


class Button(Capability):
    """Reports `press` with the gesture as its value; an event has no present value."""

    kind = "button"

    def __init__(self) -> None:
        super().__init__({"press": Property(CHOICE, "e", "single,double,long")}, {})

    def press(self, gesture: str) -> "list[tuple[str, Value]]":
        return [("press", gesture)]


class Gestures:
    """Turns the level of a switch, looked at every few ms, into single, double, long and hold10."""

    def __init__(self) -> None:
        self._down = False
        self._since = 0
        self._held = False
        self._released: int | None = None

    def step(self, down: bool, now: int) -> str | None:
        """One look at the switch at `now` ms; the gesture that ended with it, if any."""
        if down != self._down and now - self._since >= _DEBOUNCE:
            return self._press(now) if down else self._release(now)
        if self._down and not self._held and now - self._since >= _WIPE:
            self._held = True
            return WIPE
        if not self._down and self._released is not None and now - self._released > _DOUBLE_GAP:
            self._released = None
            return SINGLE
        return None

    def _press(self, now: int) -> None:
        self._down = True
        self._since = now
        self._held = False

    def _release(self, now: int) -> str | None:
        duration = now - self._since
        self._down = False
        self._since = now
        if self._held:
            self._released = None
            return None
        if duration >= _LONG:
            self._released = None
            return LONG
        if self._released is not None:
            self._released = None
            return DOUBLE
        self._released = now
        return None
