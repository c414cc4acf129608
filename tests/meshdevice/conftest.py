"""A device's identity without a factory, and a real broker."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

VALUES = json.loads((Path(__file__).parent / "device.json").read_text())


@dataclass(slots=True, kw_only=True)
class Broker:
    """A mosquitto of this test on the loopback with one account."""

    folder: Path
    port: int
    user: str = "device"
    password: str = "correct horse"
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it listens."""
        passwords = self.folder / "passwords"
        if not passwords.exists():
            passwords.write_text(f"{self.user}:{self.password}\n")
            subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
            + ("user root\n" if os.getuid() == 0 else "")
        )
        self.process = subprocess.Popen(
            ["mosquitto", "-c", str(self.folder / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.kill()
        raise RuntimeError("mosquitto does not start")

    def kill(self) -> None:
        """What a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def octets(name: str) -> bytes:
    """A value of device.json."""
    return bytes.fromhex(VALUES[name])


@pytest.fixture
def identity() -> dict[str, object]:
    """What the factory would hand to the firmware."""
    binary = {name: octets(name) for name in ("udf", "enc", "auth", "auth_pub", "psk_on")}
    text = {name: VALUES[name] for name in ("pid", "pass", "maker")}
    unused = {"sign": bytes(57), "sign_prefix": bytes(57), "maker_key": bytes(57), "svc": "", "dev": ""}
    return {
        "v": 1,
        "kind": "light",
        "model": "mesh/lamp1",
        "serial": "1",
        "pool": bytes(range(32)),
        **binary,
        **text,
        **unused,
    }


def free_port() -> int:
    """A TCP port of the loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A running broker."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin")
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    broker = Broker(folder=tmp_path_factory.mktemp("broker"), port=free_port())
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(name="octets")
def octets_fixture() -> Callable[[str], bytes]:
    """Reads a value of device.json."""
    return octets
