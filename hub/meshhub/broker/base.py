"""What every broker offers to the hub, and the supervision that both share."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from mathmesh.types import Entropy
from meshhub import logging
from meshhub.broker.accounts import BrokerAccount, hash_password, new_password, new_user

START_SECONDS = 5.0
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0

log = logging.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What the hub's own client needs; made anew at each start and kept in memory only."""

    host: str
    port: int
    user: str
    password: str


def listen_addresses(bind: str) -> tuple[str, ...]:
    """Where to listen when devices come in at `bind`: loopback too, for the hub's own client."""
    if bind in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - compared, not bound
        return (bind,)
    return ("127.0.0.1", bind)


class Broker(ABC):
    """A running broker. `start` returns when it answers; from then on it is restarted whenever it fails."""

    kind: str

    def __init__(
        self, *, bind: str, port: int, entropy: Entropy, changed: Callable[[bool], None] | None = None
    ):
        self.bind = bind
        self.port = port
        self.running = False
        self.restarts = 0
        self.login = Login(
            host="127.0.0.1", port=port, user=new_user(entropy), password=new_password(entropy)
        )
        self._own = BrokerAccount(
            user=self.login.user, password_hash=hash_password(self.login.password, entropy), topic_id=None
        )
        self._accounts: dict[str, BrokerAccount] = {self._own.user: self._own}
        self._changed = changed or (lambda _running: None)
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses that it listens on."""
        return listen_addresses(self.bind)

    async def start(self, accounts: Iterable[BrokerAccount] = ()) -> None:
        """Start with these device accounts. Raises TransportError when it does not come up."""
        self._accounts = {account.user: account for account in (self._own, *accounts)}
        await self._open()
        self._tell(True)
        self._supervisor = asyncio.create_task(self._supervise(), name="broker supervisor")

    async def stop(self) -> None:
        """Stop it for good; nothing of it is left running."""
        if self._supervisor:
            self._supervisor.cancel()
            with suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        await self._close()
        self._tell(False)

    async def set_accounts(self, accounts: Iterable[BrokerAccount]) -> None:
        """Replace the device accounts; clients of removed accounts are disconnected."""
        self._accounts = {account.user: account for account in (self._own, *accounts)}
        await self._reload()

    def _tell(self, running: bool) -> None:
        if running != self.running:
            self.running = running
            self._changed(running)

    async def _supervise(self) -> None:
        while True:
            reason = await self._failed()
            self._tell(False)
            log.warning("broker went away, starting it again", broker=self.kind, reason=reason)
            await self._restart()
            self.restarts += 1
            self._tell(True)
            log.info("broker runs again", broker=self.kind, port=self.port)

    async def _restart(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._close()
                await self._open()
                return
            except (
                Exception
            ) as error:  # whatever it is: without a broker there is nothing else to do than try
                log.error("broker does not start", broker=self.kind, error=error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _answering(self) -> bool:
        try:
            async with asyncio.timeout(1):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True

    @abstractmethod
    async def _open(self) -> None:
        """Start it and return when it accepts connections, else raise TransportError."""

    @abstractmethod
    async def _close(self) -> None:
        """Stop it if it runs."""

    @abstractmethod
    async def _reload(self) -> None:
        """Take over self._accounts."""

    @abstractmethod
    async def _failed(self) -> str:
        """Wait until it is gone and say why."""
