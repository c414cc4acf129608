"""Services in processes of their own, and people's machines that reach them by a resolver file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

MESHMAN = "from meshclient.meshman.cli import main; main()"
SECONDS = 60


class ServiceProcess:
    """`meshservice run` for one domain; it keeps its port when it is started again."""

    def __init__(self, folder: Path, domain: str, *words: str) -> None:
        self.data = folder / domain
        self.domain = domain
        self.words = words
        self.port = 0
        self.said: dict[str, Any] = {}
        self._resolver = folder / "resolver.json"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = ["run", "--data", str(self.data), "--domain", self.domain, "--port", str(self.port)]
        command = [sys.executable, "-m", "meshservice.cli", *words, "--json", *self.words]
        environment = {**os.environ, "MESH_RESOLVER": str(self._resolver)}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self._process.stdout is not None
        self.said = json.loads(self._process.stdout.readline())
        self.port = int(self.said["url"].split(":")[2].partition("/")[0])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; its exit code, 0 when it does not run."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(number)
        process.communicate(timeout=SECONDS)
        return process.returncode


def write_resolver(folder: Path, places: dict[str, object]) -> None:
    (folder / "resolver.json").write_text(json.dumps(places))


def meshman(folder: Path, actor: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `meshman` on the machine of an actor."""
    home = folder / "homes" / actor
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "HOME": str(home),
        "MESHMAN_HOME": str(home / "mesh"),
        "MESH_RESOLVER": str(folder / "resolver.json"),
    }
    return subprocess.run(
        [sys.executable, "-c", MESHMAN, *words],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=environment,
        cwd=folder,
    )


def done(folder: Path, actor: str, *words: str) -> str:
    """As `meshman`, which must succeed: what it printed."""
    result = meshman(folder, actor, *words)
    assert result.returncode == 0, (words, result.stdout, result.stderr)
    return result.stdout


def pending(folder: Path, actor: str) -> Sequence[dict[str, Any]]:
    """The messages that wait for an actor."""
    said = json.loads(done(folder, actor, "message", "pending", "--json"))
    found: Sequence[dict[str, Any]] = said["ResultPending"]["Messages"]
    return found


def eventually(
    look: Callable[[], Sequence[dict[str, Any]]], count: int, seconds: float = 40
) -> Sequence[dict[str, Any]]:
    """What `look` returns once it has at least `count` members."""
    ends = time.monotonic() + seconds
    while True:
        found = look()
        if len(found) >= count or time.monotonic() > ends:
            return found
        time.sleep(0.3)
