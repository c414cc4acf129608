"""Records and messages that a peer, or a stranger, sends to each of the four ends of the link.

The first octet chooses the end and how far its conversation has come, and whether what follows are records,
or plaintexts that the peer seals as it should: an authenticated peer may be hostile.
"""

from collections.abc import Callable, Iterable
from typing import Any

from meshhub.link_suite import HubSuite
from meshlink import messages, record, retained
from meshlink.noise import Handshake
from meshlink.onboard_adopter import AdopterLink
from meshlink.onboard_device import DeviceLink
from meshlink.record import LinkError
from meshlink.ring import Ring
from meshlink.run_device import DeviceRun
from meshlink.run_hub import HubRun
from meshlink.session import Session

UDF, ACCOUNT_UDF, PSK, TOPIC, LID = bytes([96]) * 64, bytes([97]) * 64, bytes(range(32)), bytes(10), bytes(10)
EPOCH = 1795346000000
PEER = "peer"
DESCRIPTION = {
    "d": 1,
    "v": 1,
    "m": "mesh/test",
    "n": {
        "light": {"k": "light", "p": {"on": ["b", "w"], "level": ["i", "w", "0:100", "%"]}},
        "door": {"k": "lock", "p": {"locked": ["b", "w", "", "", "g"]}},
    },
}


class Unit:
    """The identity of the free device; its activation is whatever comes."""

    udf, lid, psk_on, authentication, boot = UDF, LID, PSK, bytes(57), 1
    description, board, fw, fwh, led, both = DESCRIPTION, "test", "1.0", bytes(32), True, False

    def activate(self, act: bytes) -> dict[str, bytes]:
        """Scalars out of the octets of the activation; refuses a short one as the device does."""
        if len(act) < 56:
            raise LinkError(messages.ACTIVATION, "the activation cannot be used")
        return {"authentication": act[:56]}


def _suite() -> HubSuite:
    count = 0

    def entropy(size: int) -> bytes:
        nonlocal count
        count += 1
        return count.to_bytes(4, "big") * (size // 4) + bytes(range(1, 1 + size % 4))

    return HubSuite(entropy)


def seeds() -> Iterable[bytes]:
    """Messages for each end, in frames."""
    cmd: dict[str, Any] = {"id": bytes(8), "n": EPOCH, "x": EPOCH + 9000, "node": "light", "prop": "on"}
    door = {**cmd, "n": EPOCH + 1, "node": "door", "prop": "locked", "v": False}
    secrets: dict[str, Any] = {
        **{"mac": bytes(32), "id": bytes(10), "wifi": [], "hub": [], "ca": "", "mq": ["u", "p"]},
        **{"name": "Lamp", "now": 1, "ent": bytes(32)},
    }
    adopt = {"acct": "a@example.com", "audf": bytes(64), "key": bytes(57), "act": bytes(90)}
    hello = {
        **{"udf": UDF, "desc": DESCRIPTION, "board": "b", "fw": "1", "fwh": bytes(32), "boot": 1},
        **{"led": True, "both": False, "st": "FREE", "err": 0},
    }
    yield b"\x00" + _frames(messages.encode("cmd", {**cmd, "v": True}), messages.encode("cmd", door))
    yield b"\x00" + _frames(
        messages.encode("time", {"now": EPOCH}), messages.encode("rcpt", {"b": 1, "s": 1})
    )
    yield b"\x01" + _frames(messages.encode("ready", {"st": "CLAIMED", "up": 1, "ring": [1, 0, 9]}))
    yield b"\x01" + _frames(messages.encode("tel", {"b": 1, "s": 1, "r": [[0, "light", "on", True]]}))
    yield b"\x02" + _frames(messages.encode("begin"), messages.encode("adopt", adopt))
    yield b"\x02" + _frames(messages.encode("begin"), messages.encode("secrets", secrets))
    yield b"\x03" + _frames(messages.encode("hello", hello), messages.encode("proof", {"mac": bytes(32)}))
    for end in range(4):
        yield bytes([4 + end]) + _frames(record.pack(record.DATA, bytes(4), 0, bytes(20)))
        yield bytes([4 + end]) + _frames(
            record.hint(record.ANY_SESSION, 4), record.pack(0x18, bytes(4), 0, PSK)
        )
    yield b"\x08" + _kept()


def one(data: bytes) -> None:
    """Nothing that arrives makes an end fail."""
    if not data:
        return
    if data[0] & 8:
        _low(data[1:])
        return
    deliver, seal = _ENDS[data[0] & 3]()
    for step, octets in enumerate(_parts(data[1:])):
        if not data[0] & 4:
            if len(octets) > record.MAXIMUM_PLAINTEXT:
                continue
            octets = seal(octets)
        for effect in deliver(octets, 100 + step):
            assert effect[0] in ("send", "event", "store", "close"), effect


Deliver = Callable[[bytes, int], list[tuple[Any, ...]]]
Seal = Callable[[bytes], bytes]


def _running() -> tuple[DeviceRun, HubRun]:
    device = DeviceRun(
        _suite(),
        udf=UDF,
        account_udf=ACCOUNT_UDF,
        topic_id=TOPIC,
        psk=PSK,
        boot=1,
        description=DESCRIPTION,
        ring=Ring(1, 16),
        state="PENDING",
        now=0,
    )
    hub = HubRun(
        _suite(), device_udf=UDF, account_udf=ACCOUNT_UDF, topic_id=TOPIC, psk=PSK, description=DESCRIPTION
    )
    queue = [(True, effect[1]) for effect in device.start(0) if effect[0] == "send"]
    while queue:
        from_device, octets = queue.pop(0)
        effects = hub.receive(octets, EPOCH) if from_device else device.receive(octets, 1)
        queue += [(not from_device, effect[1]) for effect in effects if effect[0] == "send"]
    assert device.online
    assert hub.online
    return device, hub


def _device_run() -> tuple[Deliver, Seal]:
    device, hub = _running()
    assert hub._current is not None
    session = hub._current.session
    return device.receive, lambda plaintext: session.seal(plaintext, EPOCH)


def _hub_run() -> tuple[Deliver, Seal]:
    device, hub = _running()
    hub.command("light", "on", True, EPOCH, identifier=bytes(8))
    session = device._session
    assert session is not None
    return lambda octets, now: hub.receive(octets, EPOCH + now), lambda plaintext: session.seal(plaintext, 1)


def _greeted() -> tuple[DeviceLink, AdopterLink]:
    device = DeviceLink(_suite(), Unit(), state="FREE", now=0)
    device.open_window(0)
    adopter = AdopterLink(
        _suite(),
        psk_on=PSK,
        lid=LID,
        device_udf=UDF,
        authentication=bytes(57),
        account_udf=ACCOUNT_UDF,
        account_address="a@example.com",
    )
    [init] = adopter.start(0)
    [reply] = device.receive(init[1], 0, PEER)
    adopter.receive(reply[1], 0)
    return device, adopter


def _device_link() -> tuple[Deliver, Seal]:
    device, adopter = _greeted()
    session = adopter._session
    assert session is not None
    return lambda octets, now: device.receive(octets, now, PEER), lambda plaintext: session.seal(plaintext, 1)


def _adopter_link() -> tuple[Deliver, Seal]:
    device, adopter = _greeted()
    [held] = device._conversations()
    return adopter.receive, lambda plaintext: held.session.seal(plaintext, 1)


_ENDS: tuple[Callable[[], tuple[Deliver, Seal]], ...] = (_device_run, _hub_run, _device_link, _adopter_link)


def _low(data: bytes) -> None:
    """Handshake messages, a session's records and retained memory, by themselves."""
    suite = _suite()
    kept = retained.unpack(suite, data)
    if kept is not None:
        assert retained.pack(suite, kept) == data
    responder = Handshake(suite, b"", PSK)
    before = responder.h, responder.ck
    assert responder.read_first(data) is None
    assert (responder.h, responder.ck) == before
    initiator = Handshake(suite, b"", PSK)
    initiator.write_first()
    before = initiator.h, initiator.ck
    assert initiator.read_second(data) is None
    assert (initiator.h, initiator.ck) == before
    session = Session(suite, data[:4], PSK, PSK, 0)
    state = session.state()
    parsed = record.unpack(data)
    if parsed is not None:
        assert session.open(parsed, 1) is None
        assert session.state() == state


def _kept() -> bytes:
    suite = _suite()
    session = Session(suite, b"sidd", PSK, PSK[::-1], 5)
    return retained.pack(suite, retained.Retained(session, 77, 1, 2, 3))


def _frames(*parts: bytes) -> bytes:
    return b"".join(record.frame(part) for part in parts)


def _parts(data: bytes) -> Iterable[bytes]:
    while len(data) >= 2:
        size = int.from_bytes(data[:2], "big")
        yield data[2 : 2 + size]
        data = data[2 + size :]
