import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mathmesh.errors import EncodingError
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from meshclient.applications import ssh_agent
from meshclient.applications.ssh_key import parse_public_line, private_file, public_line

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="openssh-client is not installed")

# RFC 8032 §7.1, test 1, and the line that ssh-keygen -y prints for it
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea alice"


def run(*words: str | Path, **named: object) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True, **named)  # type: ignore[call-overload]
    return str(done.stdout)


def test_the_line_of_a_known_key() -> None:
    key = PrivateKey.from_seed("Ed25519", SEED)
    line = public_line(key.public, "alice")
    assert line.text == LINE
    assert parse_public_line(LINE + "\n") == line
    assert line.key == key.public


@pytest.mark.parametrize("comment", ["", "alice@example.com", "two words", "é", "x" * 9])
def test_openssh_reads_the_private_key(comment: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = generate("Ed25519", os.urandom)
    path.write_bytes(private_file(key, comment))
    path.chmod(0o600)
    line = public_line(key.public, comment)
    assert run("ssh-keygen", "-y", "-f", path).strip() == line.text
    assert line.fingerprint in run("ssh-keygen", "-l", "-f", path)
    run("ssh-keygen", "-p", "-N", "secret phrase", "-P", "", "-f", path)


def test_other_keys_are_read_and_kept(tmp_path: Path) -> None:
    for kind in ("rsa", "ecdsa"):
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "host", "-f", tmp_path / kind)
        text = (tmp_path / f"{kind}.pub").read_text().strip()
        line = parse_public_line(text)
        assert line.text == text
        assert line.key is None
        assert line.fingerprint in run("ssh-keygen", "-l", "-f", tmp_path / f"{kind}.pub")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 not*base64",
        LINE.replace("AAAAINda", "EAAAINda"),
        LINE.replace("ssh-ed25519", "ssh-rsa"),
        LINE.replace("B1Ea", ""),
        LINE + "\nmore",
        LINE + "\x1b[2J",
        'command="x" ' + LINE,
        "ssh-ed25519 " + "A" * 20000,
    ],
)
def test_malformed_lines(text: str) -> None:
    with pytest.raises(EncodingError):
        parse_public_line(text)


def test_only_ed25519_from_a_seed_is_written() -> None:
    scalar = PrivateKey.from_scalar("Ed25519", 12345)
    for key in (scalar, generate("Ed448", os.urandom)):
        with pytest.raises(EncodingError):
            private_file(key)
    with pytest.raises(EncodingError):
        public_line(PublicKey("Ed448", bytes(57)))
    with pytest.raises(EncodingError):
        private_file(PrivateKey.from_seed("Ed25519", SEED), "line\nfeed")


def test_an_agent_takes_and_gives_up_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", where], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()
        monkeypatch.setenv(ssh_agent.SOCKET, str(where))
        key = PrivateKey.from_seed("Ed25519", SEED)
        ssh_agent.add(key, "alice", seconds=60)
        assert LINE in run("ssh-add", "-L")
        ssh_agent.remove(public_line(key.public).blob)
        listed = subprocess.run(["ssh-add", "-L"], capture_output=True, text=True, timeout=20, check=False)
        assert "no identities" in listed.stdout
    finally:
        agent.terminate()
        agent.wait()
        agent.stdout.close()  # type: ignore[union-attr]
