"""Files between people: the `dare` commands with the keys of accounts and their contacts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from meshclient.key_source import KeySource
from meshclient.meshman import dare_keys
from meshclient.meshman.cli import commands


@pytest.fixture
def meshman(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`meshman(person, words)` as that person; Alice and Bob have exchanged contacts, Mallet nothing."""

    async def people() -> None:
        machines = [
            await world.account(name, f"{name}@{domain}")
            for name, domain in (("alice", "example.com"), ("bob", "example.com"), ("mallet", "example.com"))
        ]
        await world.exchange(machines[0], machines[1])

    asyncio.run(people())
    monkeypatch.chdir(tmp_path)

    @contextmanager
    def source(home: Path | None, account: str | None) -> Iterator[KeySource]:
        assert home is not None
        with asyncio.Runner() as runner, world.session(world.machine(home.name)) as session:
            yield KeySource(session, runner)

    monkeypatch.setattr(dare_keys, "_account_source", source)

    def run(person: str, words: str) -> Any:
        result = CliRunner().invoke(commands, [*words.split(), f"--home={person}"])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def test_a_file_from_alice_to_bob(meshman: Any, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear Bob")
    words = "dare encode letter letter.dare /encrypt=bob@example.com /self /sign=alice@example.com"
    assert meshman("alice", words).exit_code == 0
    run = meshman("bob", "dare decode letter.dare for-bob /verify")
    assert run.exit_code == 0, run.output
    assert "Signer: M" in run.stdout
    assert (tmp_path / "for-bob").read_text() == "Dear Bob"
    assert meshman("alice", "dare decode letter.dare own").exit_code == 0
    assert meshman("mallet", "dare decode letter.dare stolen").exit_code == 1
    assert not (tmp_path / "stolen").exists()
    assert meshman("bob", "dare verify letter.dare /signer=alice.pub").exit_code == 1
    assert "unverified" in meshman("mallet", "dare verify letter.dare").stdout


def test_a_log_that_alice_signs_and_bob_reads(meshman: Any, tmp_path: Path) -> None:
    assert meshman("alice", "dare create log.dcon /encrypt=bob@example.com /self").exit_code == 0
    assert meshman("alice", "dare log log.dcon opened /sign=alice@example.com").exit_code == 0
    listed = meshman("bob", "dare list log.dcon")
    assert listed.stdout.splitlines()[0].endswith("Z opened")
    assert "sealed" in meshman("mallet", "dare list log.dcon").stdout
    assert "Vouched for: frames with their headers, 0 to 1" in meshman("bob", "dare verify log.dcon").stdout
    assert "Vouched for" not in meshman("mallet", "dare verify log.dcon").stdout
    assert meshman("alice", "dare prove log.dcon part.slice /first=1").exit_code == 0
    assert meshman("bob", "dare verify part.slice").exit_code == 0
    assert meshman("mallet", "dare verify part.slice").exit_code == 1


def test_names_that_are_not_known(meshman: Any, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("x")
    run = meshman("alice", "dare encode letter /encrypt=nobody@example.com")
    assert run.exit_code == 1
    assert "not among the contacts" in run.stderr
    assert meshman("alice", "dare encode letter /sign=bob@example.com").exit_code == 1
