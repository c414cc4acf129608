"""How often something may be done: a limit that is kept in memory only, since it protects what runs now."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

KEYS_MOST = 4096
"""Names that are remembered at a time; the one that was used longest ago is dropped."""


class Pace:
    """At most `times` in `span` under each name."""

    def __init__(self, times: int, span: timedelta) -> None:
        self._times = times
        self._span = span
        self._used: OrderedDict[str, deque[datetime]] = OrderedDict()

    def allows(self, name: str, now: datetime, count: int = 1) -> bool:
        """Whether `count` more are allowed under `name` at `now`; they are counted when they are."""
        used = self._used.pop(name, deque())
        self._used[name] = used
        while len(self._used) > KEYS_MOST:
            self._used.popitem(last=False)
        while used and abs(now - used[0]) >= self._span:
            used.popleft()
        if len(used) + count > self._times:
            return False
        used.extend([now] * count)
        return True
