"""Invitations from end to end: `meshservice invite`, a service in a process, `meshman account create`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

MESHMAN = "from meshclient.meshman.cli import main; main()"


def service(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "meshservice.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def create(folder: Path, name: str, address: str, *words: str) -> subprocess.CompletedProcess[str]:
    home = folder / name
    home.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "HOME": str(home),
        "MESHMAN_HOME": str(home / "mesh"),
        "MESH_RESOLVER": str(folder / "resolver.json"),
    }
    command = [sys.executable, "-c", MESHMAN, "account", "create", address, *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment, cwd=folder
    )


@pytest.mark.slow
def test_an_invitation_lets_one_account_in_over_the_network(tmp_path: Path) -> None:
    data = tmp_path / "service"
    words = ["run", "--data", str(data), "--port", "0", "--domain", "example.com", "--json"]
    command = [sys.executable, "-m", "meshservice.cli", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            (tmp_path / "resolver.json").write_text(json.dumps({"example.com": said["url"]}))
            uninvited = create(tmp_path, "bob", "bob@example.com")
            assert uninvited.returncode == 1
            assert "invitation" in uninvited.stderr
            made = service("invite", "Alice@Example.com", "--data", str(data), "--json")
            invited = json.loads(made.stdout)
            assert invited["address"] == "alice@example.com"
            code = invited["invitation"]
            assert create(tmp_path, "bob", "bob@example.com", "--invitation", code).returncode == 1
            alice = create(tmp_path, "alice", "alice@example.com", "--invitation", code)
            assert alice.returncode == 0, alice.stderr
            assert "Account=alice@example.com" in alice.stdout
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0


def test_a_service_that_was_never_started_invites_nobody(tmp_path: Path) -> None:
    said = service("invite", "--data", str(tmp_path))
    assert said.returncode == 1
    assert "keys.json" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("words", [("alice",), ("--days", "0"), ("--days", "9999")])
def test_wrong_usage_is_told_as_such(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert service("invite", "--data", str(tmp_path), *words).returncode == 2


@pytest.mark.parametrize("words", [(), ("run",), ("invite",)])
def test_every_command_shows_an_example(words: tuple[str, ...]) -> None:
    assert "Example:\n" in service(*words, "-h").stdout
