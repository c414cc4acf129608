"""The indicator while the user looks for this unit: 2 Hz for as long as the adopter asked."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshdevice.parts import Board

_HALF_PERIOD = 250


class Blinker:
    """board: has led(bool). `step` is called by the main loop."""

    def __init__(self, board: "Board") -> None:
        self._board = board
        self._end = 0
        self._lit = False

    def start(self, seconds: int, now: int) -> None:
        """Blink from now on for `seconds` (at most 60); a new request replaces the former."""
        self._end = now + min(max(seconds, 0), 60) * 1000

    def stop(self) -> None:
        """Dark at once."""
        self._end = 0
        self._set(False)

    def step(self, now: int) -> None:
        """Show the phase that belongs to `now`, in milliseconds."""
        self._set(now < self._end and now // _HALF_PERIOD % 2 == 0)

    def _set(self, lit: bool) -> None:
        if lit != self._lit:
            self._lit = lit
            self._board.led(lit)
