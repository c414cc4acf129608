"""Octets of the MQTT 3.1.1 packets that a device needs. Section numbers are the standard's."""

CONNECT = 0x10
CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13
PINGREQ_PACKET = b"\xc0\x00"
DISCONNECT_PACKET = b"\xe0\x00"

_RETAIN = 1
_QOS1 = 2
_REFUSALS = (
    "accepted",
    "the broker does not speak MQTT 3.1.1",
    "the broker refuses this client identifier",
    "the broker is unavailable",
    "the broker refuses this user name or password",
    "the broker does not authorise this device",
)


def text(value: str | bytes) -> bytes:
    """A length-prefixed string (1.5.3)."""
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def packet(first: int, body: bytes) -> bytes:
    """Fixed header and body as one piece, so that it leaves in one write (2.2)."""
    head = bytearray([first])
    left = len(body)
    while True:
        head.append(left & 127 | (128 if left > 127 else 0))
        left >>= 7
        if not left:
            return bytes(head) + body


def connect(
    client_id: str,
    *,
    user: str,
    password: str,
    keepalive: int,
    will_topic: str = "",
    will_payload: bytes = b"",
) -> bytes:
    """CONNECT with a clean session and, when will_topic is given, a retained QoS 0 will (3.1)."""
    flags = 0x02
    body = text(client_id)
    if will_topic:
        flags |= 0x04 | 0x20
        body += text(will_topic) + text(will_payload)
    if user:
        flags |= 0x80 | 0x40
        body += text(user) + text(password)
    return packet(CONNECT, text("MQTT") + bytes([4, flags]) + keepalive.to_bytes(2, "big") + body)


def refusal(code: int) -> str:
    """What a CONNACK return code means (3.2.2.3)."""
    return _REFUSALS[code] if code < len(_REFUSALS) else "the broker refuses with code " + str(code)


def publish(topic: str, payload: bytes, *, packet_id: int = 0, retain: bool = False) -> bytes:
    """PUBLISH, QoS 1 when packet_id is not 0 (3.3)."""
    first = PUBLISH << 4 | (_RETAIN if retain else 0) | (_QOS1 if packet_id else 0)
    return packet(first, text(topic) + (packet_id.to_bytes(2, "big") if packet_id else b"") + payload)


def subscribe(packet_id: int, topic: str, qos: int) -> bytes:
    """SUBSCRIBE to one topic filter (3.8)."""
    return packet(0x82, packet_id.to_bytes(2, "big") + text(topic) + bytes([qos]))


def puback(packet_id: int) -> bytes:
    """PUBACK (3.4)."""
    return packet(0x40, packet_id.to_bytes(2, "big"))


def parse_publish(first: int, body: bytes) -> tuple[str, bytes, int, bool]:
    """(topic, payload, packet id or 0, retained) of a PUBLISH; ValueError when malformed or QoS 2."""
    qos = first >> 1 & 3
    if qos > 1 or len(body) < 2:
        raise ValueError("publish that a device cannot take")
    end = 2 + int.from_bytes(body[:2], "big")
    start = end + 2 * qos
    if len(body) < start:
        raise ValueError("publish is cut short")
    packet_id = int.from_bytes(body[end:start], "big")
    return str(body[2:end], "utf-8"), body[start:], packet_id, bool(first & _RETAIN)
