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


class Diverged(StoreError):
    """A service's copy of a store is no later state of the copy here.

    `known` is the count that was seen here, `stated` the service's; they are equal when only the digests
    differ, and `stated` is 0 when the service no longer has the store.
    """

    def __init__(self, store: str, known: int, stated: int, service: str) -> None:
        if stated < known:
            what = f"has {stated} frames of {store} and had {known} before: it was set back to an old state"
        else:
            what = f"has other frames of {store} than the {known} here: it was set back to an old state and"
            what += " written to since, or one of the copies was altered"
        super().__init__(
            f"{service} {what}. Nothing is lost here: `meshman account sync --repair` gives it back what it"
            " lacks, unless its newer folder can be restored"
        )
        self.store, self.known, self.stated = store, known, stated


def missing(
    ours: Mapping[str, StoreStatus], theirs: Mapping[str, StoreStatus], service: str = "the service"
) -> Iterable[Missing]:
    """The frames that `theirs` has and `ours` lacks, store by store; `service` names them in errors.

    Raises Diverged where the copies cannot be two states of one history: ours is longer, or both are of one
    length with different digests.
    """
    for store, remote in theirs.items():
        local = ours.get(store, StoreStatus(count=0))
        if local.count > remote.count or (
            local.count == remote.count and not same_apex(local.apex, remote.apex)
        ):
            raise Diverged(store, local.count, remote.count, service)
        if local.count < remote.count:
            yield Missing(store=store, start=local.count, stop=remote.count, apex=remote.apex)


def same_apex(ours: bytes | None, theirs: bytes | None) -> bool:
    """Whether the tree digests of two copies agree; true where one has none."""
    return ours is None or theirs is None or hmac.compare_digest(ours, theirs)
