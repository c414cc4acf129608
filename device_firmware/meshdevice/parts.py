"""What the parts of the firmware ask of each other, as types for the checkers; empty at run time."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    Value = bool | int | float | str | None
    """Value of a property."""

    Entry = tuple[str, str, Value]
    """Node, property and value of a reading."""

    Random = Callable[[int], bytes]

    class Board(Protocol):
        """Hardware of a unit: board_simulator or board_machine."""

        def led(self, lit: bool) -> None: ...

        def actuate(self, name: str, value: int) -> None: ...

        def measure(self) -> tuple[float, float]: ...

        def gestures(self, now: int) -> list[str]: ...

        def report(self, **fields: Any) -> None: ...

        def event(self, name: str, **fields: Any) -> None: ...

        def guard(self) -> None: ...

        def feed(self) -> None: ...

        def restart(self) -> None: ...

    class Network(Protocol):
        """How the unit gets to its hub: net_lan or net_wifi. Results are 0 or a code of the protocol book."""

        async def join(self, wifi: list[list[str]]) -> int: ...

        async def leave(self) -> None: ...

        async def reach(self, hubs: list[str]) -> int: ...

        def open_point(self, ssid: str, passphrase: str) -> None: ...

        def close_point(self) -> None: ...

    class Suite(Protocol):
        """Cryptography of the link (meshlink.suite), and the random pool behind it."""

        def random(self, count: int) -> bytes: ...

        def mix(self, entropy: bytes) -> bytes: ...
