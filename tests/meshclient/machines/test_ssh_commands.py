"""Keys of the account log in to a real sshd, from every device that is granted them."""

from __future__ import annotations

import json
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own .ssh stays what it is."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def ok(run: Any) -> Any:
    assert run.code == 0, run.err
    return run


def test_two_devices_log_in_and_a_deleted_one_does_not(
    meshman: Run, alice: Run, join: Run, sshd: Any, tmp_path: Path
) -> None:
    second = join("alice2", "/web")
    join("alice3", "/message")
    made = ok(alice("ssh create /web /name=work"))
    assert made.value("Devices") == "2"
    assert made.value("Roles") == "web"
    join("alice4", "/web")
    ok(alice(f"ssh host {sshd.name} /new {sshd.host_key}"))
    ok(alice(f"ssh client /file {sshd.authorized}"))
    sshd.start()
    folders = {name: tmp_path / name for name in ("alice", "alice2", "alice4")}
    for actor, folder in folders.items():
        ok(meshman(actor, f"ssh setup /folder {folder}"))
        done = sshd.login(folder / "mesh_config")
        assert done.stdout == "in\n", (actor, done.stderr)
    refused = meshman("alice3", "ssh get /file other")
    assert (refused.code, refused.out) == (1, "")
    assert "its roles are message" in refused.err
    assert not Path("other").exists()

    gone = ok(alice(f"device delete {second}"))
    assert "ssh client" in gone.err
    assert ok(alice(f"ssh client /file {sshd.authorized}")).value("Changed") == "true"
    assert "Permission denied" in sshd.login(folders["alice2"] / "mesh_config").stderr
    assert meshman("alice2", f"ssh setup /folder {folders['alice2']}").code == 1
    for actor in ("alice", "alice4"):
        ok(meshman(actor, f"ssh setup /folder {folders[actor]}"))
        assert sshd.login(folders[actor] / "mesh_config").stdout == "in\n"
        assert len(list(folders[actor].glob("mesh_????????"))) == 1
    renewed = ok(alice("ssh get work"))
    assert renewed.value("UDF") != made.value("UDF")
    assert renewed.value("Roles") == "web"


def test_an_unknown_server_and_a_changed_one_are_refused(alice: Run, sshd: Any, tmp_path: Path) -> None:
    ok(alice("ssh create"))
    ok(alice(f"ssh client /file {sshd.authorized}"))
    ok(alice(f"ssh host {sshd.name} /new {sshd.host_key}"))
    known = ok(alice("ssh known")).out
    assert known.startswith(f"{sshd.name} ssh-ed25519 ")
    ok(alice(f"ssh delete {sshd.name}"))
    ok(alice(f"ssh setup /folder {tmp_path / 'ssh'}"))
    sshd.start()
    assert "Host key verification failed" in sshd.login(tmp_path / "ssh" / "mesh_config").stderr
    ok(alice(f"ssh host {sshd.name} {sshd.host_key}.pub"))
    changed = alice(f"ssh host {sshd.name} /new {tmp_path / 'another'}")
    assert changed.code == 1
    assert "has other keys" in changed.err
    ok(alice(f"ssh host {sshd.name} {tmp_path / 'another.pub'} /replace"))
    ok(alice(f"ssh setup /folder {tmp_path / 'ssh'}"))
    assert "Host key verification failed" in sshd.login(tmp_path / "ssh" / "mesh_config").stderr
    assert ok(alice("ssh known /file all")).value("Servers") == "1"
    ok(alice(f"ssh delete {sshd.name}"))
    ok(alice("ssh host /known all"))
    assert ok(alice("ssh known")).out == Path("all").read_text()


def test_keys_in_files_and_in_an_agent(
    alice: Run, meshman: Run, join: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    join("alice2", "/web")
    made = ok(alice("ssh create /name=work"))
    ok(meshman("alice2", "ssh get work /file id_mesh"))
    assert stat.S_IMODE(Path("id_mesh").stat().st_mode) == 0o600
    shown = subprocess.run(["ssh-keygen", "-y", "-f", "id_mesh"], capture_output=True, text=True, check=True)
    assert shown.stdout.split()[:2] == made.value("Key").split()[:2]
    assert Path("id_mesh.pub").read_text() == made.value("Key") + "\n"
    again = alice("ssh get /file id_mesh")
    assert (again.code, "exists already" in again.err) == (1, True)
    path = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL) as agent:
        while not path.exists():
            time.sleep(0.02)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        ok(meshman("alice2", f"ssh setup /agent /folder {tmp_path / 'ssh'}"))
        held = subprocess.run(["ssh-add", "-l"], capture_output=True, text=True, check=True).stdout
        agent.terminate()
    assert made.value("Fingerprint") in held
    assert not [one for one in (tmp_path / "ssh").glob("mesh_????????") if "PRIVATE" in one.read_text()]


def test_a_device_that_loses_the_role_loses_the_key(alice: Run, meshman: Run, join: Run) -> None:
    device = join("alice2", "/web")
    made = ok(alice("ssh create /web"))
    other = ok(alice("ssh create /message /name=other"))
    ok(alice(f"device auth {device} /web /message"))
    assert ok(alice("ssh get other")).value("UDF") == other.value("UDF")
    ok(alice(f"device auth {device} /message"))
    keys = ok(alice("ssh client")).out
    assert made.value("Key") not in keys
    assert other.value("Key") in keys
    assert len(keys.splitlines()) == 2
    ok(meshman("alice2", "ssh get other /file other"))
    [lost] = [line.split()[0] for line in ok(alice("ssh list")).out.splitlines() if "other" not in line]
    assert meshman("alice2", f"ssh get {lost} /file lost").code == 1


def test_another_administrator_makes_keys_and_goes(alice: Run, meshman: Run, join: Run) -> None:
    """What it made stays usable by the others, under a key that it does not know."""
    admin = join("alice2", "/root /message")
    join("alice3", "/web")
    join("alice5", "/admin")
    refused = meshman("alice5", "ssh create /web")
    assert (refused.code, "needs the role root" in refused.err) == (1, True)
    made = ok(meshman("alice2", "ssh create /web /name=work"))
    assert made.value("Devices") == "4"
    join("alice4", "/web")
    for actor in ("alice", "alice2", "alice3", "alice4"):
        ok(meshman(actor, f"ssh get work /file {actor}"))
    ok(alice(f"device delete {admin}"))
    assert made.value("Key") not in ok(alice("ssh client")).out
    ok(meshman("alice3", "ssh get work /file renewed"))
    assert Path("renewed.pub").read_text() == ok(alice("ssh client")).out


def test_what_json_says_and_deletion(alice: Run, meshman: Run, join: Run) -> None:
    join("alice2", "/device")
    made = json.loads(ok(alice("ssh create /device /json")).out)["ResultSsh"]
    assert made["Devices"] == 2
    [key] = made["Keys"]
    assert key["Roles"] == ["device"]
    listed = json.loads(ok(meshman("alice2", "ssh list /sync /json")).out)["ResultSsh"]["Keys"]
    assert listed == [key]
    assert json.loads(ok(alice("ssh client /json")).out)["ResultSsh"]["Keys"] == [key["Public"]]
    refused = meshman("alice2", "ssh create /device")
    assert (refused.code, "only an administrator" in refused.err.lower()) == (1, True)
    twice = alice("ssh create /name=x"), alice("ssh create /name=X")
    assert [one.code for one in twice] == [0, 1]
    ok(alice(f"ssh delete {key['UDF']}"))
    assert meshman("alice2", "ssh get /file id").code == 1
    assert alice(f"ssh delete {key['UDF']}").code == 1
    assert [line.split()[-1] for line in ok(alice("ssh list")).out.splitlines()] == ["x"]
