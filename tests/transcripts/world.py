"""Two services and several people's machines: processes of their own with folders of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.ssh_server import Sshd

START_SECONDS = 30.0
COMMAND_SECONDS = 120.0
SERVICE = "import sys; from meshservice.cli import main; sys.argv[0] = 'meshservice'; main()"
MESHMAN = "from meshclient.meshman.cli import main; main()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What a command printed, both streams in one, and its exit code."""

    text: str
    code: int
    seconds: float


@dataclass(slots=True)
class Service:
    """A service for one domain in a process of its own."""

    domain: str
    folder: Path
    process: subprocess.Popen[str] | None = None
    said: dict[str, str] = field(default_factory=dict)

    def start(self, resolver: Path) -> None:
        """Start it on a free port of loopback, and wait until it serves."""
        log = (self.folder / "log").open("w")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", SERVICE, "run", "--json", "--port", "0"),
                *("--data", str(self.folder / "data"), "--domain", self.domain, "--accounts", "open"),
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**_environment(self.folder.parent.parent), "MESH_RESOLVER": str(resolver)},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        log.close()
        if not line:
            raise AssertionError((self.folder / "log").read_text())
        self.said = json.loads(line)

    def stop(self) -> None:
        """Stop it."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None


class World:
    """The services, and a home for every actor. Actors work in one folder, `files`, where they pass files."""

    def __init__(self, folder: Path, domains: tuple[str, ...]) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.resolver = folder / "resolver.json"
        self.services = [Service(domain, folder / "services" / domain) for domain in domains]
        self.sshd: Sshd | None = None

    def start(self) -> None:
        """Start the services, and write down where they are."""
        self.files.mkdir(parents=True)
        self.resolver.write_text("{}")
        for service in self.services:
            service.folder.mkdir(parents=True)
            service.start(self.resolver)
        places = {service.domain: service.said["url"] for service in self.services}
        self.resolver.write_text(json.dumps(places, indent=2))

    def start_sshd(self) -> Sshd:
        """Start a server for the rows that log in."""
        self.sshd = Sshd(self.folder / "sshd")
        new = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.sshd.host_key)]
        subprocess.run(new, check=True)
        self.sshd.start()
        return self.sshd

    def stop(self) -> None:
        """Stop the services."""
        if self.sshd is not None:
            self.sshd.stop()
        for service in self.services:
            service.stop()

    def run(self, actor: str, words: list[str]) -> Printed:
        """Run `meshman` with these words on the machine of an actor."""
        home = self.folder / "homes" / actor
        home.mkdir(parents=True, exist_ok=True)
        environment = {
            **_environment(self.folder),
            "MESHMAN_HOME": str(home / "mesh"),
            "HOME": str(home),
            "MESH_RESOLVER": str(self.resolver),
        }
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", MESHMAN, *words],
            cwd=self.files,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Printed(text=done.stdout, code=done.returncode, seconds=time.monotonic() - began)


def _environment(folder: Path) -> dict[str, str]:
    """The environment of a program that was installed: its modules are compiled once."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
