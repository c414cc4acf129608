import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiomqtt
import pytest

from meshhub import ports
from meshhub.broker import mosquitto
from meshhub.broker.accounts import BrokerAccount
from meshhub.broker.base import Broker
from meshhub.broker.choose import make_broker, settle_port
from meshhub.broker.embedded import Embedded
from meshhub.broker.files import ASIDE, PASSWORDS, RIGHTS, BrokerFiles
from meshhub.broker.mosquitto import Mosquitto
from meshhub.errors import HubError, TransportError
from meshhub.mqtt import topics

from .conftest import Peer, hub_client

QUIET = 0.3


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def next_message(client: aiomqtt.Client, seconds: float = 3) -> aiomqtt.Message | None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for message in client.messages:
                return message
    return None


async def test_hub_and_device_talk(broker: Broker) -> None:
    peer = Peer(broker)
    await broker.set_accounts([peer.account])
    async with hub_client(broker) as hub, peer.client() as device:
        await device.subscribe(topics.down(peer.id), qos=1)
        await device.publish(topics.up(peer.id), b"hello", qos=1)
        got = await next_message(hub)
        assert got is not None
        assert (str(got.topic), got.payload) == (topics.up(peer.id), b"hello")
        await hub.publish(topics.down(peer.id), b"answer", qos=1)
        answer = await next_message(device)
        assert answer is not None
        assert answer.payload == b"answer"


@pytest.mark.parametrize(
    "login",
    [
        {"username": None, "password": None},
        {"password": "wrong"},
        {"password": None},
        {"username": "nobody"},
        {"username": ""},
    ],
)
async def test_strangers_are_refused(broker: Broker, login: dict[str, str | None]) -> None:
    peer = Peer(broker)
    await broker.set_accounts([peer.account])
    with pytest.raises(aiomqtt.MqttError):
        async with peer.client(**login):
            pytest.fail("was let in")


async def test_connections_that_say_nothing_are_limited_and_keep_no_device_out(
    new_broker: Callable[[], Broker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mosquitto, "OPEN_FILES", 40)
    broker = new_broker()
    await broker.start()
    peer, silent = Peer(broker), []
    await broker.set_accounts([peer.account])
    try:
        async with hub_client(broker), peer.client() as device:
            for _ in range(60):
                with suppress(OSError):
                    silent.append(await asyncio.open_connection("127.0.0.1", broker.port))
            closed = 0
            for reader, _ in silent:
                with suppress(TimeoutError, ConnectionError):
                    async with asyncio.timeout(0.05):
                        closed += await reader.read(1) == b""
            still = [writer for reader, writer in silent if not reader.at_eof() and not reader.exception()]
            assert len(still) <= 40
            await device.publish(topics.up(peer.id), b"here", qos=1)
    finally:
        for _, writer in silent:
            writer.close()
        await broker.stop()


async def test_it_stops_at_once_and_in_order_while_clients_talk(kind: str, tmp_path: Path) -> None:
    """amqtt waited as long as a client talked whose packet came together with the end, and failed at what
    came while a client signed in.
    """
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: failures.append(context.get("exception"))
    )
    for number in range(4):
        broker = make_broker(
            kind,
            folder=tmp_path / f"broker-{number}",
            bind="127.0.0.1",
            port=ports.any_free("127.0.0.1"),
            entropy=os.urandom,
        )[0]
        peers = [Peer(broker) for _ in range(8)]
        await broker.start([peer.account for peer in peers])
        talking = [asyncio.create_task(_talk(peer)) for peer in peers]
        talking.append(asyncio.create_task(_echo(broker)))
        await asyncio.sleep(0.6)
        began = time.monotonic()
        await broker.stop()
        assert time.monotonic() - began < 1
        for task in talking:
            task.cancel()
        await asyncio.wait(talking)
        assert not [error for error in failures if isinstance(error, RuntimeError)]


async def _talk(peer: Peer) -> None:
    """A device that sends much, and comes anew now and then."""
    with suppress(aiomqtt.MqttError):
        for _ in range(100):
            async with peer.client(timeout=3) as device:
                await device.subscribe(topics.down(peer.id), qos=1)
                for _ in range(20):
                    await device.publish(topics.up(peer.id), b"here", qos=1)
                    await asyncio.sleep(0.002)


async def _echo(broker: Broker) -> None:
    with suppress(aiomqtt.MqttError):
        async with hub_client(broker) as hub:
            async for message in hub.messages:
                await hub.publish(str(message.topic).removesuffix("up") + "dn", b"answer", qos=1)


async def test_a_device_cannot_reach_another(broker: Broker) -> None:
    victim, thief = Peer(broker), Peer(broker)
    await broker.set_accounts([victim.account, thief.account])
    async with hub_client(broker) as hub, victim.client() as device, thief.client() as other:
        await device.subscribe(topics.down(victim.id), qos=1)
        for wanted in (
            topics.down(victim.id),
            topics.up(victim.id),
            topics.ALL_UP,
            "mh/1/#",
            "#",
            "mh/1/+/dn",
        ):
            with suppress(aiomqtt.MqttError):
                await other.subscribe(wanted, qos=1)
        for forged in (topics.up(victim.id), topics.presence(victim.id), topics.down(victim.id)):
            with suppress(aiomqtt.MqttError):
                await other.publish(forged, b"forged", qos=1)
        await hub.publish(topics.down(victim.id), b"secret", qos=1)
        await device.publish(topics.up(victim.id), b"mine", qos=1)
        got = await next_message(device)
        assert got is not None
        assert got.payload == b"secret"
        reported = await next_message(hub)
        assert reported is not None
        assert reported.payload == b"mine"
        assert await next_message(hub, QUIET) is None
        assert await next_message(device, QUIET) is None
        assert await next_message(other, QUIET) is None


async def test_a_last_will_needs_rights_too(broker: Broker) -> None:
    victim, thief = Peer(broker), Peer(broker)
    await broker.set_accounts([victim.account, thief.account])
    async with hub_client(broker) as hub:
        will = aiomqtt.Will(topics.up(victim.id), b"forged", 1)
        with suppress(aiomqtt.MqttError):
            async with thief.client(will=will) as other:
                other._client.socket().close()
                await asyncio.sleep(QUIET)
        assert await next_message(hub, QUIET) is None


async def test_a_client_identifier_takes_nothing_over(broker: Broker) -> None:
    victim, thief = Peer(broker), Peer(broker)
    await broker.set_accounts([victim.account, thief.account])
    async with hub_client(broker) as hub, victim.client(identifier="same") as device:
        await device.subscribe(topics.down(victim.id), qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with victim.client(identifier="same", password="wrong"):
                pytest.fail("was let in")
        async with thief.client(identifier="same"), thief.client(identifier=broker.login.user):
            await hub.publish(topics.down(victim.id), b"still mine", qos=1)
            got = await next_message(device)
            assert got is not None
            await device.publish(topics.up(victim.id), b"still here", qos=1)
            assert await next_message(hub) is not None


async def test_a_removed_account_is_put_out(broker: Broker) -> None:
    peer, other = Peer(broker), Peer(broker)
    await broker.set_accounts([peer.account, other.account])
    async with hub_client(broker) as hub:
        with suppress(aiomqtt.MqttError):
            async with peer.client() as device:
                await device.publish(topics.up(peer.id), b"before", qos=1)
                assert await next_message(hub) is not None
                await broker.set_accounts([other.account])
                await asyncio.sleep(QUIET)
                await device.publish(topics.up(peer.id), b"after", qos=1)
                pytest.fail("was not put out")
        with pytest.raises(aiomqtt.MqttError):
            async with peer.client():
                pytest.fail("was let in")
        async with other.client() as device:
            await device.publish(topics.up(other.id), b"other", qos=1)
            payloads = []
            while (message := await next_message(hub, QUIET)) is not None:
                payloads.append(message.payload)
            assert payloads == [b"other"]


async def test_junk_and_giants_do_no_harm(broker: Broker) -> None:
    peer = Peer(broker)
    await broker.set_accounts([peer.account])
    giant_connect = b"\x10\xff\xff\xff\x7f" + bytes(4000)
    giant_publish = b"\x32\xff\xff\xff\x7f\x00\x05mh/1/"
    shapes = [
        b"",
        b"\x10",
        b"\x00\x00",
        b"\xf0\x00",
        b"\xc0\x00",
        giant_connect,
        giant_publish,
        b"GET / HTTP/1.1\r\n\r\n",
    ]
    async with hub_client(broker) as hub, peer.client() as device:
        for junk in [*shapes, *(os.urandom(60) for _ in range(60))]:
            _, writer = await asyncio.open_connection("127.0.0.1", broker.port)
            writer.write(junk)
            await writer.drain()
            writer.close()
        with suppress(aiomqtt.MqttError):
            await device.publish(topics.up(peer.id), bytes(20_000), qos=1, timeout=0.5)
        async with peer.client() as again:
            await again.publish(topics.up(peer.id), bytes(4127), qos=1)
            got = await next_message(hub)
        assert got is not None
        assert got.payload == bytes(4127)
        assert broker.running
        assert broker.restarts == 0


async def test_restart_after_it_was_killed(broker: Broker) -> None:
    peer = Peer(broker)
    await broker.set_accounts([peer.account])
    killed = time.monotonic()
    if isinstance(broker, Mosquitto):
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
    else:
        assert isinstance(broker, Embedded)
        assert broker._broker is not None
        for server in broker._broker._servers.values():
            server.instance.close()
    while not broker.restarts:
        await asyncio.sleep(0.02)
        assert time.monotonic() - killed < 5
    assert broker.running
    async with hub_client(broker) as hub, peer.client() as device:
        await device.publish(topics.up(peer.id), b"again", qos=1)
        assert await next_message(hub) is not None


async def test_nothing_is_left_running(new_broker: Callable[[], Broker]) -> None:
    broker = new_broker()
    changes: list[bool] = []
    broker._changed = changes.append
    await broker.start()
    await broker.stop()
    assert changes == [True, False]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", broker.port)


async def test_no_password_on_disk(broker: Broker, tmp_path: Path) -> None:
    peer = Peer(broker)
    await broker.set_accounts([peer.account])
    content = everything_in(tmp_path)
    assert topics.up(peer.id).encode() in content or broker.kind == "amqtt"
    assert peer.password.encode() not in content
    assert broker.login.password.encode() not in content


async def test_a_taken_port_is_an_error_with_its_number(broker: Broker, tmp_path: Path) -> None:
    second, _ = make_broker(
        broker.kind, folder=tmp_path / "second", bind="127.0.0.1", port=broker.port, entropy=os.urandom
    )
    with pytest.raises(TransportError, match=str(broker.port)):
        await second.start()
    await second.stop()


class TestMosquittoOnly:
    @pytest.fixture
    def kind(self) -> str:
        if mosquitto.find() is None:
            pytest.skip("mosquitto is not installed")
        return "mosquitto"

    @pytest.mark.parametrize("shape", ["empty", "garbage", "half", "folder"])
    @pytest.mark.parametrize("name", [PASSWORDS, RIGHTS, "mosquitto.conf", "mosquitto.db"])
    async def test_a_damaged_file_is_moved_aside(self, tmp_path: Path, name: str, shape: str) -> None:
        folder = tmp_path / "broker"
        files = BrokerFiles(folder)
        accounts = [BrokerAccount(user="u", password_hash="h", topic_id=topics.topic_id(bytes(10)))]
        files.write(addresses=["127.0.0.1"], port=1, accounts=[])
        files.write_accounts(accounts)
        path = folder / name
        before = path.read_bytes() if path.exists() else b"\0" * 40
        path.unlink(missing_ok=True)
        if shape == "folder":
            path.mkdir()
        else:
            path.write_bytes(
                {"empty": b"", "garbage": os.urandom(99), "half": before[: len(before) // 2]}[shape]
            )
        files.write(addresses=["127.0.0.1"], port=1, accounts=accounts)
        if name == "mosquitto.db":
            assert not path.exists()
        else:
            assert path.read_bytes() == before
        assert [item.name.startswith(name) for item in (folder / ASIDE).iterdir()] == [True]

    @pytest.mark.parametrize("damage", ["files", "folder"])
    async def test_damage_and_kill_together(self, broker: Broker, tmp_path: Path, damage: str) -> None:
        assert isinstance(broker, Mosquitto)
        peer = Peer(broker)
        await broker.set_accounts([peer.account])
        folder = tmp_path / "broker"
        if damage == "files":
            for path in folder.iterdir():
                path.write_bytes(os.urandom(50))
        else:
            folder.rename(tmp_path / "gone")
            folder.write_bytes(b"not a folder")
        killed = time.monotonic()
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        while not broker.restarts:
            await asyncio.sleep(0.02)
            assert time.monotonic() - killed < 5
        async with hub_client(broker) as hub, peer.client() as device:
            await device.publish(topics.up(peer.id), b"again", qos=1)
            assert await next_message(hub) is not None

    async def test_it_dies_with_the_hub(self, tmp_path: Path) -> None:
        script = """
import asyncio, os, sys
from pathlib import Path
from meshhub import ports
from meshhub.broker.choose import make_broker
async def main():
    broker, _ = make_broker("mosquitto", folder=Path(sys.argv[1]), bind="127.0.0.1",
                            port=ports.any_free("127.0.0.1"), entropy=os.urandom)
    await broker.start()
    print(broker.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
        hub = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(tmp_path / "b"), stdout=asyncio.subprocess.PIPE
        )
        assert hub.stdout is not None
        child = int(await hub.stdout.readline())
        os.kill(child, 0)
        hub.kill()
        await hub.wait()
        for _ in range(100):
            if not is_running(child):
                return
            await asyncio.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        pytest.fail("mosquitto outlived the hub")


def test_the_choice_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosquitto, "SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HubError, match="not installed"):
        make_broker("mosquitto", folder=tmp_path, bind="127.0.0.1", port=1, entropy=os.urandom)


async def test_without_mosquitto_amqtt_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosquitto, "SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    broker, said = make_broker("auto", folder=tmp_path, bind="127.0.0.1", port=1, entropy=os.urandom)
    assert broker.kind == "amqtt"
    assert "mosquitto is not installed" in said


async def test_a_remembered_port_is_kept_and_waited_for(unused_tcp_port: int) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", unused_tcp_port)
    settling = asyncio.create_task(settle_port("127.0.0.1", 1883, unused_tcp_port))
    await asyncio.sleep(0.3)
    assert not settling.done()
    server.close()
    await server.wait_closed()
    assert await settling == (unused_tcp_port, False)


async def test_a_port_must_be_free_on_loopback_too(unused_tcp_port: int) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", unused_tcp_port)
    port, _ = await settle_port("127.0.0.2", unused_tcp_port, None)
    assert port != unused_tcp_port
    server.close()
    await server.wait_closed()


async def test_devices_come_in_at_their_address_and_the_hub_at_loopback(kind: str, tmp_path: Path) -> None:
    port, _ = await settle_port("127.0.0.2", 0, None)
    broker, _ = make_broker(kind, folder=tmp_path, bind="127.0.0.2", port=port, entropy=os.urandom)
    await broker.start()
    try:
        peer = Peer(broker)
        await broker.set_accounts([peer.account])
        async with hub_client(broker) as hub, peer.client(hostname="127.0.0.2") as device:
            await device.publish(topics.up(peer.id), b"from afar", qos=1)
            assert await next_message(hub) is not None
    finally:
        await broker.stop()
