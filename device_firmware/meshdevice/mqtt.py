"""MQTT 3.1.1 client for a device: asyncio, QoS 0 and 1, a time limit on every wait, one write per packet.

It connects once and ends when the connection ends; whoever uses it decides about reconnecting, so that
pauses between attempts have one owner (meshdevice.backoff).
"""

import asyncio

from meshdevice import mqtt_packet
from meshdevice.runtime import send_at_once, ticks_diff, ticks_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_PACKET = 4608
_STEP = 0.25


class MqttError(OSError):
    """The connection cannot be used any more. `code` is the broker's refusal, 0 when it is none."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class MqttClient:
    """One connection. limit: seconds that any single wait may take; keepalive in seconds.

    on_message: `on_message(topic, payload)`, called from `run` for messages that are not retained.
    """

    def __init__(
        self,
        client_id: str,
        *,
        user: str = "",
        password: str = "",
        keepalive: int = 30,
        limit: float = 10,
        on_message: "Callable[[str, bytes], None] | None" = None,
    ) -> None:
        self._client_id = client_id
        self._user = user
        self._password = password
        self._keepalive = keepalive
        self._limit = limit
        self._on_message = on_message
        self._reader: Any = None
        self._writer: Any = None
        self._lock = asyncio.Lock()
        self._packet_id = 0
        self._waiting: dict[int, list[Any]] = {}
        self._sent = self._heard = self._pinged = ticks_ms()
        self.connected = False

    async def connect(
        self, host: str, port: int, *, will: tuple[str, bytes] = ("", b""), ssl: "Any" = None, name: str = ""
    ) -> None:
        """Open the connection and pass CONNACK; will is (topic, payload), ssl a context, name the server's.

        Raises MqttError; `code` 4 or 5 means that the broker refuses the credentials.
        """
        try:
            await asyncio.wait_for(self._open(host, port, ssl, name), self._limit)
            await self._send(
                mqtt_packet.connect(
                    self._client_id,
                    user=self._user,
                    password=self._password,
                    keepalive=self._keepalive,
                    will_topic=will[0],
                    will_payload=will[1],
                )
            )
            first, body = await asyncio.wait_for(self._receive(), self._limit)
            if first >> 4 != mqtt_packet.CONNACK or len(body) != 2:
                raise MqttError("the broker answers something that is no MQTT")
            if body[1]:
                raise MqttError(mqtt_packet.refusal(body[1]), body[1])
        except MqttError:
            await self.close()
            raise
        except (OSError, EOFError, asyncio.TimeoutError):
            await self.close()
            raise MqttError("no connection to the broker") from None
        self.connected = True

    async def run(self) -> None:
        """Read packets and keep the connection alive until it ends; always ends by raising MqttError."""
        reading = asyncio.create_task(self._read_loop())
        try:
            while not reading.done():
                await asyncio.sleep(_STEP)
                await self._keep_alive()
        finally:
            self.connected = False
            reading.cancel()
            await self.close()
        raise MqttError("the broker closed the connection")

    async def subscribe(self, topic: str, qos: int = 1) -> None:
        """Subscribe and wait for SUBACK; raises MqttError on refusal or silence. Needs `run` going on."""
        packet_id = self._next_id()
        granted = await self._exchange(packet_id, mqtt_packet.subscribe(packet_id, topic, qos))
        if granted[-1] == 0x80:
            raise MqttError("the broker refuses the subscription")

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Send; with QoS 1 wait for PUBACK. Raises MqttError on silence. Needs `run` going on."""
        if not qos:
            await self._send(mqtt_packet.publish(topic, payload, retain=retain))
            return
        packet_id = self._next_id()
        await self._exchange(
            packet_id, mqtt_packet.publish(topic, payload, packet_id=packet_id, retain=retain)
        )

    async def disconnect(self) -> None:
        """Leave in order: the broker then does not publish the will."""
        if self.connected:
            try:
                await self._send(mqtt_packet.DISCONNECT_PACKET)
            except MqttError:
                self.connected = False
        await self.close()

    async def close(self) -> None:
        """Close the socket and wake everybody who waits for an answer."""
        self.connected = False
        writer = self._writer
        self._writer = None
        for waiter in self._waiting.values():
            waiter[0].set()
        if writer is not None:
            writer.close()
            try:
                await asyncio.wait_for(writer.wait_closed(), 1)
            except (OSError, asyncio.TimeoutError):
                return

    async def _open(self, host: str, port: int, ssl: "Any", name: str) -> None:
        if ssl is None:
            self._reader, self._writer = await asyncio.open_connection(host, port)
            send_at_once(self._writer)
        else:
            self._reader, self._writer = await asyncio.open_connection(
                host, port, ssl=ssl, server_hostname=name or host
            )

    async def _exchange(self, packet_id: int, packet: bytes) -> bytes:
        waiter = [asyncio.Event(), b""]
        self._waiting[packet_id] = waiter
        try:
            await self._send(packet)
            await asyncio.wait_for(waiter[0].wait(), self._limit)
        except asyncio.TimeoutError:
            await self.close()
            raise MqttError("the broker does not answer") from None
        finally:
            self._waiting.pop(packet_id, None)
        if not waiter[1]:
            raise MqttError("the connection to the broker was lost")
        return waiter[1]

    async def _send(self, packet: bytes) -> None:
        async with self._lock:
            if self._writer is None:
                raise MqttError("not connected to the broker")
            try:
                self._writer.write(packet)
                await asyncio.wait_for(self._writer.drain(), self._limit)
            except (OSError, asyncio.TimeoutError):
                raise MqttError("the connection to the broker was lost") from None
            self._sent = ticks_ms()

    async def _keep_alive(self) -> None:
        now = ticks_ms()
        if ticks_diff(now, self._heard) > (self._keepalive + self._limit) * 1000:
            raise MqttError("the broker is silent")
        half = self._keepalive * 500
        idle = ticks_diff(now, self._sent) > half or ticks_diff(now, self._heard) > half
        if idle and ticks_diff(now, self._pinged) > half:
            self._pinged = now
            await self._send(mqtt_packet.PINGREQ_PACKET)

    async def _read_loop(self) -> None:
        try:
            while True:
                first, body = await self._receive()
                await self._handle(first, body)
        except (OSError, EOFError, ValueError):
            return

    async def _handle(self, first: int, body: bytes) -> None:
        kind = first >> 4
        if kind == mqtt_packet.PUBLISH:
            topic, payload, packet_id, retained = mqtt_packet.parse_publish(first, body)
            if packet_id:
                await self._send(mqtt_packet.puback(packet_id))
            if self._on_message is not None and not retained:
                self._on_message(topic, payload)
        elif kind in (mqtt_packet.PUBACK, mqtt_packet.SUBACK) and len(body) >= 2:
            waiter = self._waiting.get(int.from_bytes(body[:2], "big"))
            if waiter is not None:
                waiter[1] = body
                waiter[0].set()

    async def _receive(self) -> tuple[int, bytes]:
        first = (await self._reader.readexactly(1))[0]
        length = shift = 0
        while True:
            octet = (await self._reader.readexactly(1))[0]
            length |= (octet & 127) << shift
            if octet < 128:
                break
            shift += 7
            if shift > 21:
                raise MqttError("a packet with a length that MQTT does not know")
        if length > MAX_PACKET:
            raise MqttError("a packet too large for a device")
        body = await self._reader.readexactly(length) if length else b""
        self._heard = ticks_ms()
        return first, body

    def _next_id(self) -> int:
        self._packet_id = self._packet_id % 65535 + 1
        return self._packet_id
