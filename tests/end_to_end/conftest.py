"""A whole hub as its user starts it: processes, sockets, files; nothing in the test's own process."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

START_SECONDS = 60
STOP_SECONDS = 20


class RunningHub:
    """`meshhub run` on a data folder, and the other commands beside it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process: subprocess.Popen[str] | None = None
        self.dashboard = ""
        self.log = data.with_suffix(".log")

    def start(self, *options: str) -> None:
        """Start and wait for the Dashboard line."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "meshhub.cli",
                    "run",
                    "--data",
                    str(self.data),
                    "--port",
                    "0",
                    *options,
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        end = time.monotonic() + START_SECONDS
        for line in self.process.stdout:
            if found := re.match(r"Dashboard: (http://localhost:\d+/\S+)", line):
                self.dashboard = found.group(1)
                return
            assert time.monotonic() < end, "no Dashboard line within 60 s"
        raise AssertionError(f"the hub ended: {self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL, as a power cut or the kernel's memory killer would."""
        assert self.process is not None
        process, self.process = self.process, None
        process.kill()
        process.wait()
        _close(process)

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(signal.SIGINT)
        code = process.wait(STOP_SECONDS)
        _close(process)
        return code

    def run(self, *words: str, code: int = 0, text: str | None = None) -> str:
        """A `meshhub` command; its standard output. The exit code must be `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "meshhub.cli", words[0], "--data", str(self.data), *words[1:]],
            capture_output=True,
            text=True,
            input=text,
            timeout=90,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr

    def json(self, *words: str) -> Any:
        """A command's --json output."""
        return json.loads(self.run(*words, "--json"))

    def device(self, name: str) -> dict[str, Any] | None:
        """The device of that name in `devices --json`."""
        for device in self.json("devices")["devices"]:
            if name in (device["name"], device.get("full_name")):
                return dict(device)
        return None

    def wait_online(self, name: str, seconds: float = 30) -> dict[str, Any]:
        """The device once it is online."""
        end = time.monotonic() + seconds
        while True:
            device = self.device(name)
            if device is not None and device["online"]:
                return device
            assert time.monotonic() < end, f"{name} is not online: {device}"
            time.sleep(0.2)

    def processes(self) -> list[str]:
        """Command lines of processes that name the data folder."""
        return list(self.pids().values())

    def pids(self) -> dict[int, str]:
        """Those processes by their ids."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.data) in line and int(folder.name) != os.getpid():
                found[int(folder.name)] = line
        return found


def _close(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    process.stdout.close()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    """Not started yet; stopped and checked for leftovers at the end."""
    running = RunningHub(tmp_path / "data")
    yield running
    if running.process is not None:
        running.kill()
    for pid in running.pids():
        os.kill(pid, signal.SIGKILL)
