"""Files as envelopes: constant memory, and nothing there that is not complete and verified."""

import io
import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.errors import EncodingError, MeshError, StoreError, VerificationError
from mathmesh.keys import symmetric
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from meshclient import output_file
from meshclient.envelope_file import decode_file, decoded_name, encode_file, encoded_name, verify_file
from meshclient.output_file import OutputFile

ENTROPY = random.Random("envelope files").randbytes
KEY, SIGNER = generate("X448", ENTROPY), generate("Ed448", ENTROPY)
KEYRING = MemoryKeyring([KEY])

ROUND_TRIP = """
import contextlib, io, re, sys
from pathlib import Path
from meshclient.meshman.cli import main
for words in (["encode", "big", "big.dare"], ["decode", "big.dare", "again"]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        sys.argv = ["meshman", "dare", *words, "/key=secret"]
        main()
# ru_maxrss would count the memory of the process that started this one
print(re.search("VmHWM:[^0-9]+([0-9]+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.fixture(params=["unnamed", "hidden"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of making a file: without a name, and under a hidden one."""
    if request.param == "hidden":
        monkeypatch.setattr(output_file, "_UNNAMED", 0)
    return str(request.param)


def test_round_trip(tmp_path: Path, way: str) -> None:
    source = tmp_path / "a.bin"
    source.write_bytes(ENTROPY(1_300_000))
    written = encode_file(
        source,
        encoded_name(source),
        entropy=ENTROPY,
        recipients=[KEY.public],
        signers=[SIGNER],
        content_meta=ContentMeta(filename="a.bin"),
    )
    target = decoded_name(tmp_path / "a.bin.dare").with_name("b.bin")
    opened = decode_file(
        tmp_path / "a.bin.dare", target, keyring=KEYRING, signers=[SIGNER.public], require_signature=True
    )
    assert target.read_bytes() == source.read_bytes()
    assert opened.digest == written.digest
    assert opened.content_meta.filename == "a.bin"
    assert target.stat().st_mode & 0o777 == 0o600
    assert written.octets == (tmp_path / "a.bin.dare").stat().st_size
    assert verify_file(tmp_path / "a.bin.dare", signers=[SIGNER.public]).signed_by == (SIGNER.public.udf,)
    assert sorted(os.listdir(tmp_path)) == ["a.bin", "a.bin.dare", "b.bin"]


def test_names() -> None:
    assert encoded_name(Path("x/a.txt")) == Path("x/a.txt.dare")
    assert decoded_name(Path("x/a.txt.dare")) == Path("x/a.txt")
    assert decoded_name(Path("x/a.txt")) == Path("x/a.txt.undare")
    assert decoded_name(Path(".dare")) == Path(".dare.undare")


def test_nothing_is_left_of_what_does_not_verify(tmp_path: Path, way: str) -> None:
    source, target = tmp_path / "a.dare", tmp_path / "a"
    encode_file(io.BytesIO(ENTROPY(700_000)), source, entropy=ENTROPY, recipients=[KEY.public])
    octets = bytearray(source.read_bytes())
    octets[600_000] ^= 1
    source.write_bytes(octets)
    with pytest.raises(VerificationError, match=r"a\.dare: body does not match"):
        decode_file(source, target, keyring=KEYRING)
    source.write_bytes(octets[:-200])
    with pytest.raises(EncodingError, match="no whole envelope"):
        decode_file(source, target, keyring=KEYRING)
    target.write_text("older")
    with pytest.raises(MeshError):
        decode_file(source, target, keyring=KEYRING, overwrite=True)
    assert target.read_text() == "older"
    assert sorted(os.listdir(tmp_path)) == ["a", "a.dare"]


def test_files_are_overwritten_only_when_asked(tmp_path: Path, way: str) -> None:
    target = tmp_path / "a.dare"
    target.write_text("older")
    with pytest.raises(StoreError, match="exists already"):
        encode_file(io.BytesIO(b"x"), target, entropy=ENTROPY)
    assert target.read_text() == "older"
    encode_file(io.BytesIO(b"x"), target, entropy=ENTROPY, overwrite=True)
    assert verify_file(target).body_octets == 1
    assert os.listdir(tmp_path) == ["a.dare"]
    dangling = tmp_path / "link"
    dangling.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="exists already"):
        encode_file(io.BytesIO(b"x"), dangling, entropy=ENTROPY)
    with pytest.raises(StoreError, match="exists already"):
        OutputFile(tmp_path, overwrite=True)


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path: Path, way: str) -> None:
    target = tmp_path / "a"
    with OutputFile(target) as output:
        output.write(b"mine")
        target.write_text("theirs")
        with pytest.raises(StoreError, match="exists already"):
            output.commit()
    assert target.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["a"]


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="absent cannot be read: No such file"):
        encode_file(tmp_path / "absent", tmp_path / "a", entropy=ENTROPY)
    with pytest.raises(StoreError, match="cannot be read: Is a directory"):
        encode_file(tmp_path, tmp_path / "a", entropy=ENTROPY)
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        encode_file(io.BytesIO(b""), tmp_path / "no" / "a", entropy=ENTROPY)
    assert os.listdir(tmp_path) == []


def test_a_full_disk(tmp_path: Path, way: str) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    code = (
        "import io, os, resource, signal, sys\n"
        "from pathlib import Path\n"
        "from meshclient import output_file\n"
        "from meshclient.envelope_file import encode_file\n"
        f"output_file._UNNAMED = {output_file._UNNAMED}\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))\n"
        "encode_file(io.BytesIO(bytes(900_000)), Path(sys.argv[1]) / 'a', entropy=os.urandom)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 1
    assert "StoreError" in run.stderr
    assert "free space or see to its disk" in run.stderr
    assert os.listdir(tmp_path) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == before


def test_the_length_of_a_pipe_is_not_known(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    feeder = subprocess.Popen(
        [sys.executable, "-c", "open(__import__('sys').argv[1],'wb').write(b'x'*99)", fifo]
    )
    written = encode_file(fifo, tmp_path / "a.dare", entropy=ENTROPY)
    assert feeder.wait(30) == 0
    assert written.length == 99
    assert decode_file(tmp_path / "a.dare", tmp_path / "a").length == 99


@pytest.mark.parametrize(
    "size",
    [pytest.param(200 << 20, id="200 MiB"), pytest.param((4 << 30) + 5, id="4 GiB", marks=pytest.mark.long)],
)
def test_memory_does_not_grow_with_the_file(tmp_path: Path, size: int) -> None:
    source = tmp_path / "big"
    with source.open("wb") as file:
        file.truncate(size)
        file.seek(size // 3)
        file.write(ENTROPY(1 << 20))
    (tmp_path / "secret").write_text(symmetric.new_key(ENTROPY))
    (tmp_path / "secret").chmod(0o600)
    run = subprocess.run(
        [sys.executable, "-c", ROUND_TRIP],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    assert int(run.stdout) < 80 * 1024
    subprocess.run(["cmp", source, tmp_path / "again"], check=True, timeout=300)
