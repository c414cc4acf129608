"""`meshservice run` as a process: it listens, answers and stops."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest


def start(data: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "meshservice.cli", "run", "--data", str(data), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def say_hello(url: str) -> dict[str, object]:
    request = urllib.request.Request(  # noqa: S310 - the URL is that of the process just started
        url, data=b'{"Hello":{}}', headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
        answer: dict[str, object] = json.load(response)["MeshHelloResponse"]
        return answer


@pytest.mark.slow
def test_it_serves_stops_and_keeps_its_identity(tmp_path: Path) -> None:
    said = []
    for _ in range(2):
        process = start(tmp_path / "d", "--port", "0", "--domain", "example.com", "--json")
        try:
            assert process.stdout is not None
            said.append(json.loads(process.stdout.readline()))
            assert say_hello(said[-1]["url"])["Status"] == 201
            assert stat.S_IMODE(Path(said[-1]["socket"]).stat().st_mode) == 0o600
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
            process.communicate()
        assert not Path(said[-1]["socket"]).exists()
    assert said[0]["service"] == said[1]["service"]
    assert said[0]["domains"] == ["example.com"]


@pytest.mark.slow
def test_it_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    (tmp_path / "keys.json").chmod(0o644)
    process = start(tmp_path, "--port", "0", "--domain", "example.com")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "chmod 600" in said
    assert "Traceback" not in said
