"""Wi-Fi networks as typed, and taken from other programs' files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def ok(run: Any) -> Any:
    assert run.code == 0, run.err
    return run


def test_where_a_password_comes_from(alice: Run) -> None:
    Path("secret").write_text("from a file\n")
    for words, given, line in (
        ("network add one", "from standard input\n", "one = [from standard input]"),
        ("network add two -", "from standard input", "two = [from standard input]"),
        ("network add three /file secret", None, "three = [from a file]"),
        ("network add four /open", None, "four = []"),
        ("network add five /username alice", "pw", "alice@five = [pw]"),
    ):
        made = ok(alice(words, input=given))
        assert (made.out, made.err) == (line + "\n", "")
    seen = ok(alice("network add six password"))
    assert "list of processes" in seen.err
    for words in ("network add seven short", "network add seven", "network add seven password /open"):
        assert alice(words, input="").code in (1, 2)
    assert len(ok(alice("network list")).out.splitlines()) == 6


def test_a_network_that_is_added_again_stays_one(alice: Run) -> None:
    ok(alice("network add home", input="password1"))
    ok(alice("network add home /devices", input="password2"))
    [entry] = json.loads(ok(alice("network list /json")).out)["ResultEntry"]["Entries"]
    assert entry["CatalogedNetwork"] == {
        "Labels": ["devices"], "Protocol": "wifi", "Service": "home", "Password": "password2",
    }  # fmt: skip


def test_files_of_other_programs(alice: Run) -> None:
    Path("a.nmconnection").write_text("[wifi]\nssid=a\n[wifi-security]\nkey-mgmt=wpa-psk\npsk=password1\n")
    Path("b.conf").write_text('network={\n ssid="b"\n psk="password2"\n}\nnetwork={\n ssid="c"\n}\n')
    done = ok(alice("network import a.nmconnection b.conf"))
    assert done.out.splitlines()[:2] == ["a = [password1]", "b = [password2]"]
    assert "Passed over c: the passphrase is not in the file" in done.err
    Path("b.conf").write_text('network={\n ssid="d"\n psk="password2"\n}\nnetwork={\n')
    refused = alice("network import a.nmconnection b.conf")
    assert (refused.code, refused.out) == (1, "")
    assert "b.conf" in refused.err
    assert len(ok(alice("network list")).out.splitlines()) == 2


@pytest.mark.parametrize("role", ["device", "web"])
def test_a_device_reads_them(alice: Run, meshman: Run, join: Run, role: str) -> None:
    join("board", f"/{role}")
    ok(alice("network add home", input="password1"))
    assert ok(meshman("board", "network get home /sync")).out == "home = [password1]\n"
