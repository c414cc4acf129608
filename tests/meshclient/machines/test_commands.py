"""The commands on accounts and catalogs, as typed; services are in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Any
"""What a command printed, and its exit code; see conftest."""


@pytest.mark.parametrize(
    ("add", "name", "line"),
    [
        ("password add ftp.example.com alice1 pass1", "ftp.example.com", "alice1@ftp.example.com = [pass1]"),
        ("network add myWiFi password", "myWiFi", "myWiFi = [password]"),
        ("bookmark add http://example.com/ Example /id=NABC", "Example", "NABC http://example.com/ Example"),
        (
            "calendar add Dentist /start=2031-05-02T09:00 /id=NDEF",
            "Dentist",
            "NDEF 2031-05-02 09:00 Dentist",
        ),
    ],
)
def test_entries_of_catalogs(alice: Callable[..., Run], add: str, name: str, line: str) -> None:
    group = add.split()[0]
    assert alice(add).out == line + "\n"
    for words in (f"{group} get {name}", f"{group} list"):
        assert alice(words).out == line + "\n"
    entries = json.loads(alice(f"{group} list /json").out)["ResultEntry"]["Entries"]
    assert len(entries) == 1
    assert alice(f"{group} delete {name}").out == f"Deleted {line}\n"
    gone = alice(f"{group} get {name}")
    assert (gone.code, gone.out) == (1, "")
    assert f"There is no {'task' if group == 'calendar' else group} {name}" in gone.err


def test_a_password_from_standard_input(alice: Callable[..., Run]) -> None:
    assert alice("password add ftp.example.com alice1 -", input="from elsewhere\n").code == 0
    assert alice("password get ftp.example.com").out == "alice1@ftp.example.com = [from elsewhere]\n"


def test_accounts_of_a_machine(meshman: Callable[..., Run], alice: Callable[..., Run]) -> None:
    again = alice("account create alice@example.com")
    assert (again.code, again.out) == (1, "")
    assert "in the account alice@example.com already" in again.err
    assert alice("account create work@example.net /name=work").code == 0
    assert len(alice("account list").out.splitlines()) == 2
    unnamed = alice("password list")
    assert unnamed.code == 1
    assert "name one with /account" in unnamed.err
    assert alice("password add a.example b c /local=work").code == 0
    assert alice("password list /account=work@example.net").out == "b@a.example = [c]\n"
    assert alice("password list /account=alice@example.com").out == ""
    assert alice("account default alice@example.com").code == 0
    assert alice("password list").out == ""
    nobody = meshman("nobody", "password list")
    assert nobody.code == 1
    assert nobody.err.startswith("ERROR - There is no account on this machine; `account create` makes one")


def test_export_and_import(meshman: Callable[..., Run], alice: Callable[..., Run], tmp_path: Path) -> None:
    alice("password add ftp.example.com alice1 pass1")
    made = dict(line.split("=", 1) for line in alice("account export copy.dare").out.splitlines())
    assert b"Seed" not in (tmp_path / "copy.dare").read_bytes()
    wrong = meshman("other", "account import copy.dare", "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM")
    assert wrong.code == 1
    assert meshman("other", "account import copy.dare -", input=made["Key"] + "\n").code == 0
    assert meshman("other", "password get ftp.example.com /sync").out == "alice1@ftp.example.com = [pass1]\n"


def test_wrong_words_are_refused(alice: Callable[..., Run]) -> None:
    for words, reason in (
        ("device accept NAAA-AAAA /web", "There is no message NAAA-AAAA"),
        ("message accept NAAA-AAAA", "There is no message NAAA-AAAA"),
        ("message confirm bob@example.com start", "bob@example.com is not among the contacts"),
        ("group add g@example.com bob@example.com", "bob@example.com is not among the contacts"),
        ("device delete nothing", "There is no device nothing"),
        ("message status NAAA-AAAA", "asked no question"),
        ("account pin /auth=emperor", "There is no role emperor"),
    ):
        run = alice(words)
        assert (run.code, run.out) == (1, ""), words
        assert reason.lower() in run.err.lower(), words


def test_an_account_is_deleted(meshman: Callable[..., Run], alice: Callable[..., Run]) -> None:
    alice("password add ftp.example.com alice1 pass1")
    assert alice("account delete alice@example.com", input="n\n").code == 1
    assert alice("account delete alice@example.com /yes").out == "Deleted alice@example.com\n"
    assert alice("account list").out == ""
    assert meshman("other", "account create alice@example.com").code == 0
    assert meshman("other", "password list").out == ""


def test_a_refused_account_leaves_nothing(meshman: Callable[..., Run], alice: Callable[..., Run]) -> None:
    taken = meshman("thief", "account create alice@example.com")
    assert taken.code == 1
    assert "is taken by another account" in taken.err
    assert meshman("thief", "account list").out == ""


def test_names_for_completion(alice: Callable[..., Run], closed_world: Any) -> None:
    """What is stored on this machine, without a service."""
    alice("password add ftp.example.com alice1 -", input="pass1\n")
    alice("network add myWiFi -", input="password2\n")
    alice("bookmark add http://example.com/ Example")
    alice("calendar add Dentist")
    alice("group create groupw@example.com")
    devices = alice("device list").out
    closed_world.directory.engines = {}
    for kind, name in (
        ("account", "alice@example.com"),
        ("password", "ftp.example.com"),
        ("network", "myWiFi"),
        ("bookmark", "Example"),
        ("calendar", "Dentist"),
        ("contact", "alice@example.com"),
        ("group", "groupw@example.com"),
    ):
        assert name in alice(f"completion names {kind}").out.splitlines()
    [device] = alice("completion names device").out.splitlines()
    assert device in devices
    assert alice("completion names message").out == ""
