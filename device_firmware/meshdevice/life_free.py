"""The life of a device that nobody owns: the window, the carrier, and an adoption up to its commit.

It decides nothing about the link: every rule is in meshlink.onboard_device; here its effects are carried out.
"""

import asyncio
import hashlib

import board_config

from meshdevice import VERSION
from meshdevice.adoption import FREE
from meshdevice.blink import Blinker
from meshdevice.carrier_lan import LanCarrier
from meshdevice.life import Life, take_note
from meshdevice.link_identity import LinkIdentity
from meshdevice.storage import Pair, StorageError
from meshlink import label
from meshlink.onboard_device import DeviceLink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshdevice.adoption import Adoption
    from meshdevice.carrier_lan import Connection

_STORAGE = 19


class FreeLife(Life):
    """See Life; ends when an adoption goes on to its run phase, or was wiped."""

    def __init__(self, folder: str, options: "dict[str, Any]", adoption: "Adoption") -> None:
        super().__init__(folder, options, adoption)
        self._blinker = Blinker(self.board)
        self._task: Any = None
        link_identity = LinkIdentity(
            self.suite,
            self.identity,
            boot=self.boot,
            description=self.describe(),
            config=board_config,
            fw=VERSION,
            fwh=_bundle_hash(),
        )
        self._link = DeviceLink(
            self.suite,
            link_identity,
            state=adoption.state,
            now=self.clock.now(),
            last_error=_STORAGE if adoption.damaged else 0,
        )
        self._lid = link_identity.lid
        self._carrier = LanCarrier(
            self._lid,
            host=options.get("host", "0.0.0.0"),  # noqa: S104  (an adopter comes from anywhere on the LAN)
            port=options.get("port", board_config.PORT),
            random=self.suite.random,
            receive=self._receive,
            lost=self._lost,
            peer=self._link_peer,
        )

    def begin(self) -> None:
        if not take_note(self.folder):
            self._carry_out(self._link.open_window(self.clock.now()))

    def step(self, now: int) -> None:
        self._carrier.step()
        self._blinker.step(now)
        if self._link.deadline is not None and now >= self._link.deadline:
            self._carry_out(self._link.tick(now))

    async def stop(self) -> None:
        self._carrier.close()
        self._blinker.stop()
        self._link.erase()

    def reset(self) -> None:
        self._blinker.stop()
        if self._link.state == FREE:
            self._carry_out(self._link.open_window(self.clock.now()))
        else:
            self._carry_out(self._link.reset(self.clock.now()))
            self.end(window=True)

    def pressed(self, gesture: str, changes: "list[tuple[str, str, Any]]") -> None:
        self._carry_out(self._link.open_window(self.clock.now()))

    def _receive(self, record: bytes, connection: "Connection") -> None:
        self._carry_out(self._link.receive(record, self.clock.now(), connection))

    def _link_peer(self) -> object:
        return self._link.peer

    def _lost(self, connection: "Connection") -> None:
        self._carry_out(self._link.closed(connection, self.clock.now()))

    def _carry_out(self, effects: "list[tuple[Any, ...]]") -> None:
        for name, *rest in effects:
            if name == "send":
                rest[1].send(rest[0])
            elif name == "close":
                rest[0].close()
            elif name == "event":
                self._event(rest[0], rest[1])
            elif name == "store" and not self._store(rest[0], rest[1]):
                if rest[0] == "pending":
                    self._carry_out(self._link.store_failed(self.clock.now()))
                return

    def _store(self, name: str, value: "Any") -> bool:
        try:
            if name == "pending":
                self.adoption.hold(value)
            elif name == "claimed":
                self.adoption.claim()
            elif name == "free":
                self.adoption.wipe()
                self.end(window=False)
        except StorageError as error:
            self.board.event("storage", error=str(error))
            return False
        self.state_changed()
        return True

    def _event(self, name: str, value: "Any") -> None:
        if name == "window":
            self._task = asyncio.create_task(self._window(value))
        elif name == "blink":
            self._blinker.start(value, self.clock.now())
            self.board.event("blink", s=value)
        elif name == "join":
            self._task = asyncio.create_task(self._join(value))
        elif name == "ent":
            self._stir(value)
        elif name == "run":
            self.end(window=False)

    def _stir(self, entropy: bytes) -> None:
        try:
            Pair(self.folder, "pool").write(self.suite.mix(entropy))
        except StorageError as error:
            self.board.event("storage", error=str(error))

    async def _window(self, is_open: bool) -> None:
        if not is_open:
            self._carrier.close()
            self.network.close_point()
        else:
            self.network.open_point(label.ssid(self._lid), self.identity.passphrase)
            try:
                await self._carrier.open()
            except OSError as error:
                self.board.event("trouble", error=str(error))
        self.board.report(port=self._carrier.port)
        self.board.event("window", open=is_open, port=self._carrier.port)

    async def _join(self, secrets: "dict[str, Any]") -> None:
        code = await self.network.join(secrets["wifi"])
        if not code:
            code = await self.network.reach(secrets["hub"])
        self._carry_out(self._link.network(code, self.clock.now()))


def _bundle_hash() -> bytes:
    """SHA-256 of the bundle's manifest, which lies beside the generated configuration."""
    base = str(board_config.__file__)
    path = base[: base.rfind("/") + 1] + "manifest.json"
    try:
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).digest()
    except OSError:
        return bytes(32)
