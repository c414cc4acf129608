"""Onboarding: joins the link's state machine to the carriers, the flash, the indicator and the network.

It decides nothing: every rule is in meshlink.onboard_device; here its effects are carried out in their order.
"""

import asyncio

from meshlink.onboard_device import DeviceLink

from meshdevice.adoption import CLAIMED, PENDING
from meshdevice.storage import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshdevice.adoption import Adoption
    from meshdevice.blink import Blinker
    from meshdevice.carrier_lan import Connection, LanCarrier
    from meshdevice.link_identity import LinkIdentity
    from meshdevice.parts import Board, Hooks, Network
    from meshdevice.runtime import Clock


class Onboarding:
    """hooks: "Hooks" with on_state(), on_run() and on_entropy(octets, keep), called when those happen."""

    def __init__(
        self,
        suite: "Any",
        identity: "LinkIdentity",
        adoption: "Adoption",
        *,
        carrier: "LanCarrier",
        board: "Board",
        blinker: "Blinker",
        network: "Network",
        clock: "Clock",
        hooks: "Hooks",
    ) -> None:
        self._adoption = adoption
        self._carrier = carrier
        self._board = board
        self._blinker = blinker
        self._network = network
        self._clock = clock
        self._hooks = hooks
        self._joining = self._opening = None
        self.link = DeviceLink(suite, identity, state=adoption.state, now=clock.now())

    def open_window(self) -> None:
        """Power-on, or the button: the device can be adopted for 15 minutes when it is free."""
        self._carry_out(self.link.open_window(self._clock.now()))

    def reset(self) -> None:
        """Ten seconds on the button, or the hub's `forget`."""
        self._blinker.stop()
        self._carry_out(self.link.reset(self._clock.now()))

    def confirmed(self) -> None:
        """A running session has confirmed: the adoption is final."""
        self._carry_out(self.link.confirmed(self._clock.now()))

    def receive(self, record: bytes, connection: "Connection") -> None:
        """One record from a carrier."""
        self._carry_out(self.link.receive(record, self._clock.now(), connection))

    def lost(self, connection: "Connection") -> None:
        """A carrier's connection has ended."""
        self._carry_out(self.link.closed(connection, self._clock.now()))

    def step(self) -> None:
        """Let time pass; the main loop calls this."""
        now = self._clock.now()
        if self.link.deadline is not None and now >= self.link.deadline:
            self._carry_out(self.link.tick(now))

    def _carry_out(self, effects: "list[tuple[Any, ...]]") -> None:
        for name, *rest in effects:
            if name == "send":
                record, connection = rest
                connection.send(record)
            elif name == "close":
                rest[0].close()
            elif name == "event":
                self._event(rest[0], rest[1])
            elif name == "store" and not self._store(rest[0], rest[1]):
                return

    def _store(self, name: str, value: "Any") -> bool:
        try:
            if name == "pending":
                self._adoption.hold(value)
                self._hooks.on_entropy(value["ent"], True)
            elif name == "claimed":
                self._adoption.claim()
            elif name == "free":
                self._adoption.wipe()
        except StorageError as error:
            self._board.event("storage", error=str(error))
            return False
        self._hooks.on_state()
        return True

    def _event(self, name: str, value: "Any") -> None:
        if name == "window":
            self._opening = asyncio.create_task(self._window(value))
        elif name == "blink":
            self._blinker.start(value, self._clock.now())
            self._board.event("blink", s=value)
        elif name == "join":
            self._joining = asyncio.create_task(self._join(value))
        elif name == "ent":
            self._hooks.on_entropy(value, False)
        elif name == "run" and self._adoption.state in (PENDING, CLAIMED):
            self._blinker.stop()
            self._hooks.on_run()

    async def _window(self, is_open: bool) -> None:
        if not is_open:
            self._carrier.close()
        else:
            try:
                await self._carrier.open()
            except OSError as error:
                self._board.event("trouble", error=str(error))
        self._board.report(port=self._carrier.port)
        self._board.event("window", open=is_open, port=self._carrier.port)

    async def _join(self, secrets: "dict[str, Any]") -> None:
        code = await self._network.join(secrets["wifi"])
        if not code:
            code = await self._network.reach(secrets["hub"])
        self._carry_out(self.link.network(code, self._clock.now()))
