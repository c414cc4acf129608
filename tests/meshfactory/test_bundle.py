"""Bundles: picked by manifest, hashed, the same for the same sources, with pins from hardware/boards only."""

import hashlib
import json
from pathlib import Path

import pytest

from mathmesh.codec import b64
from meshfactory import board, bundle

ALL = ("esp32-c3", "esp32-devkit", "esp32-s3", "pico-w", "simulator")


def _contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("compiled", [True, False])
def test_the_manifest_lists_every_file_with_its_hash(tmp_path: Path, compiled: bool) -> None:
    made = bundle.build("simulator", compiled=compiled, out=tmp_path)
    contents = _contents(made.folder)
    manifest = json.loads(contents.pop("manifest.json"))
    assert (manifest["board"], manifest["ver"]) == ("simulator", made.version)
    assert {path: (length, b64.decode(digest)) for path, length, digest in manifest["files"]} == {
        path: (len(data), hashlib.sha256(data).digest()) for path, data in contents.items()
    }
    suffixes = {Path(path).suffix for path in contents if path not in ("boot.py", "main.py")}
    assert suffixes == {".mpy" if compiled else ".py"}
    assert made.hash == hashlib.sha256((made.folder / "manifest.json").read_bytes()).digest()


def test_the_same_sources_are_bundled_once(tmp_path: Path) -> None:
    first = bundle.build("simulator", out=tmp_path)
    made = (first.folder / "manifest.json").stat().st_mtime_ns
    second = bundle.build("simulator", out=tmp_path)
    assert second == first
    assert (second.folder / "manifest.json").stat().st_mtime_ns == made
    assert [path.name for path in tmp_path.iterdir()] == [first.folder.name]


@pytest.mark.parametrize("name", ALL)
def test_every_board_has_what_the_firmware_imports(name: str) -> None:
    files = bundle.collect(board.load(name))
    driver = "board_simulator.py" if name == "simulator" else "board_machine.py"
    assert {"boot.py", "main.py", "meshdevice/app.py", f"meshdevice/{driver}"} <= set(files)
    for path, source in files.items():
        for line in source.read_text().splitlines():
            words = line.split()
            if line.startswith("from mesh") and words[2] == "import":
                wanted = words[1].replace(".", "/")
                names = {f"{wanted}.py", f"{wanted}/__init__.py"}
                assert names & set(files), f"{path} imports {words[1]}"


@pytest.mark.parametrize("name", ALL)
def test_the_generated_configuration_says_what_the_board_file_says(name: str) -> None:
    described = board.load(name)
    values: dict[str, object] = {}
    exec(described.config_source(), values)  # noqa: S102  (our own generated text)
    assert values["NAME"] == name
    assert values["PINS"] == described.pins
    assert values["BOTH"] == described.capabilities["both"]
    assert values["DRIVER"] == described.driver


def test_all_boards_are_there() -> None:
    assert tuple(board.names()) == ALL
    with pytest.raises(board.UnknownBoardError, match="pico-w"):
        board.load("toaster")


def test_a_source_that_does_not_compile_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("def x(:\n")
    with pytest.raises(bundle.BundleError, match=r"meshdevice/bad\.py"):
        bundle._compile(bad, "meshdevice/bad.py")


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.py"
    manifest.write_text('package("meshdevice", files=("absent.py",))\n')
    with pytest.raises(bundle.BundleError, match=r"meshdevice/absent\.py"):
        bundle._read_manifest(manifest, {})
