"""What the state machine wants done: returned, not made. The engine makes all effects of one request durable
together, or none of them, before it lets the answer out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mathmesh.dare.envelope import Envelope
from mathmesh.stores.sync import StoreStatus

MASTER_FOLDER = ""
"""The folder of the service's own sequences."""
MASTER_STORE = "Master"


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Append `envelopes` to a sequence, the first as frame `index`.

    `folder` is the UDF of an account, or MASTER_FOLDER. With `create` the sequence is begun anew
    (Merkle, its frame 0 without body or policy) and `index` is 1.
    """

    folder: str
    store: str
    index: int
    envelopes: tuple[Envelope, ...] = ()
    received: datetime
    create: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The encoded answer and what must be durable before it is given."""

    response: bytes
    effects: tuple[Append, ...] = ()


class StoreReader(Protocol):
    """What the state machine asks of the store engine: committed frames only."""

    def stores(self, folder: str) -> Sequence[str]:
        """The names of the sequences in a folder."""

    def status(self, folder: str, store: str) -> StoreStatus | None:
        """Number of frames and tree digest; None when there is no such sequence."""

    def envelopes(self, folder: str, store: str, start: int, stop: int) -> Iterable[Envelope]:
        """Frames `start` up to but not including `stop` as envelopes."""
