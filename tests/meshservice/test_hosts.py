"""Several hosts of one service: taken in by a grant, one serves and another stands by, and callers go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mathmesh.errors import MeshError, PolicyError, VerificationError
from mathmesh.keys import derive
from mathmesh.schema.build import make_profile_user
from mathmesh.schema.build.profile import make_profile_host
from mathmesh.service import messages as wire
from mathmesh.service.client import transact
from mathmesh.service.enveloping import service_keys
from mathmesh.service.host_grant import HostGrant, grant_host, granted_identity
from mathmesh.stores.first_frame import first_frame
from meshclient.http_service import HttpService
from meshclient.key_file import KeyFile
from meshclient.session import account_credentials
from meshservice.cli import commands

World = Any  # the fixture's class lives in conftest
NOW = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
DOMAINS = frozenset({"example.com"})


def new_host() -> str:
    return derive.new_seed(derive.PROFILE_DEVICE, os.urandom)


def granted(world: World, seed: str, **named: Any) -> HostGrant:
    profile = make_profile_host(seed, NOW)
    made = grant_host(world.identity, profile, invitations=b"secret", entropy=os.urandom, now=NOW, **named)
    return HostGrant.decode(made.encode())


def test_a_grant_is_for_one_host_and_one_time(world: World) -> None:
    seed = new_host()
    grant = granted(world, seed, expires=NOW + timedelta(days=1))
    identity, secret = granted_identity(grant, seed, NOW, DOMAINS, NOW)
    assert secret == b"secret"
    assert identity.profile.udf == world.identity.profile.udf
    assert identity.access_encrypt.public == world.identity.access_encrypt.public
    assert identity.responder.public != world.identity.signature.public
    with pytest.raises(MeshError):
        granted_identity(grant, new_host(), NOW, DOMAINS, NOW)
    with pytest.raises(VerificationError):
        granted_identity(grant, seed, NOW, DOMAINS, NOW + timedelta(days=2))
    other = granted(world, new_host())
    for member in ("enveloped_activation_host", "enveloped_connection_host", "enveloped_host_keys"):
        mixed = HostGrant.decode(grant.encode())
        object.__setattr__(mixed, member, getattr(other, member))
        with pytest.raises(MeshError):
            granted_identity(mixed, seed, NOW, DOMAINS, NOW)
        object.__setattr__(mixed, member, None)
        with pytest.raises(VerificationError, match="not whole"):
            granted_identity(mixed, seed, NOW, DOMAINS, NOW)


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "meshservice.cli",
        "run",
        "--domain",
        "example.com",
        "--json",
        *arguments,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def listening(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    said: dict[str, Any] = json.loads(process.stdout.readline())
    return said


def command(*arguments: str | Path) -> str:
    done = CliRunner().invoke(commands, ["host", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
async def test_another_host_takes_over_and_callers_go_on(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    processes.append(start("--data", str(first), "--accounts", "open", "--port", "0"))
    said = listening(processes[0])
    command("create", tmp_path / "profile", "--data", second)
    command("add", tmp_path / "profile", tmp_path / "grant", "--data", first)
    assert said["service"] in command("accept", tmp_path / "grant", "--data", second)
    with pytest.raises(PolicyError, match="already"):
        command("create", tmp_path / "profile", "--data", second)
    seed = KeyFile.open(first / "keys.json").keys.service_seed
    assert all(seed.encode() not in path.read_bytes() for path in second.rglob("*") if path.is_file())

    port = said["url"].rsplit(":", 1)[1].partition("/")[0]
    stores = ("--stores", str(first / "service"), "--wait")
    processes.append(start("--data", str(second), "--accounts", "open", "--port", port, *stores))
    account = derive.new_seed(derive.PROFILE_ACCOUNT, os.urandom)
    address = "alice@example.com"
    profile = make_profile_user(account, address, said["service"], datetime.now(UTC))
    service = HttpService(said["url"], service_udf=said["service"], clock=lambda: datetime.now(UTC))
    caller = service.caller(account_credentials(address, account, said["service"]))
    try:
        bind = wire.BindRequest(account_address=address, enveloped_profile_account=profile)
        await transact(caller, bind, wire.BindResponse)
        before = (await service.keys()).signers
        assert processes[1].poll() is None

        processes[0].send_signal(signal.SIGKILL)
        processes[0].wait(timeout=20)
        assert listening(processes[1])["service"] == said["service"]
        begin = wire.ContainerUpdate(container="MMM_Task", index=0, envelopes=(first_frame(),))
        await transact(caller, wire.TransactRequest(updates=(begin,)), wire.TransactResponse)
        status = await transact(caller, wire.StatusRequest(), wire.StatusResponse)
        assert "MMM_Task" in {one.container for one in status.container_status}
        after = (await service.keys()).signers
        assert before == after[:1]
        assert len(after) == 2
        hello = await transact(service.stranger(), wire.HelloRequest(), wire.MeshHelloResponse)
        assert hello.enveloped_profile_host is not None
        assert service_keys(hello, datetime.now(UTC), said["service"]).signers == after
    finally:
        await service.close()
