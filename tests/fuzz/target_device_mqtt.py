"""What a broker, or a stranger in its place, sends to a device, and the addresses a device is told."""

import asyncio
from collections.abc import Iterable

from meshdevice import hub_address, mqtt_packet
from meshdevice.mqtt import MAX_PACKET, MqttClient, MqttError


def seeds() -> Iterable[bytes]:
    """Packets of every kind that a device takes, and two addresses."""
    yield mqtt_packet.publish("mh/1/a/dn", b"payload", packet_id=7)
    yield mqtt_packet.publish("mh/1/a/dn", b"", retain=True) + mqtt_packet.puback(3)
    yield mqtt_packet.packet(0x90, b"\x00\x01\x01") + mqtt_packet.packet(0xD0, b"")
    yield mqtt_packet.packet(0x20, b"\x00\x05")
    yield b"\x30\xff\xff\xff\x7f"
    yield b"mqtts://[fe80::1]:8883/"
    yield b"hub.local:1883"


def one(data: bytes) -> None:
    """Packets are read as written, or refused by an error that the connection's owner handles."""
    asyncio.run(_stream(data))
    if data:
        try:
            topic, payload, packet_id, retained = mqtt_packet.parse_publish(data[0], data[1:])
            if packet_id or not data[0] & 2:
                packet = mqtt_packet.publish(topic, payload, packet_id=packet_id, retain=retained)
                assert packet.endswith(data[1:])
        except ValueError:
            pass
    try:
        host, port, _ = hub_address.parse(data.decode("utf-8", "replace"))
        assert host
        assert 0 < port < 65536
    except ValueError:
        pass


async def _stream(data: bytes) -> None:
    heard: list[tuple[str, bytes]] = []
    client = MqttClient("device", on_message=lambda topic, payload: heard.append((topic, payload)))
    client._reader = asyncio.StreamReader()
    client._writer = _Sink()
    client._reader.feed_data(data)
    client._reader.feed_eof()
    try:
        while True:
            first, body = await client._receive()
            assert len(body) <= MAX_PACKET
            await client._handle(first, body)
    except (MqttError, EOFError, ValueError):
        pass
    assert sum(len(payload) for _, payload in heard) <= len(data)


class _Sink:
    """Where the device's answers go."""

    def write(self, packet: bytes) -> None:
        """Takes them."""
        assert packet

    async def drain(self) -> None:
        """Is never full."""
