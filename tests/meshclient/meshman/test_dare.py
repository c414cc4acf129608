"""The commands on envelopes and sequences, with keys in files."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECRET = "EDPO-JUHJ-QJFE-OCTN-NPYG-WZXW-GY"


@pytest.fixture
def keys(tmp_path: Path, meshman: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Key files secret, bob.key and alice.key; no account on this machine."""
    monkeypatch.setenv("MESHMAN_HOME", str(tmp_path / "home"))
    assert meshman("dare keypair bob.key").code == 0
    assert meshman("dare keypair alice.key /type=ed448").code == 0
    secret = tmp_path / "secret"
    secret.write_text(meshman("key secret /bits=256").lines[0] + "\n")
    secret.chmod(0o600)
    return meshman


def alice(folder: Path) -> str:
    from mathmesh.keys.pair import PublicKey

    return PublicKey.from_json(json.loads((folder / "alice.key.pub").read_text())).udf


def test_key_files(keys: Any, tmp_path: Path) -> None:
    assert (tmp_path / "bob.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "bob.key.pub").stat().st_mode & 0o444 == 0o444
    assert keys("dare keypair bob.key").code == 1
    made = keys("dare keypair one.key /from=secret --json").json()["ResultKey"]["Key"]
    assert made == keys("dare keypair two.key /from=secret --json").json()["ResultKey"]["Key"]
    assert keys("dare keypair quantum.key /type=mlkem768-x448").code == 0


@pytest.mark.parametrize(
    ("encode", "decode"),
    [
        ("", ""),
        ("/key=secret", "/key=secret"),
        ("/encrypt=bob.key.pub", "/key=bob.key"),
        ("/encrypt=bob.key", "/key=bob.key"),
        ("/encrypt=bob.key.pub /key=secret /cloak", "/key=secret"),
        ("--encrypt bob.key.pub --sign alice.key", "--key bob.key --signer alice.key.pub"),
        ("/encrypt=bob.key.pub /alg=A256GCM /extended", "/key=bob.key /extended"),
    ],
)
def test_encode_and_decode(keys: Any, tmp_path: Path, encode: str, decode: str) -> None:
    run = keys(f"dare encode TestFile1.txt {encode}")
    assert (run.code, run.err) == (0, "")
    assert run.lines[0].startswith("TestFile1.txt.dare: ")
    run = keys(f"dare decode TestFile1.txt.dare out.txt {decode}")
    assert (run.code, run.lines[0]) == (0, "out.txt: 14 bytes")
    assert (tmp_path / "out.txt").read_text() == "This is a test"
    assert ("Signer" in run.out) == ("signer" in decode)
    assert keys(f"dare verify TestFile1.txt.dare {decode}").code == 0


def test_hybrid_recipients(keys: Any, tmp_path: Path) -> None:
    keys("dare keypair q.key /type=mlkem768-x448")
    assert keys("dare encode TestFile1.txt /encrypt=q.key.pub").code == 1
    assert keys("dare encode TestFile1.txt /encrypt=q.key.pub /extended").code == 0
    assert keys("dare decode TestFile1.txt.dare out /key=q.key").code == 0
    assert (tmp_path / "out").read_text() == "This is a test"


def test_keys_by_standard_input_and_never_on_the_command_line(keys: Any, tmp_path: Path) -> None:
    assert keys("dare encode TestFile1.txt /key=-", input=SECRET + "\n").code == 0
    assert keys("dare decode TestFile1.txt.dare out /key=-", input=SECRET).code == 0
    for words in ("/key=", "/encrypt="):
        run = keys(f"dare encode TestFile1.txt two.dare {words}{SECRET}")
        assert run.code == 1
        assert "can be seen by every user" in run.err
        assert SECRET not in run.err
    assert not (tmp_path / "two.dare").exists()
    assert keys(f"dare encode TestFile1.txt two.dare /encrypt={SECRET} /exposed").code == 0
    (tmp_path / "secret").chmod(0o644)
    run = keys("dare decode TestFile1.txt.dare out2 /key=secret")
    assert run.code == 1
    assert "can be read by others" in run.err


def test_what_decode_refuses(keys: Any, tmp_path: Path) -> None:
    keys("dare encode TestFile1.txt a.dare /encrypt=bob.key /sign=alice.key")
    assert keys("dare decode a.dare out").code == 1
    assert keys("dare decode a.dare out /key=secret").code == 1
    assert keys("dare decode a.dare out /key=bob.key /signer=bob.key.pub").code == 1
    octets = bytearray((tmp_path / "a.dare").read_bytes())
    octets[octets.index(b",\x88") + 5] ^= 1
    (tmp_path / "b.dare").write_bytes(octets)
    run = keys("dare decode b.dare out /key=bob.key --json")
    assert run.code == 1
    assert "PayloadDigest" in run.json()["Result"]["Reason"]
    assert not (tmp_path / "out").exists()
    keys("dare decode a.dare out /key=bob.key")
    assert keys("dare decode a.dare out /key=bob.key").code == 1
    assert keys("dare decode a.dare out /key=bob.key /force").code == 0
    assert keys("dare decode TestFile1.txt out2").code == 1
    assert keys("dare decode absent.dare").code == 2
    assert keys("dare encode TestFile1.txt c.dare /encrypt=nobody@example.com").code == 1


def test_verify_prints_what_the_reference_does(keys: Any, tmp_path: Path) -> None:
    keys("dare encode TestFile1.txt c.dare /encrypt=bob.key /sign=alice.key")
    lines = keys("dare verify c.dare").lines
    assert lines[:3] == ["File: c.dare", "    Bytes: 16", "    Encryption Algorithm: A256CBC"]
    assert lines[3].startswith("        Recipient: M")
    assert lines[4] == "    Digest Algorithm: S512"
    assert lines[5].startswith("    Payload Digest: ")
    assert lines[6] == f"        Signer: {alice(tmp_path)} (key not known here: unverified)"
    found = keys("dare verify c.dare /signer=alice.key.pub --json").json()["ResultFile"]
    assert (found["SignedBy"], found["Verified"]) == ([alice(tmp_path)], True)


def test_folders(keys: Any, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("a")
    (folder / "sub" / "b").write_text("b")
    found = keys("dare encode folder out --json").json()["ResultFile"]["Files"]
    assert [one["Filename"] for one in found] == ["out/a.dare"]
    assert keys("dare encode folder out2 /sub").code == 0
    assert (tmp_path / "out2" / "sub" / "b.dare").exists()
    (tmp_path / "empty").mkdir()
    assert keys("dare encode empty").code == 1


def test_pipes(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "meshclient.meshman.cli", "dare"]
    environment = os.environ | {"MESHMAN_HOME": str(tmp_path / "home")}

    def run(*words: str, given: bytes = b"") -> int:
        return subprocess.run(
            [*program, *words], cwd=tmp_path, env=environment, input=given, timeout=60, check=False
        ).returncode

    assert run("encode", "-", "a.dare", given=b"x" * 3_000_000) == 0
    assert run("decode", "-", "a", given=(tmp_path / "a.dare").read_bytes()) == 0
    assert (tmp_path / "a").stat().st_size == 3_000_000
    assert run("verify", "-", given=(tmp_path / "a.dare").read_bytes()) == 0
    assert run("encode", "-") == run("decode", "-") == 2


def test_earl(keys: Any, tmp_path: Path) -> None:
    from mathmesh.dare.envelope import Envelope
    from mathmesh.dare.locator import open_located
    from mathmesh.keys import earl
    from meshclient.earl_folder import path_of

    keys("dare create earls.dcon /key=secret")
    words = "dare earl TestFile1.txt example.com /dir=www /log=earls.dcon /key=secret"
    locator = keys(words).lines[0]
    assert locator.startswith("udf://example.com/E")
    key = locator.rsplit("/", 1)[1]
    envelope = Envelope.from_bytes(path_of(tmp_path / "www", earl.content_id(key)).read_bytes())
    assert open_located(envelope, key).content == b"This is a test"
    assert keys(words + " /new").lines == ["Nothing new."]
    (tmp_path / "TestFile1.txt").write_text("changed")
    assert keys(words + " /new --json").json()["ResultEarl"]["Entries"][0]["Filename"] == "TestFile1.txt"
    assert b"udf://" not in (tmp_path / "earls.dcon").read_bytes()
    assert keys("dare earl TestFile1.txt example.com /new").code == 2


def test_log_list_verify(keys: Any, tmp_path: Path) -> None:
    assert keys("dare create log.dcon /encrypt=bob.key.pub /policy=isolated").lines == ["log.dcon: Merkle"]
    assert keys("dare create log.dcon").code == 1
    assert keys(["dare", "log", "log.dcon", "the garage was opened"]).lines == ["log.dcon: frame 1"]
    keys(["dare", "log", "log.dcon", "and closed", "/sign=alice.key"])
    assert keys("dare list log.dcon /key=bob.key").lines[0].endswith("Z the garage was opened")
    sealed = keys("dare list log.dcon --json").json()["ResultSequence"]["Entries"]
    assert "Text" not in sealed[0]
    run = keys("dare verify log.dcon /key=bob.key /signer=alice.key.pub")
    assert run.lines[1:5] == [
        "    Type: Merkle",
        "    Frames: 4",
        "    Links: linked",
        "    Encrypted: 3, opened: 3",
    ]
    assert f"0 to 2, by {alice(tmp_path)}" in run.lines[5]
    assert keys("dare verify log.dcon").code == 0
    assert keys("dare verify log.dcon /signer=bob.key.pub").code == 1
    octets = bytearray((tmp_path / "log.dcon").read_bytes())
    octets[-700] ^= 1
    (tmp_path / "log.dcon").write_bytes(octets)
    assert keys("dare verify log.dcon /signer=alice.key.pub").code == 1


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "one.txt").write_text("one")
    (tmp_path / "d" / "sub" / "two.txt").write_text("two")
    return tmp_path / "d"


@pytest.mark.parametrize(
    "flags", ["", "/key=secret", "/key=secret /cloak /policy=once", "/type=chain", "/type=list"]
)
def test_archives(keys: Any, tmp_path: Path, tree: Path, flags: str) -> None:
    key = "/key=secret" if "secret" in flags else ""
    assert keys(f"dare archive a.dcon d {flags}").lines == ["a.dcon: 2 files"]
    (tmp_path / "d" / "one.txt").write_text("newer")
    assert keys(f"dare append a.dcon d/one.txt /id=d/one.txt /index {key}").code == 0
    listed = keys(f"dare dir a.dcon {key}").lines
    assert [line.split()[-1] for line in listed] == ["d/one.txt", "d/sub/two.txt"]
    assert keys(f"dare extract a.dcon out {key}").lines == ["out/d/one.txt", "out/d/sub/two.txt"]
    assert (tmp_path / "out" / "d" / "one.txt").read_text() == "newer"
    assert keys(f"dare extract a.dcon old.txt /record=1 {key}").code == 0
    assert (tmp_path / "old.txt").read_text() == "one"
    assert keys(f"dare delete a.dcon d/one.txt {key}").code == 0
    assert keys(f"dare extract a.dcon x /file=d/one.txt {key}").code == 1
    assert keys(f"dare extract a.dcon x /file=d/one.txt /recover {key}").code == 0
    assert keys(f"dare undo a.dcon d/one.txt {key}").code == 0
    assert len(keys(f"dare dir a.dcon {key}").lines) == 2
    assert keys(f"dare index a.dcon /full {key}").code == 0
    assert keys(f"dare verify a.dcon {key}").code == 0


def test_copy(keys: Any, tmp_path: Path, tree: Path) -> None:
    keys("dare archive a.dcon d /key=secret")
    keys("dare append a.dcon d/one.txt /id=d/one.txt /key=secret")
    assert keys("dare copy a.dcon b.dcon /key=secret").lines == ["b.dcon: 3 copied, 0 left out"]
    assert keys("dare copy a.dcon c.dcon /purge /decrypt /index /key=secret").lines == [
        "c.dcon: 2 copied, 1 left out"
    ]
    assert keys("dare extract c.dcon out").code == 0
    assert (
        keys("dare copy a.dcon d.dcon /encrypt=bob.key.pub /key=secret /type=chain /sign=alice.key").code == 0
    )
    assert keys("dare dir d.dcon /key=bob.key").code == 0
    assert keys("dare copy a.dcon e.dcon").code == 1
    assert keys("dare copy a.dcon e.dcon /decrypt /encrypt=bob.key.pub /key=secret").code == 2
    assert keys("dare copy a.dcon b.dcon /key=secret").code == 1
    assert not (tmp_path / "e.dcon").exists()


def test_prove(keys: Any, tmp_path: Path, tree: Path) -> None:
    keys("dare archive a.dcon d /sign=alice.key")
    run = keys("dare prove a.dcon two.slice /file=d/sub/two.txt /signer=alice.key.pub")
    assert (run.code, run.lines[0]) == (0, f"two.slice: frames 2 to 2, vouched for by {alice(tmp_path)}")
    found = keys("dare verify two.slice /signer=alice.key.pub --json").json()["ResultSlice"]
    assert found["Files"] == ["d/sub/two.txt"]
    public = json.loads((tmp_path / "alice.key.pub").read_text())["PublicKeyECDH"]["Public"]
    from mathmesh.codec import b64

    checker = Path(__file__).resolve().parents[2] / "check_slice.py"
    words = [sys.executable, str(checker), "two.slice", b64.decode(public).hex()]
    assert subprocess.run(words, cwd=tmp_path, timeout=60, check=False).returncode == 0
    octets = (tmp_path / "two.slice").read_bytes()
    (tmp_path / "two.slice").write_bytes(octets[:-1] + bytes([octets[-1] ^ 1]))
    assert keys("dare verify two.slice /signer=alice.key.pub").code == 1
    assert keys("dare verify two.slice /signer=bob.key.pub").code == 1
    assert keys("dare prove a.dcon three.slice /first=1 /last=2 /sign=alice.key").code == 0
    assert keys("dare prove a.dcon x /first=1").code == 1
    assert keys("dare prove a.dcon x").code == 2


def test_erase(keys: Any, tmp_path: Path) -> None:
    keys("dare create log.dcon /key=secret")
    for text in ("first", "second", "third"):
        keys(f"dare log log.dcon {text} /key=secret")
    assert keys("dare erase log.dcon 2 /key=secret /reason=asked").lines == ["log.dcon: frame 2 erased"]
    assert keys("dare erase log.dcon 2 /key=secret").lines == ["log.dcon: nothing left to erase"]
    assert keys("dare list log.dcon /key=secret").lines[1].endswith(" erased")
    run = keys("dare verify log.dcon /key=secret")
    assert (run.code, run.lines[-1], run.err) == (0, "    Erased: frame 2", "")
    assert "nothing tells by whom" in keys("dare verify log.dcon").err
    assert keys("dare erase log.dcon /key=secret").code == 2
    assert keys("dare erase log.dcon 99 /key=secret").code == 1
    assert keys("dare erase log.dcon /file=nothing /key=secret").code == 1


def test_delete_with_erasure(keys: Any, tmp_path: Path, tree: Path) -> None:
    keys("dare archive a.dcon d /key=secret")
    assert keys("dare delete a.dcon d/one.txt /erase /key=secret").lines == ["d/one.txt: erased"]
    assert keys("dare extract a.dcon out /file=d/one.txt /recover /key=secret").code == 1
    keys("dare archive b.dcon d")
    assert "/purge" in keys("dare delete b.dcon d/one.txt /erase").err


def test_undo_since(keys: Any, tmp_path: Path, tree: Path) -> None:
    keys("dare archive a.dcon d /no-index")
    keys("dare delete a.dcon d/one.txt d/sub/two.txt")
    assert keys("dare dir a.dcon").lines == []
    assert keys("dare undo a.dcon /since=2").lines == ["a.dcon: frame 5", "a.dcon: frame 6"]
    assert len(keys("dare dir a.dcon").lines) == 2
    assert keys("dare undo a.dcon").code == 2
    assert keys("dare undo a.dcon nothing").code == 1
