"""The adoptions that were started through the API, so that pages and commands can follow them by id."""

from meshhub.dashboard.ports import Adoption
from meshhub.dashboard.problems import Problem

KEPT = 16
ENDED = frozenset({"done", "failed"})


class Adoptions:
    """The newest `KEPT` adoptions by id."""

    def __init__(self) -> None:
        self._by_id: dict[str, Adoption] = {}

    def add(self, adoption: Adoption) -> None:
        """Follow `adoption`; ended ones make room first."""
        self._by_id[adoption.id] = adoption
        surplus = len(self._by_id) - KEPT
        for one in [a for a in self._by_id.values() if a.state in ENDED][: max(0, surplus)]:
            del self._by_id[one.id]

    def get(self, identifier: str) -> Adoption:
        """The adoption of that id; raises `Problem` 404."""
        if identifier not in self._by_id:
            raise Problem(
                404, "unknown-adoption", "The hub no longer knows this attempt.", "Add the device again."
            )
        return self._by_id[identifier]

    def all(self) -> list[Adoption]:
        """Oldest first."""
        return list(self._by_id.values())

    @property
    def active(self) -> bool:
        """Whether one is still going on."""
        return any(one.state not in ENDED for one in self._by_id.values())
