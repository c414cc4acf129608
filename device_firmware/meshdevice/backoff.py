"""Growing pauses between attempts; the one place that decides how long a device waits to reconnect."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshdevice.parts import Random


class Backoff:
    """Pauses of `first` doubling to `limit` milliseconds, each changed by up to a fifth either way.

    random: `random(n) -> bytes`, so that many devices do not come back in step after a power cut.
    """

    def __init__(self, first: int, limit: int, random: "Random") -> None:
        self._first = first
        self._limit = limit
        self._random = random
        self._next = first

    def pause(self) -> int:
        """The next pause in milliseconds; each call doubles the one after it."""
        base = self._next
        self._next = min(base * 2, self._limit)
        spread = base * 2 // 5
        return base - spread // 2 + int.from_bytes(self._random(2), "big") * spread // 65535

    def reset(self) -> None:
        """Start again at the first pause; call it when an attempt has really succeeded."""
        self._next = self._first
