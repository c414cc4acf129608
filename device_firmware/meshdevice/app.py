"""The firmware: composes identity, flash, link, carriers and nodes, and turns the main loop.

Start order matters on a board: the boot count rises before any radio is on. The watchdog is fed by the main
loop alone, so that a dead task or an endless wait ends in a reset.
"""

import asyncio
import gc
import hashlib
import json
import os
import sys

import board_config

from meshdevice import VERSION, capability, identity, products, runtime
from meshdevice.adoption import CLAIMED, FREE, PENDING, Adoption
from meshdevice.blink import Blinker
from meshdevice.button import WIPE
from meshdevice.carrier_lan import LanCarrier
from meshdevice.crypto import DeviceSuite
from meshdevice.link_identity import LinkIdentity
from meshdevice.onboard import Onboarding
from meshdevice.run import Runner
from meshdevice.storage import Counter, Pair
from meshlink.ring import Ring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshdevice.parts import Board, Network

_DESCRIPTION_VERSION = 1
_SAMPLE_S = 60
_HEARTBEAT_S = 60
_FIGURE_MS = 30000


class App:
    """One life of the device, from a boot (or a wipe) to the next wipe.

    folder: where identity and records lie; options: members of `device.json` there (kind, seed, interval,
    heartbeat, host, port); all of them may be absent.
    """

    def __init__(self, folder: str, options: "dict[str, Any]") -> None:
        self._clock = runtime.Clock()
        self._boot = Counter(folder, "boot").rise()
        made = identity.parse(Pair(folder, "identity").read())
        self._options = options
        self._pool = Pair(folder, "pool")
        self._adoption = Adoption(folder)
        self._suite = DeviceSuite(self._pool.read() or made.pool, self._boot)
        self._board = _make_board(folder, options)
        self._blinker = Blinker(self._board)
        self._network = _make_network()
        self._nodes = products.build(options.get("kind") or made.kind, self._board)
        self._identity = LinkIdentity(
            self._suite,
            made,
            boot=self._boot,
            description=capability.describe(made.model, self._nodes, _DESCRIPTION_VERSION),
            config=board_config,
            fw=VERSION,
            fwh=_bundle_hash(),
        )
        self._ring = Ring(self._boot, board_config.RING)
        self._runner: Runner | None = None
        self._running: Any = None
        self._folder = folder
        self._next_figure = 0
        self._wiped = False
        self._window_next = False
        self._carrier = LanCarrier(
            self._identity.lid,
            host=options.get("host", "0.0.0.0"),  # noqa: S104  (an adopter comes from anywhere on the LAN)
            port=options.get("port", 0),
            random=self._suite.random,
            receive=lambda record, connection: self._onboarding.receive(record, connection),
            lost=lambda connection: self._onboarding.lost(connection),
        )
        self._onboarding = Onboarding(
            self._suite,
            self._identity,
            self._adoption,
            carrier=self._carrier,
            board=self._board,
            blinker=self._blinker,
            network=self._network,
            clock=self._clock,
            hooks=self,
        )

    async def live(self) -> None:
        """Turn the main loop until a wipe, then restart the board."""
        state = self._adoption.state
        self._board.event("boot", boot=self._boot, state=state, runtime=sys.implementation.name)
        self._board.report(boot=self._boot, state=state, runtime=sys.implementation.name)
        if state != FREE:
            self.on_run()
        elif not _take_note(self._folder):
            self._onboarding.open_window()
        step = board_config.STEP_MS / 1000
        while not self._wiped:
            self._step(self._clock.now())
            await asyncio.sleep(step)
        await self._stop()
        if not self._window_next:
            _leave_note(self._folder)
        self._board.restart()

    def on_state(self) -> None:
        """Onboarding has stored another state."""
        state = self._adoption.state
        self._board.report(state=state)
        self._board.event("state", state=state)
        if state == FREE:
            self._wiped = True

    def on_run(self) -> None:
        """There is an adoption to run with."""
        if self._runner is None and self._adoption.state in (PENDING, CLAIMED):
            seconds = self._options.get("interval", _SAMPLE_S)
            self._runner = Runner(
                self._suite,
                self._identity,
                self._adoption,
                nodes=self._nodes,
                network=self._network,
                board=self._board,
                clock=self._clock,
                ring=self._ring,
                sample_ms=int(seconds * 1000),
                heartbeat_ms=int(self._options.get("heartbeat", _HEARTBEAT_S) * 1000),
                hooks=self,
            )
            self._running = asyncio.create_task(self._runner.run())
            self._board.guard()

    def on_session(self) -> None:
        """The hub has proved itself in a running session."""
        self._board.event("session")
        self._onboarding.confirmed()

    def on_forget(self) -> None:
        """The owner gives the device up."""
        self._onboarding.reset()

    def on_entropy(self, octets: bytes, keep: bool) -> None:
        """A peer sent entropy: stir it in; keep: also on flash."""
        pool = self._suite.mix(octets)
        if keep:
            self._pool.write(pool)

    def _step(self, now: int) -> None:
        self._board.feed()
        for gesture in self._board.gestures(now):
            self._gesture(gesture)
        self._carrier.step()
        self._onboarding.step()
        self._blinker.step(now)
        if now >= self._next_figure:
            self._next_figure = now + _FIGURE_MS
            gc.collect()
            self._board.report(heap=runtime.heap_used())
        if self._runner is not None:
            self._runner.step()
            if self._running.done():
                raise RuntimeError("the running task ended by itself")

    def _gesture(self, gesture: str) -> None:
        self._board.event("button", gesture=gesture)
        if gesture == WIPE:
            self._window_next = True
            self._onboarding.reset()
        elif self._adoption.state == FREE:
            self._onboarding.open_window()
        if gesture != WIPE:
            changes = [(name, p, v) for name, node in self._nodes.items() for p, v in node.press(gesture)]
            if self._runner is not None:
                self._runner.report(changes)

    async def _stop(self) -> None:
        self._carrier.close()
        self._blinker.stop()
        if self._runner is not None:
            self._running.cancel()
            try:
                await self._running
            except asyncio.CancelledError:
                self._runner.close()
        self._onboarding.link.erase()


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


def _bundle_hash() -> bytes:
    """SHA-256 of the bundle's manifest, which lies beside the generated configuration."""
    base = str(board_config.__file__)
    path = base[: base.rfind("/") + 1] + "manifest.json"
    try:
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).digest()
    except OSError:
        return bytes(32)


def _leave_note(folder: str) -> None:
    """Tell the next life that nobody pressed the button: its window stays shut."""
    with open(folder + "/shut", "w"):
        pass


def _take_note(folder: str) -> bool:
    try:
        os.remove(folder + "/shut")
    except OSError:
        return False
    return True


def _options(folder: str) -> "dict[str, Any]":
    try:
        with open(folder + "/device.json") as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return {}


def main() -> None:
    """Run for ever: one life after the other. The state folder is the first argument, or the board's own."""
    folder = sys.argv[1] if len(sys.argv) > 1 else board_config.FOLDER
    while True:
        asyncio.run(App(folder, _options(folder)).live())
        if runtime.MICROPYTHON:
            asyncio.new_event_loop()
        gc.collect()
