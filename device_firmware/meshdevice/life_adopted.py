"""The life of a device that holds an adoption: it runs, becomes CLAIMED by a session, and can be wiped."""

import asyncio

import board_config

from meshdevice.adoption import PENDING
from meshdevice.life import Life
from meshdevice.run import Runner
from meshdevice.storage import StorageError
from meshlink.ring import Ring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshdevice.adoption import Adoption

PENDING_LIMIT_MS = 10 * 60 * 1000

_SAMPLE_S = 60
_HEARTBEAT_S = 60


class AdoptedLife(Life):
    """See Life; ends when the adoption is wiped: by the button, by the owner, or PENDING for 10 min."""

    def __init__(self, folder: str, options: "dict[str, Any]", adoption: "Adoption") -> None:
        super().__init__(folder, options, adoption)
        self._running: Any = None
        self._runner = Runner(
            self.suite,
            adoption,
            udf=self.identity.udf,
            description=self.describe(),
            nodes=self.nodes,
            network=self.network,
            board=self.board,
            clock=self.clock,
            ring=Ring(self.boot, board_config.RING),
            sample_ms=int(options.get("interval", _SAMPLE_S) * 1000),
            heartbeat_ms=int(options.get("heartbeat", _HEARTBEAT_S) * 1000),
            on_session=self._session,
            on_forget=self._forget,
        )

    def begin(self) -> None:
        self._running = asyncio.create_task(self._runner.run())
        self.board.guard()

    def step(self, now: int) -> None:
        self._runner.step()
        if self._running.done():
            raise RuntimeError("the running task ended by itself")
        if self.adoption.state == PENDING and now >= PENDING_LIMIT_MS:
            self._wipe(window=False)

    async def stop(self) -> None:
        self._running.cancel()
        try:
            await self._running
        except asyncio.CancelledError:
            self._runner.close()

    def reset(self) -> None:
        self._wipe(window=True)

    def pressed(self, gesture: str, changes: "list[tuple[str, str, Any]]") -> None:
        self._runner.report(changes)

    def _session(self) -> None:
        self.board.event("session")
        if self.adoption.state != PENDING:
            return
        try:
            self.adoption.claim()
        except StorageError as error:
            self.board.event("storage", error=str(error))
            return
        self.state_changed()

    def _forget(self) -> None:
        self._wipe(window=False)

    def _wipe(self, *, window: bool) -> None:
        self.adoption.wipe()
        self.state_changed()
        self.end(window=window)
