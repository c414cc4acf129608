"""How quick sequences and envelopes are on this machine: `python tests/bench/bench_dare.py [folder]`.

Each figure is the best of several rounds. Give a folder on the disk that is meant; without one a temporary
folder is used, which may lie in memory.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mathmesh.dare.envelope import open_envelope, seal
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from meshclient.store_files import SequenceFile

ROUNDS = 7
BATCH = 1000
RECORD = 200
KEY = generate("X448", os.urandom)
SIGNER = generate("Ed448", os.urandom)
KEYRING = MemoryKeyring([KEY])


def rate(action: Callable[[], object], count: int) -> float:
    """Items per second of the best round."""
    best = 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        best = max(best, count / (time.perf_counter() - start))
    return best


def show(name: str, figure: float, unit: str) -> None:
    """One line of the report."""
    print(f"{name:<52}{figure:>12,.0f} {unit}")


def appends(folder: Path) -> None:
    """Appending 200-octet records."""
    records = [os.urandom(RECORD) for _ in range(BATCH)]
    for kind in ("List", "Merkle"):
        for label, keys in (("open", []), ("sealed", [KEY.public])):
            path = folder / f"{kind}-{label}.dcon"
            with SequenceFile.create(
                path, container_type=kind, policy_recipients=keys, entropy=os.urandom
            ) as file:
                figure = rate(partial(file.append_many, records, sync=False), BATCH)
                show(f"append, {kind}, {label}, {BATCH} a write", figure, "frames/s")
    with SequenceFile.create(
        folder / "synced.dcon", policy_recipients=[KEY.public], entropy=os.urandom
    ) as file:
        figure = rate(lambda: [file.append(record) for record in records[:200]], 200)
        show("append, Merkle, sealed, each on disk", figure, "frames/s")
        figure = rate(lambda: file.append_many(records[:100]), 100)
        show("append, Merkle, sealed, 100 on disk at a time", figure, "frames/s")


def reads(folder: Path) -> None:
    """Opening, reading and verifying a sealed file."""
    path = folder / "reads.dcon"
    with SequenceFile.create(path, policy_recipients=[KEY.public], entropy=os.urandom) as file:
        for _ in range(20):
            file.append_many([os.urandom(RECORD)] * BATCH)
        count = file.count

    def reopen() -> None:
        SequenceFile.open(path, keyring=KEYRING, entropy=os.urandom).close()

    show(f"open for writing, {count} frames", rate(reopen, 1), "files/s")
    with SequenceFile.open(path, keyring=KEYRING) as file:
        numbers = [int.from_bytes(os.urandom(3), "big") % count for _ in range(500)]
        file.plaintext(1)
        show(
            "plaintext of a frame by number",
            rate(lambda: list(map(file.plaintext, numbers)), 500),
            "frames/s",
        )
        show("frames forwards, parsed", rate(lambda: sum(1 for _ in file.frames()), count), "frames/s")
        start = time.perf_counter()
        file.verify()
        show("verify all, decrypting", count / (time.perf_counter() - start), "frames/s")


def envelopes() -> None:
    """Envelopes with X448 recipient and Ed448 signature."""
    sealed = seal(os.urandom(RECORD), entropy=os.urandom, recipients=[KEY.public], signer=SIGNER)

    def make() -> None:
        for _ in range(20):
            seal(os.urandom(RECORD), entropy=os.urandom, recipients=[KEY.public], signer=SIGNER)

    def read() -> None:
        for _ in range(50):
            open_envelope(sealed, keyring=KEYRING, signers=[SIGNER.public], require_signature=True)

    show("seal and sign", rate(make, 20), "envelopes/s")
    show("verify and open", rate(read, 50), "envelopes/s")


def main() -> None:
    """Prints all figures."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        appends(Path(name))
        reads(Path(name))
    envelopes()


if __name__ == "__main__":
    main()
