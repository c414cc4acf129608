"""What a person types or a camera reads of a label, and where a device is said to be."""

from collections.abc import Iterable

from mathmesh.errors import EncodingError
from mathmesh.messaging import static_qr
from meshhub.mqtt import topics
from meshhub.onboarding import code
from meshhub.onboarding.discovery import hailing_addresses, parse_address

MAKER = "maker@example.com"
KEY = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"


def seeds() -> Iterable[bytes]:
    """Codes in several spellings, whole URIs, addresses, topics."""
    yield KEY.encode()
    yield KEY.lower().replace("-", " ").encode()
    yield f"mcu://{MAKER}/{KEY}".encode()
    yield f"MCU://{MAKER.upper()}/{KEY.replace('-', '')}".encode()
    yield b"mmm-tcp://192.168.1.20:47447"
    yield b"[fe80::1]:47447"
    yield b"mh/1/abcdefghijklmnop/up"


def one(data: bytes) -> None:
    """A code that is accepted is one label's; an address has a host and a port."""
    text = data.decode("utf-8", "replace")
    try:
        found = code.connect_uri(text, MAKER)
        assert code.connect_uri(found, MAKER) == found
        maker, key = static_qr.parse_label(found)
        assert "@" in maker
        assert len(key) == code.CODE_OCTETS
    except EncodingError:
        pass
    try:
        address = parse_address(text)
        assert address.host
        assert 0 < address.port < 65536
        assert parse_address(str(address)) == address
    except EncodingError:
        pass
    for address in hailing_addresses([text]):
        assert address.port
    topic = topics.parse(text)
    assert topic is None or text.endswith(topic.leaf)
