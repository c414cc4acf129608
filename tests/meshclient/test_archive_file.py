"""Archives: add, delete, list, extract, and names that would lead elsewhere."""

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mathmesh.dare import archive
from mathmesh.dare.archive import safe_name
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.errors import KeyUnavailableError, PolicyError, StoreError, VerificationError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from meshclient import archive_file
from meshclient.archive_file import FIRST, add, delete, extract, extract_one, sources
from meshclient.store_files import SequenceFile

ENTROPY = random.Random("archives").randbytes
KEY, SIGNER = generate("X448", ENTROPY), generate("Ed448", ENTROPY)
KEYRING = MemoryKeyring([KEY])
MOMENT = 1_650_000_000


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name, content in {
        "a.txt": b"a",
        "sub/b.bin": bytes(3000),
        "sub/deep/c": b"",
        "z.txt": b"last",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (MOMENT, MOMENT))
    (root / "link").symlink_to("/etc/passwd")
    (root / "folder-link").symlink_to("/etc")
    return root


def create(path: Path, *, sealed: bool = True, cloaked: bool = False) -> SequenceFile:
    return SequenceFile.create(
        path,
        policy_recipients=[KEY.public] if sealed else (),
        cloaked=cloaked,
        content_meta=FIRST,
        keyring=KEYRING,
        entropy=ENTROPY,
    )


@pytest.mark.parametrize(("sealed", "cloaked"), [(False, False), (True, False), (True, True)])
def test_add_list_extract(tmp_path: Path, tree: Path, sealed: bool, cloaked: bool) -> None:
    path, out = tmp_path / "a.dcon", tmp_path / "out"
    with create(path, sealed=sealed, cloaked=cloaked) as file:
        assert add(file, sources(tree), {"tree/a.txt": "text/plain"}) == [1, 2, 3, 4]
        add(file, sources(tree / "a.txt"))
    with SequenceFile.open(path, keyring=KEYRING) as file:
        found = archive.members(file.reader)
        assert list(found) == ["tree/a.txt", "tree/z.txt", "tree/sub/b.bin", "tree/sub/deep/c", "a.txt"]
        assert found["tree/a.txt"].cty == "text/plain"
        assert found["a.txt"].modified == datetime.fromtimestamp(MOMENT, UTC)
        written = extract(file, out, found.values())
        assert [item.relative_to(out).as_posix() for item in written] == list(found)
        file.verify()
    for name in ("a.txt", "sub/b.bin", "sub/deep/c", "z.txt"):
        assert (out / "tree" / name).read_bytes() == (tree / name).read_bytes()
        assert (out / "tree" / name).stat().st_mtime == MOMENT
        assert (out / "tree" / name).stat().st_mode & 0o077 == (0 if sealed else 0o044)
    if cloaked:
        with SequenceFile.open(path) as file, pytest.raises(KeyUnavailableError):
            archive.members(file.reader)


def test_the_last_of_a_name_counts_and_deleted_ones_come_back(tmp_path: Path, tree: Path) -> None:
    with create(tmp_path / "a.dcon") as file:
        add(file, sources(tree / "a.txt"))
        (tree / "a.txt").write_bytes(b"newer")
        add(file, sources(tree / "a.txt"))
        assert archive.members(file.reader)["a.txt"].index == 2
        assert delete(file, ["a.txt"], entropy=ENTROPY) == ()
        assert archive.members(file.reader) == {}
        old = archive.members(file.reader, recover=True)["a.txt"]
        extract_one(file, old, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == b"newer"
        with pytest.raises(StoreError, match="holds no file"):
            delete(file, ["a.txt"], entropy=ENTROPY)
        assert delete(file, ["a.txt"], erased=True, entropy=ENTROPY) == (1, 2)
        with pytest.raises(StoreError, match="erased"):
            extract(file, tmp_path / "out", archive.members(file.reader, recover=True).values())
        assert file.verify().unexplained == ()


def test_archives_in_clear_cannot_be_erased(tmp_path: Path, tree: Path) -> None:
    with create(tmp_path / "a.dcon", sealed=False) as file:
        add(file, sources(tree / "a.txt"))
        with pytest.raises(PolicyError, match="/purge"):
            delete(file, ["a.txt"], erased=True, entropy=ENTROPY)
        assert list(archive.members(file.reader)) == ["a.txt"]


@pytest.mark.parametrize("name", ["a", "a/b.txt", "..a", "a..", "a b", "é/ü", "...", "c/D:", "a\\b"])
def test_names_that_stay_below(name: str) -> None:
    assert safe_name(name) == name.replace("\\", "/")


@pytest.mark.parametrize(
    "name",
    [
        *("", "/", "/etc/passwd", "..", "../x", "a/../x", "a/..", "a/./b", ".", "a//b", "a/", "//server/x"),
        *("C:x", "c:\\x", "\\x", "a\\..\\..\\x", "..\\x", "\\\\server\\x", "a\x00b", "a\nb", "a\x7f"),
        *("\ud800", "x" * 256, "x/" * 2500 + "x"),
    ],
)
def test_names_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyError):
        safe_name(name)
    if "\ud800" in name or name == "":
        return
    folder = tmp_path / "out"
    folder.mkdir()
    with create(tmp_path / "a.dcon", sealed=False) as file:
        file.append(b"fine", ContentMeta(filename="fine"))
        file.append(b"evil", ContentMeta(filename=name))
        with pytest.raises(PolicyError):
            extract(file, folder, archive.members(file.reader).values())
    assert os.listdir(folder) == []
    assert sorted(os.listdir(tmp_path)) == ["a.dcon", "out"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    folder.mkdir()
    (folder / "way").symlink_to(outside)
    (folder / "file").symlink_to(outside / "file")
    (folder / "plain").write_bytes(b"x")
    with create(tmp_path / "a.dcon") as file:
        for name in ("way/file", "file", "plain/inside"):
            file.append(b"evil", ContentMeta(filename=name))
        for name, member in archive.members(file.reader).items():
            with pytest.raises(PolicyError, match=f"out/{name}"):
                extract(file, folder, [member], overwrite=True)
    assert os.listdir(outside) == []


def test_files_are_overwritten_only_when_asked(tmp_path: Path, tree: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.txt").write_text("mine")
    with create(tmp_path / "a.dcon") as file:
        add(file, sources(tree / "a.txt"))
        chosen = list(archive.members(file.reader).values())
        with pytest.raises(StoreError, match=f"{out}/a.txt exists already"):
            extract(file, out, chosen)
        assert (out / "a.txt").read_text() == "mine"
        extract(file, out, chosen, overwrite=True)
        assert (out / "a.txt").read_text() == "a"
    assert os.listdir(out) == ["a.txt"]


def test_altered_members_are_not_written(tmp_path: Path, tree: Path) -> None:
    path = tmp_path / "a.dcon"
    with create(path, sealed=False) as file:
        add(file, sources(tree / "z.txt"))
    path.write_bytes(path.read_bytes().replace(b"last", b"lost"))
    with SequenceFile.open(path) as file, pytest.raises(VerificationError):
        extract(file, tmp_path / "out", archive.members(file.reader).values())
    assert not (tmp_path / "out" / "z.txt").exists()


def test_what_cannot_be_added(tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_file, "MAXIMUM_FILE", 1000)
    with create(tmp_path / "a.dcon") as file:
        with pytest.raises(StoreError, match="encode it as a file of its own"):
            add(file, sources(tree / "sub" / "b.bin"))
        with pytest.raises(StoreError, match="cannot be read"):
            add(file, [archive_file.Source(path=tmp_path / "absent", name="x")])
        assert file.count == 1


def test_many_files_are_written_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_file, "_BATCH", 100)
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:03}").write_bytes(b"x" * number)
    with create(tmp_path / "a.dcon") as file:
        assert add(file, sources(folder)) == [*range(1, 41)]
        assert [len(file.plaintext(number)) for number in range(1, 41)] == [*range(40)]


def test_old_archives_name_files_by_paths(tmp_path: Path) -> None:
    with create(tmp_path / "a.dcon", sealed=False) as file:
        file.append(b"x", ContentMeta(paths=("old.txt",)))
        file.append(b"y")
        assert list(archive.members(file.reader)) == ["old.txt", "2"]
