import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mathmesh.errors import EncodingError
from mathmesh.keys.pair import generate
from mathmesh.schema.cataloged import CatalogedCredential
from meshclient.applications import ssh_hosts
from meshclient.applications.ssh_key import PublicLine, parse_public_line, public_line

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="openssh-client is not installed")


def ed25519() -> PublicLine:
    return public_line(generate("Ed25519", os.urandom).public)


@pytest.mark.parametrize(
    ("text", "port", "expected"),
    [
        ("Host.Example.com", None, "host.example.com"),
        ("host", 22, "host"),
        ("host", 2222, "[host]:2222"),
        ("host:2222", None, "[host]:2222"),
        ("[host]:22", None, "host"),
        ("[host]:2222", 99, "[host]:2222"),
        ("fe80::1", None, "fe80::1"),
        ("[fe80::1%eth0]:2222", None, "[fe80::1%eth0]:2222"),
    ],
)
def test_names_of_servers(text: str, port: int | None, expected: str) -> None:
    assert ssh_hosts.host_name(text, port) == expected


@pytest.mark.parametrize("text", ["", "a b", "a\nb", "*", "host:", "host:99999", "[host]:0", "a,b", "|1|x|y"])
def test_names_that_are_none(text: str) -> None:
    with pytest.raises(EncodingError):
        ssh_hosts.host_name(text)


def test_keys_of_all_kinds_come_back_and_add_up(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", tmp_path / "key"], check=True)
    other = parse_public_line((tmp_path / "key.pub").read_text())
    first = ed25519()
    entry = ssh_hosts.make_host("Host:2222", [first, first])
    assert entry.service == "[host]:2222"
    both = ssh_hosts.make_host("[host]:2222", [other], entry)
    read = CatalogedCredential.decode(both.encode())
    assert [line.blob for line in ssh_hosts.keys_of(read)] == [first.blob, other.blob]
    text = ssh_hosts.known_hosts([read, CatalogedCredential(service="host", password="secret")])
    assert "secret" not in text
    parsed = [(name, line.blob) for name, line in ssh_hosts.parse_known_hosts(text)]
    assert sorted(parsed) == sorted([("[host]:2222", first.blob), ("[host]:2222", other.blob)])
    (tmp_path / "known").write_text(text)
    found = subprocess.run(
        ["ssh-keygen", "-F", "[host]:2222", "-f", tmp_path / "known"], capture_output=True, check=True
    )
    assert found.stdout.count(b"\n[host]:2222 ") == 2


def test_a_file_of_known_hosts() -> None:
    key = ed25519()
    text = (
        f"# comment\n\nhost,192.0.2.1 {key.text} its comment\n@cert-authority *.example.com {key.text}\n"
        f"|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= {key.text}\n*.net,!bad {key.text}\n"
    )
    assert [name for name, _ in ssh_hosts.parse_known_hosts(text)] == ["host", "192.0.2.1"]
    with pytest.raises(EncodingError, match="line 2"):
        list(ssh_hosts.parse_known_hosts(f"host {key.text}\nhost ssh-ed25519 AAAA\n"))


@pytest.mark.parametrize("public", ["AAAA", 5, None, "*"])
def test_a_malformed_key_in_the_catalog_is_refused(public: object) -> None:
    entry = CatalogedCredential.decode(
        {
            "CatalogedCredential": {
                "Protocol": "ssh",
                "Service": "host",
                "HostAuthentication": [
                    {
                        "Udf": "M",
                        "PublicParameters": {"PublicKeySsh": {"Format": "ssh-rsa", "Public": public}},
                    }
                ],
            }
        }
    )
    with pytest.raises(EncodingError):
        ssh_hosts.known_hosts([entry])
