"""amqtt inside the hub process, for machines without mosquitto; about eight times the processor time.

amqtt's own order of things is not safe enough: a client is registered, and an older session of that client
identifier is dropped, before the password was looked at; a last will is published without asking for rights.
`GuardedBroker` changes that order; it relies on the pinned version's internals, the only place that does.

To end a session, amqtt cancels the task that reads from its client, once, and waits for that task. Before
Python 3.12 `asyncio.wait_for` loses a cancellation that comes together with a packet: the task then reads on,
and the wait lasts as long as the client does. So the client's connection is cut first; its end is never lost.
"""

from __future__ import annotations

import asyncio
import logging as standard_logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker as AmqttBroker
from amqtt.contexts import Action, BaseContext
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.errors import BrokerError as AmqttBrokerError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from mathmesh.types import Entropy
from meshhub import logging
from meshhub.broker.accounts import BrokerAccount, verify_password
from meshhub.broker.base import Broker
from meshhub.broker.files import MAX_PACKET
from meshhub.errors import TransportError

CONNECT_SECONDS = 10
UNKNOWN_OF_A_HOST = 32
UNKNOWN = 256
"""Connections that have not signed in yet; each has `CONNECT_SECONDS` for it."""
STOP_SECONDS = 3.0
WATCH_SECONDS = 0.5

log = logging.get(__name__)


class Guard(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc]
    """Rights of the broker's accounts, as amqtt asks for them."""

    def __init__(self, context: BaseContext):
        super().__init__(context)
        self.accounts: Mapping[str, BrokerAccount] = {}

    async def authenticate(self, *, session: Session) -> bool:
        """Right password, and a last will (if any) to a topic that the account may write to."""
        account = self.accounts.get(session.username or "")
        if account is None or not verify_password(session.password or "", account.password_hash):
            return False
        return not session.will_flag or account.may_write(session.will_topic or "")

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Rights by topic; an account that was removed has none."""
        account = self.accounts.get((session.username if session else None) or "")
        if account is None or not topic:
            return False
        if action == Action.PUBLISH:
            return account.may_write(topic)
        return account.may_subscribe(topic) if action == Action.SUBSCRIBE else account.may_read(topic)


class LimitedReader(StreamReaderAdapter):  # type: ignore[misc]
    """What a client sends; one that announces more than any packet of ours has is cut off."""

    async def read(self, n: int = -1) -> bytes:
        if n > MAX_PACKET:
            raise ConnectionResetError("a packet is too long")
        return bytes(await super().read(n))


class Subscriptions(dict[str, list[tuple[Session, int]]]):
    """amqtt waits while it goes through them, and clients come and go meanwhile: a copy is gone through."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.keys()))

    def items(self) -> Any:
        """All of them, as they are now."""
        return list(super().items())


class GuardedBroker(AmqttBroker):  # type: ignore[misc]
    """amqtt's broker, which looks at the password first and names each client after its account."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._subscriptions = Subscriptions()
        self._writers: set[asyncio.StreamWriter] = set()
        self._unknown: dict[asyncio.StreamWriter, str] = {}

    def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> Awaitable[None]:
        """A new connection, known at once: its task may be cancelled before its first step. It is cut off
        when its host, or all together, have too many that have not signed in.
        """
        host = str((writer.get_extra_info("peername") or ("",))[0])
        if len(self._unknown) >= UNKNOWN or list(self._unknown.values()).count(host) >= UNKNOWN_OF_A_HOST:
            writer.transport.abort()
            return asyncio.sleep(0)
        self._unknown[writer] = host
        self._writers = {known for known in self._writers if not known.is_closing()} | {writer}
        return self._serve(reader, writer, listener_name)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        try:
            await self._client_connected(listener_name, LimitedReader(reader), StreamWriterAdapter(writer))
        finally:  # amqtt leaves it open when its server is being stopped
            self._unknown.pop(writer, None)
            writer.close()

    async def drop_connections(self) -> None:
        """Cut every connection, also those that have not signed in yet."""
        await asyncio.sleep(0)  # one that was accepted in the last moment is handed over now
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _cleanup_session(self, client_id: str) -> None:
        _, handler = self._sessions.get(client_id, (None, None))
        if handler is not None and isinstance(handler.writer, StreamWriterAdapter):
            handler.writer._writer.transport.abort()
        await super()._cleanup_session(client_id)

    async def _initialize_client_session(
        self, reader: Any, writer: Any, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                handler, session = await BrokerProtocolHandler.init_from_connect(
                    reader, writer, self.plugins_manager
                )
        except (AMQTTError, MQTTError, NoDataError, TimeoutError, OSError, ValueError) as error:
            await writer.close()
            raise AMQTTError("no proper CONNECT") from error
        session.clean_session = True
        session.parent = 0
        return handler, session

    async def _handle_client_session(
        self, reader: Any, writer: Any, session: Session, handler: Any, server: Any, listener: str
    ) -> None:
        if not await super()._authenticate(session, self.listeners_config[listener]):
            await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
            await writer.close()
            return
        self._unknown.pop(writer._writer, None)
        session.client_id = session.username
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._cleanup_session(session.client_id)
        except TimeoutError:  # the former connection does not end: the new one takes its place all the same
            self._sessions.pop(session.client_id, None)
        await super()._handle_client_session(reader, writer, session, handler, server, listener)

    async def _authenticate(self, session: Session, listener: Any) -> bool:
        return True  # reached only through _handle_client_session, which has asked

    @property
    def guard(self) -> Guard:
        """The one plugin."""
        guard = self.plugins_manager.get_plugin("Guard")
        assert isinstance(guard, Guard)
        return guard

    async def disconnect_strangers(self) -> None:
        """Drop the sessions whose account no longer exists."""
        for user in [user for user in self._sessions if user not in self.guard.accounts]:
            await self._cleanup_session(user)

    @property
    def healthy(self) -> bool:
        """All listeners open and the delivery task alive."""
        delivering = self._broadcast_task is not None and not self._broadcast_task.done()
        return delivering and all(server.instance.is_serving() for server in self._servers.values())


class Embedded(Broker):
    """amqtt, watched and started again when a part of it has stopped."""

    kind = "amqtt"

    def __init__(
        self, *, bind: str, port: int, entropy: Entropy, changed: Callable[[bool], None] | None = None
    ):
        super().__init__(bind=bind, port=port, entropy=entropy, changed=changed)
        self._broker: GuardedBroker | None = None
        # amqtt logs packets with their contents; only what is wrong may come through.
        for name in ("amqtt", "transitions"):
            standard_logging.getLogger(name).setLevel(standard_logging.ERROR)

    async def _open(self) -> None:
        first, *others = self.addresses
        listeners: dict[str, Any] = {"default": {"type": "tcp", "bind": f"{first}:{self.port}"}}
        listeners |= {
            f"devices{number}": {"type": "tcp", "bind": f"{address}:{self.port}"}
            for number, address in enumerate(others)
        }
        plugins: dict[str, Any] = {f"{Guard.__module__}.{Guard.__qualname__}": {}}
        broker = GuardedBroker({"listeners": listeners, "plugins": plugins})
        broker.guard.accounts = self._accounts
        try:
            await broker.start()
        except AmqttBrokerError as error:
            raise TransportError(f"the embedded broker cannot listen on port {self.port}: {error}") from error
        self._broker = broker

    async def _close(self) -> None:
        broker, self._broker = self._broker, None
        if broker is None:
            return
        await broker.drop_connections()
        closing = asyncio.create_task(broker.shutdown())
        done, _ = await asyncio.wait({closing}, timeout=STOP_SECONDS)
        if not done:
            log.warning("the embedded broker did not end in time", broker=self.kind)
            for server in broker._servers.values():
                server.instance.close()
            closing.cancel()
            await asyncio.wait({closing}, timeout=1)
        elif not closing.cancelled() and isinstance(error := closing.exception(), Exception):
            log.debug("the embedded broker ended with an error", broker=self.kind, error=error)
        await broker.drop_connections()

    async def _reload(self) -> None:
        if self._broker:
            self._broker.guard.accounts = self._accounts
            await self._broker.disconnect_strangers()

    async def _failed(self) -> str:
        # amqtt tells nobody when a part of it ends, so it is looked at.
        while self._broker is not None and self._broker.healthy:  # noqa: ASYNC110
            await asyncio.sleep(WATCH_SECONDS)
        return "a listener or the delivery task has ended"
