"""Messages of the link and the payloads of its handshakes, as either end reads them."""

from collections.abc import Iterable

from meshlink import messages
from meshlink.record import LinkError

ID = bytes(range(8))


def seeds() -> Iterable[bytes]:
    """One of most kinds."""
    kinds: list[tuple[str, dict[str, object]]] = [
        ("begin", {}),
        ("adopt", {"acct": "a@example.com", "audf": bytes(64), "key": bytes(57), "act": b"act"}),
        ("secrets", {
            "mac": bytes(32), "id": bytes(10), "wifi": [["net", "pass"]], "hub": ["mqtt://h:1"], "ca": "",
            "mq": ["u", "p"], "name": "Lamp", "now": 1, "ent": bytes(32),
        }),
        ("tel", {"b": 1, "s": 1, "r": [[0, "light", "on", True], [5, "air", "t", 20.5]]}),
        ("cmd", {"id": ID, "n": 1, "x": 2, "node": "light", "prop": "on", "v": None}),
        ("err", {"c": 3, "m": "text"}),
        ("time", {"now": 5}),
        ("cfg", {"set": {"a": 1}}),
    ]  # fmt: skip
    for kind, members in kinds:
        yield messages.encode(kind, members)
    yield messages.init_payload(7, 9)
    yield messages.reply(1795346000000, bytes(32))


def one(data: bytes) -> None:
    """A message that is read is written and read again alike; anything else is refused with code 3."""
    for read in (messages.handshake_payload, messages.reply_payload):
        read(data)
    try:
        message = messages.decode(data)
    except LinkError as error:
        if error.code != messages.FORMAT:
            raise
        return
    if message is None:
        return
    kind = message.pop("t")
    again = messages.decode(messages.encode(kind, message))
    assert again is not None
    assert again.pop("t") == kind
    assert repr(again) == repr(message)
