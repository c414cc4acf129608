"""What every life of the device has: flash, identity, cryptography, board, nodes and the main loop.

A life lasts from one cold start to the next. A free device runs onboarding code only (life_free), an adopted
one running code only (life_adopted); the board restarts between them, so that neither pays for the other.
"""

import asyncio
import gc
import os
import sys

import board_config

from meshdevice import identity, products, runtime
from meshdevice.adoption import Adoption
from meshdevice.button import WIPE
from meshdevice.crypto import DeviceSuite
from meshdevice.storage import Counter, Pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshdevice.parts import Board, Network

_DESCRIPTION_VERSION = 1
_FIGURE_MS = 30000
_SHUT = "/shut"


class Life:
    """folder: where identity and records lie; options: members of `device.json` there, all of them optional:
    kind, seed, interval, heartbeat, host, port.

    The boot count rises here, before any radio is on.
    """

    def __init__(self, folder: str, options: "dict[str, Any]", adoption: Adoption) -> None:
        self.folder = folder
        self.options = options
        self.adoption = adoption
        self.clock = runtime.Clock()
        self.boot = Counter(folder, "boot").rise()
        self.identity = identity.parse(Pair(folder, "identity").read())
        self.suite = DeviceSuite(Pair(folder, "pool").read() or self.identity.pool, self.boot)
        self.board = _make_board(folder, options)
        self.network = _make_network()
        self.nodes = products.build(options.get("kind") or self.identity.kind, self.board)
        self._ended = False
        self._window_next = False
        self._next_figure = 0

    def describe(self) -> dict[str, object]:
        """The compact description of this unit."""
        nodes = {name: node.describe() for name, node in self.nodes.items()}
        return {"d": 1, "v": _DESCRIPTION_VERSION, "m": self.identity.model, "n": nodes}

    def end(self, *, window: bool) -> None:
        """Restart the board soon; window: a free device then looks for an adopter."""
        self._ended = True
        self._window_next = window

    async def live(self) -> None:
        """Turn the main loop until `end`, then restart the board."""
        state = self.adoption.state
        self.board.event("boot", boot=self.boot, state=state, runtime=sys.implementation.name)
        self.board.report(boot=self.boot, state=state, runtime=sys.implementation.name)
        self.begin()
        pause = board_config.STEP_MS / 1000
        try:
            while not self._ended:
                now = self.clock.now()
                self.board.feed()
                for gesture in self.board.gestures(now):
                    self._gesture(gesture)
                self.step(now)
                self._figure(now)
                await asyncio.sleep(pause)
        finally:
            await self.stop()
        if self._window_next:
            take_note(self.folder)
        else:
            leave_note(self.folder)
        self.board.restart()

    def begin(self) -> None:
        """The main loop is about to turn."""

    def step(self, now: int) -> None:
        """One turn of the main loop, at `now` ms since boot; must return within a second."""

    async def stop(self) -> None:
        """The main loop has turned for the last time."""

    def reset(self) -> None:
        """Ten seconds on the button: wipe what an adopter gave, if one has, and look for an adopter."""

    def pressed(self, gesture: str, changes: "list[tuple[str, str, Any]]") -> None:
        """A shorter press, and the (node, property, value) that it changed."""

    def state_changed(self) -> None:
        """Show the state that was just stored."""
        self.board.report(state=self.adoption.state)
        self.board.event("state", state=self.adoption.state)

    def _gesture(self, gesture: str) -> None:
        self.board.event("button", gesture=gesture)
        if gesture == WIPE:
            self.reset()
            return
        changes = [(name, p, v) for name, node in self.nodes.items() for p, v in node.press(gesture)]
        self.pressed(gesture, changes)

    def _figure(self, now: int) -> None:
        if now >= self._next_figure:
            self._next_figure = now + _FIGURE_MS
            gc.collect()
            self.board.report(heap=runtime.heap_used())


def leave_note(folder: str) -> None:
    """Tell the next life that nobody pressed the button: its window stays shut."""
    with open(folder + _SHUT, "w"):
        pass


def take_note(folder: str) -> bool:
    """Whether the life before left that note, which is gone then."""
    try:
        os.remove(folder + _SHUT)
    except OSError:
        return False
    return True


def _make_board(folder: str, options: "dict[str, Any]") -> "Board":
    if board_config.DRIVER == "simulator":
        from meshdevice.board_simulator import Board
    else:
        from meshdevice.board_machine import Board
    return Board(board_config, folder, options)


def _make_network() -> "Network":
    if board_config.NETWORK == "wifi":
        from meshdevice.net_wifi import Network
    else:
        from meshdevice.net_lan import Network
    return Network()
