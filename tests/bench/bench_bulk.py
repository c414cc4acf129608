"""Envelopes of large files beside `openssl enc`, the primitives, and age and pyrage where they are installed.

None of them waits for the disk, and all write a file.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.report import Figure, rates

from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from meshclient.envelope_file import decode_file, encode_file

SIZE = int(os.environ.get("BENCH_MEGABYTES", "256")) << 20
KEY = generate("X448", os.urandom)


def figures(folder: Path) -> Iterator[Figure]:
    """Encoding and decoding, in 10^6 octets a second."""
    source, target, back = folder / "bulk", folder / "bulk.dare", folder / "bulk.out"
    with source.open("wb") as stream:
        for _ in range(SIZE >> 20):
            stream.write(os.urandom(1 << 20))

    def encode() -> int:
        encode_file(source, target, entropy=os.urandom, recipients=[KEY.public], overwrite=True, sync=False)
        return SIZE

    def decode() -> int:
        decode_file(target, back, keyring=MemoryKeyring([KEY]), overwrite=True, sync=False)
        return SIZE

    sides = {"openssl enc": _openssl(source, folder), "S512 alone": _digest(source)}
    if shutil.which("age"):
        sides["age"] = _age(source, folder)
    if importlib.util.find_spec("pyrage"):
        sides["pyrage"] = _pyrage(source, folder)
    actions = [side for side in sides.values() if side is not None]
    found = rates([encode, decode, *actions], 3)
    for name, limit in zip([name for name, side in sides.items() if side], found[2:], strict=True):
        yield Figure(
            name="encode a file, A256CBC and S512", rate=found[0] / 1e6, unit="MB/s", beside=name,
            ratio=found[0] / limit,
        )  # fmt: skip
        yield Figure(
            name="decode a file, verified", rate=found[1] / 1e6, unit="MB/s", beside=name,
            ratio=found[1] / limit,
        )  # fmt: skip


def _openssl(source: Path, folder: Path) -> Callable[[], int] | None:
    program = shutil.which("openssl")
    if program is None:
        return None
    key, iv = os.urandom(32).hex(), os.urandom(16).hex()
    arguments = [program, "enc", "-aes-256-cbc", "-K", key, "-iv", iv]

    def run() -> int:
        subprocess.run([*arguments, "-in", str(source), "-out", str(folder / "openssl.out")], check=True)
        return SIZE

    return run


def _digest(source: Path) -> Callable[[], int]:
    """What no envelope with this digest can be quicker than."""

    def run() -> int:
        with source.open("rb") as file:
            hashlib.file_digest(file, "sha512")
        return SIZE

    return run


def _pyrage(source: Path, folder: Path) -> Callable[[], int]:
    pyrage = importlib.import_module("pyrage")
    recipient = pyrage.x25519.Identity.generate().to_public()

    def run() -> int:
        (folder / "pyrage.out").write_bytes(pyrage.encrypt(source.read_bytes(), [recipient]))
        return SIZE

    return run


def _age(source: Path, folder: Path) -> Callable[[], int]:
    identity = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True)
    recipient = identity.stderr.split()[-1]

    def run() -> int:
        output = str(folder / "age.out")
        subprocess.run(["age", "-r", recipient, "-o", output, str(source)], check=True)
        return SIZE

    return run
