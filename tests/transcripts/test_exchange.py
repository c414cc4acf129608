"""Contacts by code, confirmations and a file for a group, over the sockets of a service in a process of its
own, and a look at what lies in the spools.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.message import Message
from mathmesh.stores.spool import clear_message
from meshclient.meshman.cli import commands
from meshclient.store_files import SequenceFile

from .world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

QUESTION = "Shall the canary-CF19 door open?"
SECRET = "What the family knows: canary-FM33.\n"
OF_THE_ACCOUNT_ITSELF = {"MessageComplete", "MessageClaim"}
"""Messages that the service must read: signed, in clear, and without anything that is private."""


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("exchange"), ("example.com",))
    monkeypatch.setenv("MESH_RESOLVER", str(made.resolver))
    try:
        made.start()
        monkeypatch.chdir(made.files)
        yield made
    finally:
        made.stop()


def typed(world: World, actor: str, words: Sequence[str]) -> tuple[int, Any]:
    """A command on the machine of an actor: its exit code and result object."""
    settings = {"MESHMAN_HOME": str(world.folder / "homes" / actor)}
    done = CliRunner(env=settings).invoke(commands, [*words, "/json"], prog_name="meshman")
    assert done.exception is None or isinstance(done.exception, SystemExit), (words, done.exception)
    return done.exit_code, json.loads(done.stdout)


def run(world: World, actor: str, *words: str) -> dict[str, Any]:
    """A command that succeeds; the members of its result."""
    code, said = typed(world, actor, words)
    assert code == 0, (words, said)
    [members] = said.values()
    assert members["Success"] is True
    return dict(members)


def refused(world: World, actor: str, *words: str) -> str:
    """A command that is refused; why."""
    code, said = typed(world, actor, words)
    assert code == 1, (words, said)
    return str(said["Result"]["Reason"])


def account(world: World, actor: str) -> str:
    """An account of the name of the actor; its UDF."""
    return str(run(world, actor, "account", "create", f"{actor}@example.com")["UDF"])


def test_from_codes_to_a_file_for_the_group(world: World) -> None:
    udf = {name: account(world, name) for name in ("alice", "bob", "carol")}

    def knows(actor: str, other: str) -> bool:
        anchors = [one["Anchors"] for one in run(world, actor, "contact", "list")["Contacts"]]
        return [udf[other]] in anchors

    # a printed code: exchanged by one reader, fetched by another at the same time
    printed = run(world, "alice", "contact", "static", "/qr", "card.svg")["URI"]
    assert (world.files / "card.svg").read_bytes().startswith(b"<?xml")
    assert run(world, "bob", "contact", "exchange", printed)["UDF"] == udf["alice"]
    assert run(world, "carol", "contact", "fetch", printed)["UDF"] == udf["alice"]
    assert run(world, "alice", "account", "sync", "/auto")["Processed"] == 1
    assert (knows("alice", "bob"), knows("bob", "alice")) == (True, True)
    assert (knows("alice", "carol"), knows("carol", "alice")) == (False, True)

    # a code on a screen
    shown = run(world, "carol", "contact", "dynamic", "/expire=1")["URI"]
    assert run(world, "alice", "contact", "exchange", shown)["UDF"] == udf["carol"]
    assert run(world, "carol", "account", "sync", "/auto")["Processed"] == 1
    assert knows("alice", "carol")
    assert "already" not in json.dumps(run(world, "alice", "contact", "get", "carol@example.com"))

    # a code that was altered
    assert refused(world, "bob", "contact", "fetch", shown[:-3] + "AAA")

    # confirmations: accepted, rejected, asked of a stranger
    asked = run(world, "bob", "message", "confirm", "alice@example.com", QUESTION)
    assert run(world, "bob", "message", "status", asked["ResponseID"])["Result"] == "Pending"
    [waiting] = run(world, "alice", "message", "pending")["Messages"]
    assert (waiting["From"], waiting["Text"]) == ("bob@example.com", QUESTION)
    run(world, "alice", "message", "accept", waiting["MessageID"])
    answer = run(world, "bob", "message", "status", asked["ResponseID"])
    assert (answer["Result"], answer["SignedBy"]) == ("Accept", "alice@example.com")
    assert "already" in refused(world, "alice", "message", "reject", waiting["MessageID"])
    second = run(world, "bob", "message", "confirm", "alice@example.com", QUESTION)
    run(world, "alice", "message", "reject", second["MessageID"])
    assert run(world, "bob", "message", "status", second["ResponseID"])["Result"] == "Reject"
    assert "exchange contacts first" in refused(
        world, "bob", "message", "confirm", "carol@example.com", QUESTION
    )

    # a file for a group of members
    family = "family@example.com"
    run(world, "alice", "group", "create", family)
    for member in ("alice", "bob"):
        run(world, "alice", "group", "add", family, f"{member}@example.com")
        run(world, member, "account", "sync", "/auto")
    (world.files / "plan.txt").write_text(SECRET)
    run(
        world,
        "bob",
        "dare",
        "encode",
        "plan.txt",
        "plan.dare",
        "/encrypt",
        family,
        "/sign",
        "bob@example.com",
    )
    assert b"canary" not in (world.files / "plan.dare").read_bytes()
    opened = run(world, "alice", "dare", "decode", "plan.dare", "alice.txt", "/verify")
    assert (world.files / "alice.txt").read_text() == SECRET
    assert len(opened["SignedBy"]) == 1
    assert refused(world, "carol", "dare", "decode", "plan.dare", "carol.txt")
    assert not (world.files / "carol.txt").exists()
    run(world, "alice", "group", "delete", family, "bob@example.com")
    assert refused(world, "bob", "dare", "decode", "plan.dare", "bob.txt")
    assert [one["ContactAddress"] for one in run(world, "alice", "group", "list", family)["Members"]] == [
        "alice@example.com"
    ]

    # a sender that is blocked
    run(world, "carol", "message", "block", "alice@example.com")
    run(world, "alice", "message", "confirm", "carol@example.com", QUESTION)
    assert run(world, "carol", "message", "pending")["Messages"] == []
    in_the_spools(world)


def in_the_spools(world: World) -> None:
    """Every message at the service and on machines is signed, and what people write is encrypted."""
    for path in world.folder.rglob("*"):
        if path.is_file() and path.parent != world.files and "bytecode" not in path.parts:
            assert b"canary" not in path.read_bytes(), path
    seen: dict[str, int] = {}
    files = [
        path
        for place in ("services", "homes")
        for spool in ("Inbound", "Outbound", "Local")
        for path in (world.folder / place).rglob(f"*{spool}*")
        if path.is_file() and path.suffix == ".dcon"
    ]
    assert len(files) >= 2 * 3 * 3
    for path in files:
        for envelope in messages(path):
            kind = checked(envelope, path)
            seen[kind] = seen.get(kind, 0) + 1
    assert set(seen) == {"encrypted", *OF_THE_ACCOUNT_ITSELF}
    assert seen["encrypted"] >= 2 * 12


def messages(path: Path) -> Iterator[Envelope]:
    """The messages in the file of a spool, as they lie there."""
    with SequenceFile.open(path) as file:
        for index in range(1, file.count):
            yield file.envelope(index)


def checked(envelope: Envelope, path: Path) -> str:
    """Whether a message is encrypted, or else its type; it is signed in any case."""
    members = envelope.merged()
    assert members.get("signatures"), (path, envelope.header)
    if members.get("enc"):
        assert members["recipients"]
        assert clear_message(envelope) is None
        return "encrypted"
    message = clear_message(envelope)
    assert isinstance(message, Message), (path, envelope.header)
    assert message.tag in OF_THE_ACCOUNT_ITSELF, (path, message.tag)
    return message.tag
