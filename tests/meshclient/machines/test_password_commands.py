"""Passwords as typed, imports, and what the real git and ssh are answered."""

from __future__ import annotations

import base64
import hmac
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from meshclient.store_files import SequenceFile

Run = Callable[..., Any]
SECRET = "s3cret-QX7Z"
PACKAGES = Path(__file__).parents[3] / "hub"


def ok(run: Any) -> Any:
    assert run.code == 0, run.err
    return run


def test_where_a_password_comes_from(alice: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(f"{SECRET}\nanother line\n")
    for service, more, given in (
        ("a.example", "", SECRET + "\n"),
        ("b.example", " -", SECRET),
        ("c.example", " /file file", None),
        ("d.example", " /file=-", SECRET + "\r\n"),
    ):
        made = ok(alice(f"password add {service} alice1{more}", input=given))
        assert made.out == f"alice1@{service} = [{SECRET}]\n"
        assert made.err == ""
        assert ok(alice(f"password get {service} /raw")).out == SECRET + "\n"
    seen = ok(alice(f"password add e.example alice1 {SECRET}"))
    assert "list of processes" in seen.err
    assert json.loads(ok(alice("password get e.example /raw /json")).out) == {
        "ResultPassword": {"Success": True, "Password": SECRET}
    }
    for words, given in (
        ("password add f.example alice1", ""),
        ("password add f.example alice1", "\n"),
        ("password add f.example alice1", "x" * 70000),
        ("password add f.example alice1 x /file=file", None),
    ):
        assert alice(words, input=given).code == 2
    assert alice("password get f.example").code == 1


def test_two_users_at_one_service(alice: Run) -> None:
    for user in ("alice1", "bob", ""):
        ok(alice("password add ftp.example.com", *([user] if user else []), input=f"of {user}"))
    ok(alice("password add ftp.example.com bob", input="new of bob"))
    assert sorted(ok(alice("password get ftp.example.com")).out.splitlines()) == [
        "alice1@ftp.example.com = [of alice1]",
        "bob@ftp.example.com = [new of bob]",
        "ftp.example.com = [of ]",
    ]
    several = alice("password get ftp.example.com /raw")
    assert (several.code, "name one with /user" in several.err) == (1, True)
    assert ok(alice("password get ftp.example.com /raw /user=bob")).out == "new of bob\n"
    assert alice("password delete ftp.example.com").code == 1
    assert ok(alice("password delete ftp.example.com /user bob")).out.startswith("Deleted bob@ftp")
    assert len(ok(alice("password list")).out.splitlines()) == 2


def bitwarden(count: int, lead: str = "p") -> str:
    logins = [
        {
            "type": 1,
            "name": f"site {number}",
            "login": {
                "username": "alice",
                "password": f"{lead}{number}",
                "uris": [{"uri": f"https://s{number}.example"}],
            },
        }
        for number in range(count)
    ]
    return json.dumps({"encrypted": False, "items": logins})


def test_an_import(alice: Run) -> None:
    Path("export.json").write_text(bitwarden(300))
    checked = ok(alice("password import export.json /check"))
    assert checked.value("Imported") == "300"
    assert ok(alice("password list")).out == ""
    assert ok(alice("password import export.json")).value("Imported") == "300"
    assert ok(alice("password get s299.example /raw")).out == "p299\n"
    again = ok(alice("password import export.json"))
    assert (again.value("Imported"), again.value("Present")) == ("0", "300")
    Path("export.json").write_text(bitwarden(2, "other"))
    differs = json.loads(ok(alice("password import export.json /json")).out)["ResultImport"]
    assert differs["Imported"] == 0
    assert differs["Different"] == ["alice@s0.example", "alice@s1.example"]
    assert ok(alice("password get s0.example /raw")).out == "p0\n"
    ok(alice("password import export.json /replace"))
    assert ok(alice("password get s0.example /raw")).out == "other0\n"


def test_nothing_of_an_import_that_fails(alice: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = bitwarden(20)[:-40]
    for name, content, reason in (
        ("damaged", damaged.encode(), "is no JSON"),
        ("half", bitwarden(3)[:-2].encode() + b', {"type": 1, "login": {"password": 7}}]}', "no text"),
        ("vault.kdbx", bytes.fromhex("03d9a29a67fb4bb5") + bytes(100), "encrypted"),
        ("large", bitwarden(9000, "x" * 1000).encode(), "one transaction"),
    ):
        Path(name).write_bytes(content)
        refused = alice(f"password import {name}")
        assert (refused.code, refused.out) == (1, ""), name
        assert reason in refused.err, refused.err
    Path("whole").write_text(bitwarden(30))
    put = SequenceFile.put

    def failing(self: SequenceFile, *words: Any, **named: Any) -> range:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SequenceFile, "put", failing)
    full = alice("password import whole")
    assert (full.code, "No space left" in full.err) == (1, True)
    monkeypatch.setattr(SequenceFile, "put", put)
    assert ok(alice("password list /sync")).out == ""
    assert ok(alice("password import whole")).value("Imported") == "30"


class GitServer(SimpleHTTPRequestHandler):
    """A repository for one user with a password."""

    def do_GET(self) -> None:
        given = self.headers.get("Authorization")
        right = b"Basic " + base64.b64encode(f"alice:{SECRET}".encode())
        if given is None or not hmac.compare_digest(given.encode(), right):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[str]:
    """The address of a repository on loopback that asks for a password."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    bare = tmp_path / "server" / "x.git"
    bare.mkdir(parents=True)
    quiet = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    made = tmp_path / "made"
    for words in (
        ["init", "-q", str(made)],
        [
            "-C",
            str(made),
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.c",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "x",
        ],
        ["clone", "-q", "--bare", str(made), str(bare)],
        ["-C", str(bare), "update-server-info"],
    ):
        subprocess.run(["git", *words], env=quiet, check=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(GitServer, directory=str(bare.parent)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/x.git"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def helpers(tmp_path: Path) -> dict[str, str]:
    """The environment in which other programs find the helpers and Alice's machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("git-credential-mesh", "mesh-askpass"):
        path = folder / name
        entry = f"from meshclient.meshman.password_helpers import {name.replace('-', '_')} as run; run()"
        path.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{entry}' \"$@\"\n")
        path.chmod(0o700)
    resolver = tmp_path / "resolver.json"
    resolver.write_text(json.dumps({"example.com": f"unix:{tmp_path / 'away.sock'}"}))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SSH_"))}
    return {
        **kept,
        "HOME": str(tmp_path),
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(PACKAGES),
        "MESHMAN_HOME": str(tmp_path / "homes" / "alice"),
        "MESH_RESOLVER": str(resolver),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


@pytest.fixture
def real_time(closed_world: Any) -> None:
    """Programs outside read the machine's clock."""
    closed_world.now = datetime.now(UTC)


@pytest.mark.slow
def test_git_asks_and_tells(
    real_time: None, alice: Run, repository: str, helpers: dict[str, str], tmp_path: Path
) -> None:
    host = repository.split("/")[2]

    def git(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "-c", "credential.helper=mesh", *words],
            env={**helpers, "GIT_TRACE": "1", "GIT_CURL_VERBOSE": "1", **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert git("clone", repository, "none").returncode == 128
    answers = tmp_path / "answers"
    answers.write_text(f"#!/bin/sh\ncase $1 in User*) echo alice;; *) echo {SECRET};; esac\n")
    answers.chmod(0o700)
    told = git("clone", repository, "told", GIT_ASKPASS=str(answers))
    assert told.returncode == 0, told.stderr
    assert ok(alice("account sync")).code == 0
    [entry] = json.loads(ok(alice("password list /json")).out)["ResultEntry"]["Entries"]
    assert entry["CatalogedCredential"] == {
        "Protocol": "http", "Service": host, "Username": "alice", "Password": SECRET,
    }  # fmt: skip

    asked = git("clone", repository, "asked")
    assert asked.returncode == 0, asked.stderr
    assert Path("asked/.git").is_dir()
    assert SECRET not in asked.stderr
    assert SECRET not in Path("asked/.git/config").read_text()

    ok(alice(f"password delete {host}"))
    ok(alice(f"password add {host} alice /protocol=http", input="wrong"))
    assert git("clone", repository, "refused").returncode == 128
    ok(alice("account sync"))
    assert ok(alice("password list")).out == ""


def test_ssh_asks(real_time: None, alice: Run, sshd: Any, helpers: dict[str, str], tmp_path: Path) -> None:
    key = tmp_path / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", SECRET, "-f", key], check=True)
    sshd.authorized.write_bytes(key.with_suffix(".pub").read_bytes())
    ok(alice(f"ssh host {sshd.name} /new {sshd.host_key}"))
    ok(alice("ssh known /file known"))
    sshd.start()
    asking = {**helpers, "SSH_ASKPASS": "mesh-askpass", "SSH_ASKPASS_REQUIRE": "force"}
    options = ("-i", str(key), "-o", f"UserKnownHostsFile={tmp_path / 'known'}")
    assert "Permission denied" in sshd.login("none", *options, **asking).stderr
    ok(alice("password add id_ed25519 /protocol=ssh-key", input=SECRET))
    done = sshd.login("none", *options, **asking)
    assert done.stdout == "in\n", done.stderr
    shown = subprocess.run(
        ["setsid", "ssh-keygen", "-y", "-f", key],
        env=asking, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert shown.stdout.split()[:2] == key.with_suffix(".pub").read_bytes().split()[:2]
    unknown = subprocess.run(
        ["setsid", "mesh-askpass", "Are you sure you want to continue connecting (yes/no)? "],
        env=asking, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (unknown.returncode, unknown.stdout) == (1, b"")
