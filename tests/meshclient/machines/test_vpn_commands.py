"""Tunnels of devices with a role, and of one device alone."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]
SERVER = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="
SETTINGS = f"/allowed 10.8.0.0/24 /endpoint vpn.example.com:51820 /peer {SERVER}"


def ok(run: Any) -> Any:
    assert run.code == 0, run.err
    return run


def test_tunnels_of_roles_and_of_one_device(alice: Run, meshman: Run, join: Run) -> None:
    join("alice2", "/web")
    third = join("alice3", "/web")
    made = ok(alice(f"vpn create home /address 10.8.0.2/24 {SETTINGS} /web"))
    assert made.value("Devices") == "3"
    only = ok(alice(f"vpn create travel /address 10.8.0.3/24 {SETTINGS} /only {third}"))
    assert only.value("Devices") == "2"
    ok(meshman("alice2", "vpn get home /file home.conf"))
    assert stat.S_IMODE(Path("home.conf").stat().st_mode) == 0o600
    assert f"[Peer]\nPublicKey = {SERVER}\n" in Path("home.conf").read_text()
    section = ok(alice("vpn get home /server")).out
    assert section.splitlines()[1:] == [
        "[Peer]", f"PublicKey = {made.value('PublicKey')}", "AllowedIPs = 10.8.0.2/32",
    ]  # fmt: skip
    ok(meshman("alice3", "vpn get travel /file travel.conf"))
    refused = meshman("alice2", "vpn get travel /file other.conf")
    assert (refused.code, Path("other.conf").exists()) == (1, False)

    gone = ok(alice(f"device delete {third}"))
    assert gone.err.count("VPN key") == 2
    listed = json.loads(ok(alice("vpn list /json")).out)["ResultVpn"]["Tunnels"]
    assert [one["Name"] for one in listed] == ["home"]
    assert listed[0]["PublicKey"] != made.value("PublicKey")
    assert listed[0]["Address"] == ["10.8.0.2/24"]
    ok(meshman("alice2", "vpn get home /file renewed.conf"))
    assert Path("renewed.conf").read_text() != Path("home.conf").read_text()
    assert meshman("alice3", "vpn get home /file late.conf").code == 1
    ok(alice("vpn delete home"))
    assert ok(alice("vpn list")).out == ""


def test_what_is_refused(alice: Run, meshman: Run, join: Run) -> None:
    join("alice2", "/web")
    ok(alice(f"vpn create home /address 10.8.0.2/24 {SETTINGS}"))
    for actor, words, code in (
        ("alice", f"vpn create Home /address 10.8.0.2/24 {SETTINGS}", 1),
        ("alice", f"vpn create other /address nowhere {SETTINGS}", 1),
        ("alice", f"vpn create other /address 10.8.0.2/24 {SETTINGS} /only nobody", 1),
        ("alice", f"vpn create other /address 10.8.0.2/24 {SETTINGS} /only nobody /web", 2),
        ("alice", "vpn get home /server /file a", 2),
        ("alice", "vpn delete other", 1),
        ("alice2", f"vpn create other /address 10.8.0.2/24 {SETTINGS}", 1),
    ):
        assert meshman(actor, words).code == code, words
    assert len(ok(alice("vpn list")).out.splitlines()) == 1
