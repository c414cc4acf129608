"""Messages between accounts of two services, each in a process of its own, over loopback."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import ServiceProcess, done, eventually, meshman, pending, write_resolver

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[tuple[ServiceProcess, ServiceProcess]]:
    write_resolver(tmp_path, {})
    com, net = (
        ServiceProcess(tmp_path, domain, "--accounts", "open") for domain in ("example.com", "example.net")
    )
    try:
        com.start()
        net.start()
        write_resolver(tmp_path, {"example.com": com.said["url"], "example.net": net.said["url"]})
        yield com, net
    finally:
        codes = [com.stop(), net.stop()]
        assert codes == [0, 0]


def test_messages_pass_while_services_are_killed_and_come_back(
    services: tuple[ServiceProcess, ServiceProcess], tmp_path: Path
) -> None:
    com, net = services
    done(tmp_path, "alice", "account", "create", "alice@example.com")
    done(tmp_path, "bob", "account", "create", "bob@example.net")
    net.stop(signal.SIGKILL)
    done(tmp_path, "alice", "message", "contact", "bob@example.net")
    com.stop(signal.SIGKILL)
    com.start()
    net.start()
    [request] = eventually(lambda: pending(tmp_path, "bob"), 1)
    assert (request["Type"], request["From"]) == ("MessageContact", "alice@example.com")
    done(tmp_path, "bob", "message", "accept", request["MessageID"])
    [answer] = eventually(lambda: pending(tmp_path, "alice"), 1)
    assert (answer["Type"], answer["From"]) == ("MessageContact", "bob@example.net")
    done(tmp_path, "alice", "account", "sync", "/auto")
    question = done(tmp_path, "alice", "message", "confirm", "bob@example.net", "start the pump")
    response = question.partition("Response ID: ")[2].split()[0]
    [asked] = eventually(lambda: pending(tmp_path, "bob"), 1)
    assert asked["Text"] == "start the pump"
    done(tmp_path, "bob", "message", "accept", asked["MessageID"])
    [told] = eventually(lambda: pending(tmp_path, "alice"), 1)
    assert told["Type"] == "ResponseConfirmation"
    assert "Accept" in done(tmp_path, "alice", "message", "status", response)
    refused = done(tmp_path, "alice", "message", "contact", "nobody@example.net")
    assert "Message ID" in refused
    notices = eventually(
        lambda: [one for one in pending(tmp_path, "alice") if one["Type"] == "MessageUndelivered"], 1
    )
    assert [one["Account"] for one in notices] == ["nobody@example.net"]
    assert "nobody@example.net is not an account" in notices[0]["Reason"]
    assert len(pending(tmp_path, "bob")) == 0
    disk = b"".join(path.read_bytes() for one in (com, net) for path in one.data.rglob("*.d*"))
    assert b"start the pump" not in disk
    assert meshman(tmp_path, "alice", "message", "contact", "x@elsewhere.invalid").returncode == 0
