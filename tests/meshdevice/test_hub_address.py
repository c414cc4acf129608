"""The hub's address as the adopter writes it."""

import pytest

from meshdevice.hub_address import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mqtt://192.168.1.4:1884", ("192.168.1.4", 1884, False)),
        ("mqtts://hub.local:8884", ("hub.local", 8884, True)),
        ("mqtt://hub.local", ("hub.local", 1883, False)),
        ("mqtts://hub.local/", ("hub.local", 8883, True)),
        ("127.0.0.1:47002", ("127.0.0.1", 47002, False)),
        ("mqtt://[fd00::7]:1884", ("fd00::7", 1884, False)),
        ("mqtt://[fd00::7]", ("fd00::7", 1883, False)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int, bool]) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text", ["http://hub:80", "mqtt://:1", "mqtt://hub:0", "mqtt://hub:70000", "mqtt://hub:x", ""]
)
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hub's address"):
        parse(text)
