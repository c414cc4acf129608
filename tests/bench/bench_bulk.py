"""Envelopes of large files beside `openssl enc`, age and pyrage where they are installed, and the digest.

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

from tests.bench.report import Figure, absent, rates

from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from meshclient.envelope_file import decode_file, encode_file

MEGABYTES = 256
KEY = generate("X448", os.urandom)

Sides = tuple[Callable[[], object], Callable[[], object]]
"""Encryption and decryption of the same file by another program."""


def figures(folder: Path) -> Iterator[Figure | str]:
    """Encoding and decoding, in 10^6 octets a second, each beside the same work of others."""
    source, target, back = folder / "bulk", folder / "bulk.dare", folder / "bulk.out"
    size = MEGABYTES << 20
    with source.open("wb") as stream:
        for _ in range(MEGABYTES):
            stream.write(os.urandom(1 << 20))

    def encode() -> None:
        encode_file(source, target, entropy=os.urandom, recipients=[KEY.public], overwrite=True, sync=False)

    def decode() -> None:
        decode_file(target, back, keyring=MemoryKeyring([KEY]), overwrite=True, sync=False)

    sides: dict[str, Sides] = {"S512 alone": (lambda: _digest(source), lambda: _digest(target))}
    for name, make in {"openssl enc": _openssl, "age": _age, "pyrage": _pyrage}.items():
        found = make(source, folder)
        if found is None:
            yield absent(name)
        else:
            sides[name] = found
    named = [("encode a file, A256CBC and S512", encode, 0), ("decode a file, verified", decode, 1)]
    for name, action, which in named:
        actions = [action, *(side[which] for side in sides.values())]
        measured = [rate * size / 1e6 for rate in rates([_counted(one) for one in actions], 3)]
        for beside, limit in zip(sides, measured[1:], strict=True):
            yield Figure(
                name=name, rate=measured[0], unit="MB/s", beside=beside, ratio=measured[0] / limit,
                octets=target.stat().st_size, syncs=0,
            )  # fmt: skip


def _counted(action: Callable[[], object]) -> Callable[[], int]:
    def run() -> int:
        action()
        return 1

    return run


def _digest(path: Path) -> None:
    """What no envelope with this digest can be quicker than."""
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha512")


def _openssl(source: Path, folder: Path) -> Sides | None:
    program = shutil.which("openssl")
    if program is None:
        return None
    sealed = folder / "openssl.sealed"
    key = ["-K", os.urandom(32).hex(), "-iv", os.urandom(16).hex()]

    def run(*arguments: str) -> None:
        subprocess.run([program, "enc", "-aes-256-cbc", *key, *arguments], check=True)

    return (
        lambda: run("-in", str(source), "-out", str(sealed)),
        lambda: run("-d", "-in", str(sealed), "-out", str(folder / "openssl.out")),
    )


def _pyrage(source: Path, folder: Path) -> Sides | None:
    if not importlib.util.find_spec("pyrage"):
        return None
    pyrage = importlib.import_module("pyrage")
    identity, sealed = pyrage.x25519.Identity.generate(), folder / "pyrage.sealed"

    def encrypt() -> None:
        sealed.write_bytes(pyrage.encrypt(source.read_bytes(), [identity.to_public()]))

    def decrypt() -> None:
        (folder / "pyrage.out").write_bytes(pyrage.decrypt(sealed.read_bytes(), [identity]))

    return encrypt, decrypt


def _age(source: Path, folder: Path) -> Sides | None:
    if not shutil.which("age"):
        return None
    identity, sealed = folder / "age.key", folder / "age.sealed"
    made = subprocess.run(["age-keygen", "-o", str(identity)], capture_output=True, text=True, check=True)
    recipient = made.stderr.split()[-1]

    def run(*arguments: str) -> None:
        subprocess.run(["age", *arguments], check=True)

    return (
        lambda: run("-r", recipient, "-o", str(sealed), str(source)),
        lambda: run("-d", "-i", str(identity), "-o", str(folder / "age.out"), str(sealed)),
    )
