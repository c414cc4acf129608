"""What one copy of an account's stores lacks of another's."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mathmesh.errors import StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """Number of frames and tree digest of the last one (None for a store without a tree)."""

    count: int
    apex: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Frames `start` up to but not including `stop` of a store, and the tree digest that its last one must
    have.
    """

    store: str
    start: int
    stop: int
    apex: bytes | None


def missing(ours: Mapping[str, StoreStatus], theirs: Mapping[str, StoreStatus]) -> Iterable[Missing]:
    """The frames that `theirs` has and `ours` lacks, store by store.

    Raises StoreError where the copies cannot be two states of one history: ours is longer, or both are of one
    length with different digests.
    """
    for store, remote in theirs.items():
        local = ours.get(store, StoreStatus(count=0))
        if local.count > remote.count:
            raise StoreError(
                f"{store} has {local.count} frames here and {remote.count} at the service: the service lost "
                "frames; restore its folder from a backup, then start again"
            )
        if local.count == remote.count:
            check_apex(store, local.apex, remote.apex)
            continue
        yield Missing(store=store, start=local.count, stop=remote.count, apex=remote.apex)


def check_apex(store: str, ours: bytes | None, theirs: bytes | None) -> None:
    """Raise StoreError unless two copies of equal length have the same tree digest (where both have one)."""
    if ours is None or theirs is None or hmac.compare_digest(ours, theirs):
        return
    raise StoreError(
        f"{store} differs from the service's copy though both have the same length: one of them was altered; "
        "restore the folder that is at fault from a backup"
    )
