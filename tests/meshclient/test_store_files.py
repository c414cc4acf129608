"""Sequence files on a real disk: locks, crashes, full disks, damage, the side index."""

import os
import random
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import open_envelope, seal
from mathmesh.dare.sequence_check import LINKED
from mathmesh.errors import KeyUnavailableError, LocalProtocolError, StoreError, VerificationError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from meshclient import side_index
from meshclient.open_file import OpenFile
from meshclient.store_files import SequenceFile

ENTROPY = random.Random("store files").randbytes
KEY = generate("X25519", ENTROPY)
KEYRING = MemoryKeyring([KEY])


def create(path: Path, **options: object) -> SequenceFile:
    given = {"policy_recipients": [KEY.public], "keyring": KEYRING, "entropy": os.urandom}
    return SequenceFile.create(path, **(given | options))


def reopen(path: Path) -> SequenceFile:
    return SequenceFile.open(path, keyring=KEYRING, entropy=os.urandom)


def filled(path: Path, frames: int = 5, **options: object) -> list[int]:
    """A closed file with that many frames; returns where each ends."""
    with create(path, **options) as file:
        file.append_many([b"reading %d" % number for number in range(1, frames)])
        return [frame.end for frame in file.frames()]


def test_what_is_appended_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "stores" / "MMM_Telemetry.dcon"
    with create(path, content_meta=ContentMeta(cty="application/x")) as file:
        assert file.append(b"one", ContentMeta(unique_id="1")) == 1
        assert file.append_many([b"two", (b"three", None)], sync=False) == range(2, 4)
        file.sync()
        apex = file.apex
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    with reopen(path) as file:
        assert (file.count, file.apex, file.recovered_octets) == (4, apex, 0)
        assert file.append(b"four") == 4
        assert [file.plaintext(number) for number in range(5)] == [b"", b"one", b"two", b"three", b"four"]
        assert file.plaintext(file.frame(1)) == b"one"
        assert [frame.index for frame in file.frames(2)] == [2, 3, 4]
        assert [frame.index for frame in file.frames_reversed()] == [4, 3, 2, 1, 0]
        assert file.frame(1).content_meta.unique_id == "1"
        assert file.frame(0).content_meta.cty == "application/x"
        report = file.verify()
    assert (report.count, report.opened, report.linkage) == (5, 5, LINKED)
    assert b"three" not in path.read_bytes()


def test_envelopes_and_raw_frames(tmp_path: Path) -> None:
    envelope = seal(b"entry", entropy=ENTROPY, recipients=[KEY.public])
    path = tmp_path / "catalog.dcon"
    with create(path, policy_recipients=()) as file:
        file.append(b"plain")
        assert file.append_envelope(envelope) == 2
        assert open_envelope(file.envelope(2), keyring=KEYRING).plaintext == b"entry"
        assert file.plaintext(2) == b"entry"
        frames = [path.read_bytes()[frame.position : frame.end] for frame in file.frames()]
    copy = tmp_path / "copy.dcon"
    copy.write_bytes(frames[0])
    with reopen(copy) as file:
        assert [file.append_frame_raw(octets) for octets in frames[1:]] == [1, 2]
        with pytest.raises(StoreError, match="the next one is 3"):
            file.append_frame_raw(frames[1])
        file.verify()
    assert copy.read_bytes() == path.read_bytes()


def test_one_writer_at_a_time_and_readers_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    with create(path) as file:
        file.append(b"1")
        with pytest.raises(StoreError, match="in use by another process"):
            reopen(path)
        with SequenceFile.open(path, keyring=KEYRING) as reader:
            assert reader.plaintext(1) == b"1"
            with pytest.raises(LocalProtocolError, match="reading only"):
                reader.append(b"2")
        file.append(b"2")
    reopen(path).close()


def test_creating_over_a_file_or_opening_none(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    create(path).close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="exists already"):
        create(path)
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="cannot be opened"):
        reopen(tmp_path / "b.dcon")
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be made"):
        create(blocked / "a.dcon")


def test_closed_files_say_so(tmp_path: Path) -> None:
    file = create(tmp_path / "a.dcon")
    file.close()
    file.close()
    for action in (lambda: file.append(b"x"), lambda: file.frame(0), file.sync):
        with pytest.raises(StoreError, match="is closed"):
            action()


@pytest.mark.parametrize("kind", ["List", "Merkle"])
def test_torn_tails_are_cut_to_the_last_whole_frame(tmp_path: Path, kind: str) -> None:
    """Every length is tried in memory in test_sequence.py; here a part of them on disk."""
    path = tmp_path / "a.dcon"
    ends = filled(path, container_type=kind)
    octets = path.read_bytes()
    for size in sorted({*range(ends[2], len(octets), 23), *ends[2:4], *(end - 1 for end in ends[3:])}):
        path.write_bytes(octets[:size])
        whole = max(end for end in ends if end <= size)
        with SequenceFile.open(path, keyring=KEYRING) as reader:
            assert (reader.size, reader.recovered_octets) == (whole, size - whole)
        assert path.stat().st_size == size
        with reopen(path) as file:
            assert file.recovered_octets == size - whole
            assert file.count == ends.index(whole) + 1
            assert file.append(b"next") == ends.index(whole) + 1
        with reopen(path) as file:
            assert file.recovered_octets == 0
            assert file.verify().opened == file.count


@pytest.mark.parametrize("tail", [b"\x00" * 300, b"\xf5\xff", b"garbage", b"\xf4" * 40, b"\xf5\x00\x10\xf0"])
def test_foreign_octets_at_the_end_are_cut(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "a.dcon"
    ends = filled(path)
    with path.open("ab") as file:
        file.write(tail)
    with reopen(path) as opened:
        assert (opened.recovered_octets, opened.size) == (len(tail), ends[-1])
        opened.verify()


@pytest.mark.parametrize("kind", ["List", "Merkle"])
@pytest.mark.parametrize("frames", [1, 2, 9, 17, 18, 100, 101])
def test_embedded_frames_at_a_torn_end_are_not_taken_for_frames(
    tmp_path: Path, kind: str, frames: int
) -> None:
    """A torn frame whose body is a copy of the file so far, cut exactly where that one ends."""
    path = tmp_path / "a.dcon"
    ends = filled(path, frames=frames, policy_recipients=(), container_type=kind)
    inner = path.read_bytes()
    with reopen(path) as file:
        file.append(inner)
    octets = path.read_bytes()
    path.write_bytes(octets[: octets.index(inner, ends[-1]) + len(inner)])
    with SequenceFile.open(path) as file:
        assert (file.count, file.size) == (frames, ends[-1])
    os.truncate(path, ends[-1])
    with reopen(path) as file:
        assert file.count == frames


def test_a_large_file_is_opened_by_few_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without its side index, and no more of them the larger it is."""
    path = tmp_path / "a.dcon"
    reads: list[int] = []
    read_at = OpenFile.read_at

    def counted(file: OpenFile, offset: int, count: int) -> bytes:
        reads.append(count)
        return read_at(file, offset, count)

    monkeypatch.setattr(OpenFile, "read_at", counted)
    counts = []
    for frames in (600, 5000):
        path.unlink(missing_ok=True)
        filled(path, frames=frames)
        side_index.discard(path)
        reads.clear()
        with SequenceFile.open(path) as file:
            assert file.count == frames
        counts.append(len(reads))
        assert sum(reads) < 200_000
    assert counts[1] <= counts[0] + 12 < 150


def test_damage_in_the_middle_is_never_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    ends = filled(path)
    octets = bytearray(path.read_bytes())
    octets[ends[1]] ^= 0xFF
    for tail in (b"", b"torn"):
        path.write_bytes(bytes(octets) + tail)
        with pytest.raises(StoreError, match="nothing was cut"):
            reopen(path)
        assert path.read_bytes() == bytes(octets) + tail


def test_damage_far_back_is_met_when_reading(tmp_path: Path) -> None:
    """Opening follows the tree of a long file, so that damage beside its path is found later."""
    path = tmp_path / "a.dcon"
    ends = filled(path, frames=5001, policy_recipients=())
    side_index.discard(path)
    octets = bytearray(path.read_bytes())
    octets[ends[20]] ^= 0xFF
    path.write_bytes(octets)
    with reopen(path) as file:
        assert file.plaintext(5000) == b"reading 5000"
        with pytest.raises(StoreError):
            file.frame(21)
        with pytest.raises((StoreError, VerificationError)):
            file.verify()
    assert path.read_bytes() == octets


@pytest.mark.parametrize("size", [0, 1, 40])
def test_a_file_without_whole_first_frame_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.dcon"
    filled(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(StoreError, match="no whole first frame"):
        reopen(path)


def test_altered_frames_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    filled(path)
    with reopen(path) as file:
        body = path.read_bytes().index(file.frame(2).body)
    octets = bytearray(path.read_bytes())
    octets[body] ^= 1
    path.write_bytes(octets)
    with reopen(path) as file:
        assert file.plaintext(1) == b"reading 1"
        with pytest.raises(VerificationError):
            file.plaintext(2)
        with pytest.raises(VerificationError, match=str(path)):
            file.verify()


def test_without_the_key(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    filled(path)
    with SequenceFile.open(path, entropy=os.urandom) as file:
        file.append(b"sealed for others")
        with pytest.raises(KeyUnavailableError, match=KEY.public.udf):
            file.plaintext(1)
        assert file.verify().opened == 0
    with reopen(path) as file:
        assert file.plaintext(5) == b"sealed for others"
    once = tmp_path / "once.dcon"
    filled(once, encryption="Once")
    with pytest.raises(KeyUnavailableError):
        SequenceFile.open(once, entropy=os.urandom)
    with reopen(once) as file:
        file.append(b"x")
        assert file.plaintext(5) == b"x"


_FULL_DISK = """
import os, resource, sys
from mathmesh.errors import StoreError
from meshclient.store_files import SequenceFile
with SequenceFile.open(sys.argv[1], entropy=os.urandom) as file:
    size, count = file.size, file.count
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 900, resource.RLIM_INFINITY))
    file.append(b"fits")
    for batch in (bytes(2000), [b"a" * 100] * 50):
        try:
            file.append_many(batch if isinstance(batch, list) else [batch])
            sys.exit("appended beyond the limit")
        except StoreError as error:
            assert sys.argv[1] in str(error) and "free space" in str(error), error
        assert (file.count, os.path.getsize(sys.argv[1])) == (count + 1, file.size)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    file.append(b"after")
"""


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    """A limit on the file's size makes the kernel write less than asked, as a full disk does."""
    path = tmp_path / "a.dcon"
    filled(path)
    subprocess.run([sys.executable, "-c", _FULL_DISK, str(path)], check=True, timeout=20)
    with reopen(path) as file:
        assert file.recovered_octets == 0
        assert [file.plaintext(number) for number in (5, 6)] == [b"fits", b"after"]
        assert file.verify().opened == 7


_APPENDER = """
import os, sys
from meshclient.store_files import SequenceFile
with SequenceFile.open(sys.argv[1], entropy=os.urandom) as file:
    while True:
        print(file.append(os.urandom(3000)), flush=True)
"""


def test_nothing_acknowledged_is_lost_when_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    filled(path)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", _APPENDER, str(path)], stdout=subprocess.PIPE)
        with process:
            assert process.stdout is not None
            lines = [int(process.stdout.readline()) for _ in range(20)]
            os.kill(process.pid, signal.SIGKILL)
            lines += [int(line) for line in process.stdout.read().split(b"\n")[:-1]]
        with reopen(path) as file:
            assert file.count > lines[-1]
            assert file.verify().count == file.count


def test_appends_from_threads_are_whole_and_numbered(tmp_path: Path) -> None:
    with create(tmp_path / "a.dcon") as file:
        numbers: list[int] = []

        def work(name: int) -> None:
            for round_ in range(20):
                numbers.append(file.append(b"%d %d" % (name, round_), sync=False))

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(numbers) == list(range(1, 81))
        assert len({file.plaintext(number) for number in numbers}) == 80
        file.verify()


def test_reading_from_threads_while_appending(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    filled(path, frames=300)
    with reopen(path) as file:
        seen: list[list[int]] = []

        def read() -> None:
            seen.append([int(file.plaintext(frame).split()[1]) for frame in file.frames(1)])

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(300, 350):
            file.append(b"reading %d" % number, sync=False)
        for thread in threads:
            thread.join()
        for numbers in seen:
            assert numbers == list(range(1, len(numbers) + 1))
        assert [file.plaintext(number) for number in (1, 200, 349)] == [
            b"reading 1",
            b"reading 200",
            b"reading 349",
        ]


def test_side_index_is_written_used_and_rebuilt(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    ends = filled(path, frames=side_index.MINIMUM_FRAMES + 100)
    index = side_index.index_path(path)
    assert index.stat().st_size == 8 * (1 + len(ends))
    with reopen(path) as file:
        assert file.plaintext(300) == b"reading 300"
        file.append(b"last")
    assert index.stat().st_size == 8 * (2 + len(ends))
    good = index.read_bytes()
    for wrong in (b"", b"MeshIdx1", good[:803], b"X" + good[1:], good[:1600] + bytes(8) + good[1608:]):
        index.write_bytes(wrong)
        with reopen(path) as file:
            assert file.plaintext(199) == b"reading 199"
            assert file.plaintext(len(ends)) == b"last"
            file.append(b"x")
            assert [frame.index for frame in file.frames(198)][:3] == [198, 199, 200]


def test_side_index_of_a_longer_file_and_torn_end(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    ends = filled(path, frames=side_index.MINIMUM_FRAMES + 100)
    os.truncate(path, ends[550] + 7)
    with reopen(path) as file:
        assert (file.count, file.recovered_octets) == (551, 7)
        assert file.plaintext(550) == b"reading 550"
        assert file.append(b"new") == 551
        assert file.plaintext(551) == b"new"


def test_a_leftover_of_a_broken_creation_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    (tmp_path / ".a.dcon.new").write_bytes(b"half a frame")
    create(path).close()
    assert list(tmp_path.iterdir()) == [path]
