"""The octets of MQTT packets, with those of the standard's own figures."""

import pytest

from meshdevice import mqtt_packet


def test_connect_with_will_and_credentials() -> None:
    packet = mqtt_packet.connect(
        "id", user="u", password="pw", keepalive=60, will_topic="t/p", will_payload=b"gone"
    )
    assert packet == bytes.fromhex("102000044d51545404e6003c") + b"\0\2id\0\3t/p\0\4gone\0\1u\0\2pw"


def test_connect_without_them() -> None:
    packet = mqtt_packet.connect("id", user="", password="", keepalive=10)
    assert packet == bytes.fromhex("100e00044d5154540402000a") + b"\0\2id"


@pytest.mark.parametrize(
    ("length", "header"),
    [(0, "3000"), (127, "307f"), (128, "308001"), (16383, "30ff7f"), (16384, "30808001")],
)
def test_remaining_length(length: int, header: str) -> None:
    assert mqtt_packet.packet(0x30, bytes(length)) == bytes.fromhex(header) + bytes(length)


@pytest.mark.parametrize("packet_id", [0, 1, 65535])
@pytest.mark.parametrize("retain", [False, True])
def test_a_publish_is_read_as_it_was_written(packet_id: int, retain: bool) -> None:
    packet = mqtt_packet.publish("mh/1/x/up", b"payload", packet_id=packet_id, retain=retain)
    assert mqtt_packet.parse_publish(packet[0], packet[2:]) == ("mh/1/x/up", b"payload", packet_id, retain)


@pytest.mark.parametrize(
    ("first", "body"),
    [(0x34, b"\0\1a\0\1x"), (0x30, b"\0"), (0x30, b"\0\5ab"), (0x32, b"\0\1a\0"), (0x30, b"\0\1\xff")],
)
def test_a_malformed_publish_is_refused(first: int, body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (UnicodeError among them)
        mqtt_packet.parse_publish(first, body)


def test_subscribe_and_puback() -> None:
    assert mqtt_packet.subscribe(10, "a/b", 1) == b"\x82\x08\0\x0a\0\3a/b\1"
    assert mqtt_packet.puback(258) == b"\x40\2\1\2"


def test_every_refusal_is_told() -> None:
    assert "password" in mqtt_packet.refusal(4)
    assert "9" in mqtt_packet.refusal(9)
