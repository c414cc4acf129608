"""What the next frame of a sequence depends on, and frames that are made and not yet in place."""

from dataclasses import dataclass

from mathmesh.dare import merkle


class State:
    """How many frames there are, where they end, the links to them, and the exchange that is in use."""

    __slots__ = ("chain", "count", "end", "exchange_index", "tree")

    def __init__(
        self,
        *,
        count: int = 0,
        end: int = 0,
        tree: merkle.TreeState | None = None,
        chain: bytes = merkle.MISSING,
        exchange_index: int | None = None,
    ) -> None:
        self.count = count
        self.end = end
        self.tree = merkle.TreeState() if tree is None else tree
        self.chain = chain
        self.exchange_index = exchange_index

    def copy(self) -> "State":
        """An independent copy."""
        twin = State.__new__(State)
        twin.count, twin.end, twin.chain = self.count, self.end, self.chain
        twin.tree, twin.exchange_index = self.tree.copy(), self.exchange_index
        return twin


@dataclass(slots=True, kw_only=True)
class Staged:
    """Octets to write at the old end, the file offsets of the frames in them, and the state behind them."""

    octets: bytes
    positions: tuple[int, ...]
    state: State
