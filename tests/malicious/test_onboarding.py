"""Attacks on adding a device: none succeeds, leaves a half-owned device or gets a household secret."""

import asyncio
import contextlib
import os
import time
from types import SimpleNamespace
from typing import Any

import pytest

from mathmesh.errors import MeshError
from mathmesh.schema.cataloged import CatalogedNetwork
from meshhub.link_suite import HubSuite
from meshhub.onboarding import OnboardingError, adoption, discovery
from meshlink import label, messages, record
from meshlink.hkdf import lp
from meshlink.noise import Handshake
from meshlink.onboard_device import PROLOGUE, DeviceLink
from meshlink.record import FrameReader, frame
from meshlink.session import Session

pytestmark = pytest.mark.slow
CANARY = "canary-wifi-password"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An absent device is given up after 3 s here, so that the tests are short."""
    monkeypatch.setattr(adoption, "FIND_SECONDS", 3.0)
    monkeypatch.setattr(adoption, "ANSWER_SECONDS", 1.5)


@pytest.fixture
async def home(world: Any) -> Any:
    """A home whose Wi-Fi password is a canary."""
    network = CatalogedNetwork(service="home", password=CANARY, protocol="wifi")
    await world.hub.account.update("MMM_Network", [network])
    return world


async def test_wrong_label_is_refused_and_the_unit_stays_free(home: Any) -> None:
    mine, other = await home.unit(), await home.unit()
    at = await mine.power_on()
    with pytest.raises(OnboardingError, match="not the device of this label"):
        await home.adopt(other, at)
    assert mine.state == "FREE"
    home.assert_nothing_left(mine)
    home.assert_nothing_left(other)
    await home.adopt(mine, at, name="lamp")


async def test_unknown_code_claimed_code_and_other_maker_are_told_apart(home: Any) -> None:
    unit = await home.unit()
    unknown = unit.code[:-4] + ("A" if unit.code[-4] != "A" else "B") + unit.code[-3:]
    for code, said in [
        (unknown, "label"),
        (unit.code.replace("@hub.local", "@example.com"), "another maker"),
    ]:
        began = time.monotonic()
        with pytest.raises(MeshError, match=said):
            await home.hub.onboarding.start(code, yes=True).wait()
        assert time.monotonic() - began < 30
    assert home.names() == []


async def test_absent_device_is_given_up_and_its_claim_released(home: Any) -> None:
    unit = await home.unit()
    with pytest.raises(OnboardingError, match="was not found"):
        await home.hub.onboarding.start(unit.code, yes=True).wait()
    home.assert_nothing_left(unit)
    await home.adopt(unit, await unit.power_on(), name="lamp")


async def test_whoever_answers_for_a_device_and_says_nothing_delays_it_not(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "ANSWER_SECONDS", 60.0)
    unit = await home.unit()
    right = discovery.parse_address(await unit.power_on())
    servers = [await asyncio.start_server(_say_nothing, "127.0.0.1", 0) for _ in range(3)]
    liars = [
        discovery.Address(host="127.0.0.1", port=server.sockets[0].getsockname()[1]) for server in servers
    ]

    async def candidates(*_: Any) -> Any:
        while True:
            for address in (*liars, right):
                yield address
            await asyncio.sleep(0.1)

    monkeypatch.setattr(discovery, "candidates", candidates)
    await home.hub.onboarding.start(unit.code, yes=True, name="lamp").wait()
    assert home.names() == ["lamp"]
    for server in servers:
        server.close()


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass
    writer.close()


async def test_a_hub_that_stops_right_after_the_device_came_in_keeps_its_claim(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else anybody with a photo of the label could claim a device that has an owner."""
    unit = await home.unit()
    at = await unit.power_on()
    admit = home.hub.home.admit

    async def admit_and_stop(admission: Any) -> None:
        await admit(admission)
        asyncio.get_running_loop().call_soon(begun._task.cancel)

    released = []

    async def release(publication_id: str) -> None:
        released.append(publication_id)

    monkeypatch.setattr(home.hub.home, "admit", admit_and_stop)
    monkeypatch.setattr(home.hub.account, "release_claim", release)
    begun = home.hub.onboarding.start(unit.code, at=at, yes=True, name="lamp")
    with pytest.raises(OnboardingError, match="is in your home"):
        await begun.wait()
    assert home.names() == ["lamp"]
    assert released == []
    await home.until(lambda: home.hub.registry.resolve("lamp").online)


@pytest.mark.parametrize("position", ["init", "reply", "hub data", "device data"])
async def test_a_changed_bit_anywhere_ends_the_adoption_without_a_trace(
    home: Any, relay: Any, position: str
) -> None:
    unit = await home.unit()
    at = await unit.power_on()
    kind, sender = {
        "init": (record.INIT_ONBOARD, "hub"),
        "reply": (record.REPLY, "device"),
        "hub data": (record.DATA, "hub"),
        "device data": (record.DATA, "device"),
    }[position]

    def flip(who: str, octets: bytes) -> bytes:
        if who == sender and octets[0] == kind:
            return octets[:-1] + bytes([octets[-1] ^ 1])
        return octets

    async with relay(at, flip).serving() as between:
        with pytest.raises(OnboardingError):
            await home.adopt(unit, between)
    assert unit.state == "FREE"
    home.assert_nothing_left(unit)


async def test_a_listener_in_between_sees_no_secret(home: Any, relay: Any) -> None:
    unit = await home.unit()
    listener = relay(await unit.power_on(), lambda _who, octets: octets)
    async with listener.serving() as between:
        await home.adopt(unit, between, name="lamp")
    link = home.hub.links.get(unit.udf)
    spied = b"".join(octets for _, octets in listener.seen)
    assert len(spied) > 2000
    for secret in (CANARY.encode(), link.psk_run, link.psk_repair, link.own, link.user.encode()):
        assert secret not in spied


class Box:
    """A box of the attacker with the real label's secret, but without the device's key."""

    def __init__(self, unit: Any) -> None:
        from mathmesh.codec import udf, uri
        from meshfactory.product import PRODUCTS

        self.suite = HubSuite(os.urandom)
        k = udf.parse(uri.parse_mcu(unit.code)[1])[1]
        self.psk_on = label.psk_on(self.suite, k)
        self.lid = label.lid(self.suite, unit.publication_id)
        self.model = PRODUCTS["light"].model
        self.told: list[str] = []

    def identity(self, udf: bytes, public: bytes) -> Any:
        """What the box says of itself; all of it can be copied from the real device but the key."""
        return SimpleNamespace(
            udf=udf,
            lid=self.lid,
            psk_on=self.psk_on,
            authentication=public,
            boot=1,
            board="fake",
            fw="1.0",
            fwh=bytes(32),
            led=True,
            both=False,
            description={
                "d": 1,
                "v": 1,
                "m": self.model,
                "n": {"light": {"k": "light", "p": {"on": ["b", "w"]}}},
            },
            activate=lambda _act: {"authentication": os.urandom(56)},
        )

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, udf: bytes, public: bytes
    ) -> None:
        """Play the device honestly as far as one can without its key."""
        device = DeviceLink(self.suite, self.identity(udf, public), state="FREE", now=_now())
        device.open_window(_now())
        frames = FrameReader()
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                for one in frames.feed(data):
                    for effect in device.receive(one, _now(), "peer"):
                        if effect[0] == "send":
                            writer.write(frame(effect[1]))
                        else:
                            self.told.append(f"{effect[0]} {effect[1]}")
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_a_copied_label_on_a_box_without_the_key_gets_nothing(home: Any) -> None:
    unit = await home.unit()
    claim = await home.hub.account.claim(unit.code)
    await home.hub.account.release_claim(claim.publication_id)
    profile = claim.profile_device
    public = profile.authentication.public_key().octets
    box = Box(unit)
    server = await asyncio.start_server(
        lambda r, w: box.serve(r, w, profile.profile_signature.public_key().udf_bytes, public), "127.0.0.1", 0
    )
    at = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(OnboardingError):
        await home.adopt(unit, at)
    server.close()
    assert not [one for one in box.told if "pending" in one]
    home.assert_nothing_left(unit)


class Middle:
    """A man in the middle who has photographed the label: two handshakes, each message in clear to him."""

    def __init__(self, unit: Any, at: str, device_udf: bytes) -> None:
        self.suite = HubSuite(os.urandom)
        box = Box(unit)
        self.psk_on, self.lid = box.psk_on, box.lid
        self.udf = device_udf
        host, port = at.rsplit(":", 1)
        self.target = host, int(port)
        self.read: list[dict[str, Any]] = []

    def _handshake(self, head: bytes) -> Handshake:
        return Handshake(self.suite, PROLOGUE + head + lp(self.udf) + lp(b""), self.psk_on)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        device_reader, device_writer = await asyncio.open_connection(*self.target)
        try:
            near = await self._as_device(reader, writer)
            far = await self._as_adopter(device_reader, device_writer)
            await asyncio.gather(
                self._pass_on(reader, near, device_writer, far),
                self._pass_on(device_reader, far, writer, near),
                return_exceptions=True,
            )
        finally:
            for end in (writer, device_writer):
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()

    async def _as_device(self, reader: Any, writer: Any) -> Session:
        init = await _record(reader)
        handshake = self._handshake(init[:23])
        assert handshake.read_first(init[23:]) is not None
        sid = init[1:5]
        reply = record.pack(record.REPLY, sid, 0, handshake.write_second(b""))
        writer.write(frame(reply))
        first, second = handshake.split()
        return Session(self.suite, sid, second, first, _now())

    async def _as_adopter(self, reader: Any, writer: Any) -> Session:
        sid = os.urandom(4)
        head = record.pack(record.INIT_ONBOARD, sid, 0, self.lid)
        handshake = self._handshake(head)
        writer.write(frame(head + handshake.write_first(b"")))
        reply = await _record(reader)
        assert handshake.read_second(reply[13:]) is not None
        first, second = handshake.split()
        return Session(self.suite, sid, first, second, _now())

    async def _pass_on(self, reader: Any, opens: Session, writer: Any, seals: Session) -> None:
        while True:
            plain = opens.open(record.unpack(await _record(reader)), _now())
            assert plain is not None
            self.read.append(messages.decode(plain))
            writer.write(frame(seals.seal(plain, _now())))


async def test_a_man_in_the_middle_with_the_label_never_sees_wifi_or_broker_secrets(home: Any) -> None:
    unit = await home.unit()
    at = await unit.power_on()
    claim = await home.hub.account.claim(unit.code)
    await home.hub.account.release_claim(claim.publication_id)
    middle = Middle(unit, at, claim.profile_device.profile_signature.public_key().udf_bytes)
    server = await asyncio.start_server(middle.serve, "127.0.0.1", 0)
    with pytest.raises(OnboardingError):
        await home.adopt(unit, f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    server.close()
    heard = [one["t"] for one in middle.read]
    assert "hello" in heard, "the attack itself must work up to the proof"
    assert "adopt" in heard
    assert "secrets" not in heard
    assert CANARY not in str(middle.read)
    assert unit.state == "FREE"
    home.assert_nothing_left(unit)


async def test_a_second_owner_is_refused_by_service_and_device(home: Any) -> None:
    unit = await home.at_home()
    again = await home.hub.account.claim(unit.code)
    assert again.publication_id == unit.publication_id
    with pytest.raises(OnboardingError, match="already in your home"):
        await home.hub.onboarding.start(unit.code, yes=True).wait()
    assert home.names() == ["lamp"]
    assert unit.state == "CLAIMED"


async def test_an_attempt_whose_question_nobody_sees_any_more_gives_way_to_a_new_one(home: Any) -> None:
    unit = await home.unit()
    at = await unit.power_on()
    with home.hub.events.subscribe() as events:
        first = home.hub.onboarding.start(unit.code, at=at)
        with pytest.raises(OnboardingError, match="being added already"):
            home.hub.onboarding.start(unit.code, at=at)
        async with asyncio.timeout(20):
            while first.state != "confirm":
                await events.next()
    second = home.hub.onboarding.start(unit.code, at=at, yes=True, name="lamp", room="Kitchen")
    await second.wait()
    with pytest.raises(OnboardingError, match="begun anew"):
        await first.wait()
    assert home.names() == ["lamp"]
    assert home.hub.registry.resolve("kitchen lamp").online


async def _record(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(2)
    return await reader.readexactly(int.from_bytes(head, "big"))


def _now() -> int:
    return time.time_ns() // 1_000_000
