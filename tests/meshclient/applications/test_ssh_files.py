import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from mathmesh.errors import EncodingError, StoreError
from mathmesh.keys.pair import generate
from meshclient.applications import ssh_files
from meshclient.applications.ssh_key import PublicLine, public_line

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="openssh-client is not installed")


def line(comment: str = "") -> PublicLine:
    return public_line(generate("Ed25519", os.urandom).public, comment)


def test_authorized_keys_keep_what_is_others(tmp_path: Path) -> None:
    path = tmp_path / ".ssh" / "authorized_keys"
    first, second, other = line("a"), line("b"), line("bob")
    assert ssh_files.authorize(path, "alice@example.com", [first])
    assert not ssh_files.authorize(path, "alice@example.com", [first])
    path.write_text(f"{other.text}\n{path.read_text()}")
    assert ssh_files.authorize(path, "carol@example.com", [other])
    assert ssh_files.authorize(path, "alice@example.com", [second])
    text = path.read_text()
    assert first.text not in text
    assert text.startswith(other.text)
    assert text.count(other.text) == 2
    assert second.text in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ssh_files.authorize(path, "alice@example.com", [])
    assert "alice" not in path.read_text()


def test_damaged_marks_are_not_guessed_at() -> None:
    text = ssh_files.authorized("", "alice@example.com", [line()])
    for damaged in (text.replace("begin", "start"), text + text, "\n".join(reversed(text.splitlines()))):
        with pytest.raises(StoreError):
            ssh_files.authorized(damaged, "alice@example.com", [])
    with pytest.raises(EncodingError):
        ssh_files.authorized("", "alice\nssh-ed25519 AAAA", [])


def test_the_client_files_are_read_by_openssh(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    private = generate("Ed25519", os.urandom)
    held = ssh_files.ClientKey(public=private.public, private=private, comment="alice@example.com")
    agent = ssh_files.ClientKey(public=generate("Ed25519", os.urandom).public, private=None, comment="a")
    known = f"host {line().text}\n"
    config = ssh_files.write_client(folder, [held, agent], known)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert set(modes) == {
        held.name, held.name + ".pub", agent.name + ".pub", "mesh_known_hosts", "mesh_config",
    }  # fmt: skip
    assert set(modes.values()) == {0o600}
    shown = subprocess.run(["ssh", "-G", "-F", config, "host"], capture_output=True, text=True, check=True)
    settings = shown.stdout.splitlines()
    assert f"identityfile {folder / held.name}" in settings
    assert f"identityfile {folder / agent.name}.pub" in settings
    hosts = next(line for line in settings if line.startswith("userknownhostsfile"))
    assert hosts.endswith(f"{folder / 'mesh_known_hosts'}")


def test_whether_a_configuration_includes_ours(tmp_path: Path) -> None:
    config, ours = tmp_path / "config", tmp_path / "mesh_config"
    assert not ssh_files.includes(config, ours)
    for text, expected in (
        ("Host x\n  User y\n", False),
        (f"Include {ours}\n", True),
        ("  include mesh_config\nHost *\n", True),
        (f"# Include {ours}\n", False),
    ):
        config.write_text(text)
        assert ssh_files.includes(config, ours) is expected


def test_a_folder_that_a_configuration_cannot_name(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        ssh_files.client_config(tmp_path / 'a"b', [])
    with pytest.raises(StoreError):
        ssh_files.client_config(tmp_path / "a\nb", [])
