import os
import subprocess
import sys
from pathlib import Path

import pytest

from mathmesh.errors import EncodingError
from mathmesh.schema.cataloged import CatalogedCredential
from meshclient.applications import git_credential
from meshclient.applications.git_credential import Request, parse_request

HOST = "git.example.com"


def entry(
    username: str, password: str, service: str = HOST, protocol: str | None = None
) -> CatalogedCredential:
    return CatalogedCredential(protocol=protocol, service=service, username=username, password=password)


def request(**members: str) -> Request:
    return Request(**{"protocol": "https", "host": HOST, **members})


def test_what_git_sends_is_read() -> None:
    text = "capability[]=authtype\nprotocol=https\nhost=h:8443\npath=a/b.git\nusername=u\npassword=p=q\n"
    text += "\nhost=x\n"
    assert parse_request(text) == Request(
        protocol="https", host="h:8443", path="a/b.git", username="u", password="p=q"
    )
    assert parse_request("url=https://u%40d:p@h/a%20b\n") == Request(
        protocol="https", host="h", path="a b", username="u@d", password="p"
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "protocol=https\n", "host=h\n", "protocol=https\nhost\n", "protocol=h\0\nhost=h\n"),
        *("a=" * 40000, "url=http://[::1\n"),
    ],
)
def test_what_is_no_request(text: str) -> None:
    with pytest.raises(EncodingError):
        parse_request(text)


@pytest.mark.parametrize(
    ("entries", "members", "expected"),
    [
        ([], {}, None),
        ([entry("a", "1")], {}, ("a", "1")),
        ([entry("a", "1"), entry("a", "2", protocol="https")], {}, ("a", "2")),
        ([entry("a", "1", protocol="ssh")], {}, None),
        ([entry("a", "1")], {"username": "b"}, None),
        ([entry("a", "1"), entry("b", "2", f"b@{HOST}")], {"username": "b"}, ("b", "2")),
        ([entry("a", "1"), entry("b", "2", f"{HOST}/p.git")], {"path": "p.git"}, ("b", "2")),
        ([entry("a", "1")], {"path": "p.git"}, ("a", "1")),
        ([entry("a", "1", HOST.upper())], {}, ("a", "1")),
        ([entry("a", "1\nurl=evil")], {}, None),
        ([entry("", "1")], {}, None),
        ([entry("a", "1", "example.com")], {}, None),
        ([CatalogedCredential(service=HOST, username="a")], {}, None),
    ],
)
def test_answers(
    entries: list[CatalogedCredential], members: dict[str, str], expected: tuple[str, str] | None
) -> None:
    text = "" if expected is None else f"username={expected[0]}\npassword={expected[1]}\n"
    assert git_credential.answer(request(**members), entries) == text


def test_storing() -> None:
    asked = request(username="a", password="1")
    made = git_credential.stored(asked, [])
    assert made == entry("a", "1", protocol="https")
    assert git_credential.stored(asked, [made]) is None
    assert git_credential.stored(asked, [entry("a", "1")]) is None
    changed = git_credential.stored(request(username="a", password="2"), [made])
    assert changed == entry("a", "2", protocol="https")
    other = git_credential.stored(request(username="b", password="3"), [made])
    assert other is not None
    assert other.service == f"b@{HOST}"
    assert git_credential.answer(request(username="b"), [made, other]) == "username=b\npassword=3\n"
    assert git_credential.stored(request(username="a"), []) is None


def test_only_what_git_stored_is_erased() -> None:
    own, stored = entry("a", "1"), entry("a", "1", protocol="https")
    asked = request(username="a", password="1")
    assert git_credential.erased(asked, [own, stored]) == [f"https:{HOST}"]
    assert git_credential.erased(request(username="a", password="2"), [stored]) == []
    assert git_credential.erased(request(username="b", password="1"), [stored]) == []
    assert git_credential.erased(request(), [stored]) == []
    assert git_credential.erased(request(username="a"), [stored]) == [f"https:{HOST}"]


def test_git_itself_asks(tmp_path: Path) -> None:
    """Debian's git speaks to a helper that answers from a catalog."""
    helper = tmp_path / "helper.py"
    helper.write_text(
        "import sys\n"
        "from mathmesh.schema.cataloged import CatalogedCredential as C\n"
        "from meshclient.applications import git_credential as g\n"
        f"entries = [C(service={HOST!r}, username='alice', password='s3cret')]\n"
        "asked = g.parse_request(sys.stdin.read())\n"
        "if sys.argv[1] == 'get':\n    sys.stdout.write(g.answer(asked, entries))\n"
        "elif sys.argv[1] == 'store':\n    sys.exit(0 if g.stored(asked, entries) is None else 5)\n"
    )
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }

    def git(verb: str, given: str) -> subprocess.CompletedProcess[str]:
        setting = f"credential.helper=!{sys.executable} {helper}"
        return subprocess.run(
            ["git", "-c", setting, "credential", verb],
            input=given,
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )

    filled = git("fill", f"protocol=https\nhost={HOST}\n\n")
    assert "username=alice\npassword=s3cret\n" in filled.stdout
    assert git("approve", filled.stdout).returncode == 0
    assert git("fill", "protocol=https\nhost=unknown.example.com\n\n").returncode != 0
