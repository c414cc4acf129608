"""A digest that is computed in a thread of its own, while others encrypt and write."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from mathmesh.dare.sealing import Hasher
from mathmesh.dare.stream import BUFFERS

_AHEAD = BUFFERS - 2
"""Pieces that may still be unread when `update` returns."""


class HashThread:
    """A `Hasher` and a context manager, used with one digest; see `dare.stream.write_stream`."""

    def __init__(self) -> None:
        self._hasher: Hasher | None = None
        self._pool = ThreadPoolExecutor(1, "digest")
        self._pending: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)

    def wrap(self, hasher: Hasher) -> Hasher:
        """Takes over `hasher`; what is given to this object goes to that one, in order."""
        self._hasher = hasher
        return self

    def update(self, piece: bytes | memoryview, /) -> None:
        """Takes the next piece, which may be read until `BUFFERS - 2` further ones were given."""
        assert self._hasher is not None
        self._pending.append(self._pool.submit(self._hasher.update, piece))
        while len(self._pending) > _AHEAD:
            self._pending.popleft().result()

    def digest(self) -> bytes:
        """The digest of all pieces."""
        assert self._hasher is not None
        while self._pending:
            self._pending.popleft().result()
        return self._hasher.digest()
