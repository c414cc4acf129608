"""Benchmarks: `python -m tests.bench [store] [bulk] [messages] [threshold] [service] [OPTION…]`; see --help.

One line per figure, each beside its limit measured in the same run and at equal durability. The last line is
a summary, `bench: name=ratio …`. A second pass hides the processor's AES and SHA instructions from OpenSSL,
which stands for a core that has none, such as that of a Raspberry Pi 4.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.bench import bench_bulk, bench_messages, bench_service, bench_store, bench_threshold
from tests.bench.report import Figure

NO_AES_NO_SHA = "~0x200000200000000:~0x20000000"
"""OPENSSL_ia32cap: AES-NI and PCLMULQDQ off in the first word, SHA extensions in the second."""


def threshold(_folder: Path) -> Iterator[Figure]:
    """The figures of shares, in the form of the others."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = bench_threshold.figures()
    for one in found:
        yield Figure(
            name=one.name, rate=one.rate, unit="/s", beside="the library's exchange", ratio=one.ratio
        )


GROUPS: dict[str, Callable[[Path], Iterator[Figure | str]]] = {
    "store": bench_store.figures,
    "bulk": bench_bulk.figures,
    "messages": bench_messages.figures,
    "threshold": threshold,
    "service": bench_service.figures,
}


def main() -> int:
    """Print all figures of the groups named, then the summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmarks.")
    parser.add_argument("group", nargs="*", help=f"of: {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--folder", help="a folder on the disk that is meant (default: a temporary one)")
    parser.add_argument(
        "--slow-core", action="store_true", help="only the pass without AES and SHA instructions"
    )
    parser.add_argument("--fast-core", action="store_true", help="only the pass with all instructions")
    parser.add_argument(
        "--frames",
        type=int,
        default=bench_store.FRAMES,
        help="frames of the large store (default: %(default)s)",
    )
    parser.add_argument(
        "--growth", type=int, help="only how appending goes while a store grows to so many frames"
    )
    parser.add_argument(
        "--megabytes",
        type=int,
        default=bench_bulk.MEGABYTES,
        help="size of the bulk file (default: %(default)s)",
    )
    parser.add_argument(
        "--accounts",
        type=int,
        default=bench_service.ACCOUNTS,
        help="accounts of the service (default: %(default)s)",
    )
    given = parser.parse_args()
    bench_service.ACCOUNTS = given.accounts
    bench_store.FRAMES, bench_bulk.MEGABYTES = given.frames, given.megabytes
    if given.growth:
        GROUPS["store"] = partial(bench_store.growth, frames=given.growth)
        given.group, given.fast_core = ["store"], True
    if unknown := sorted(set(given.group) - set(GROUPS)):
        parser.error(f"no such group: {', '.join(unknown)}")
    groups = given.group or list(GROUPS)
    summary = [] if given.slow_core else _pass(groups, given.folder)
    slow = [group for group in groups if group not in ("messages", "threshold", "service")]
    if slow and not given.fast_core and os.environ.get("OPENSSL_ia32cap") is None:
        print("-- without AES and SHA instructions", flush=True)
        command = [sys.executable, "-m", "tests.bench", *slow, "--fast-core"]
        command += ["--frames", str(given.frames), "--megabytes", str(given.megabytes)]
        command += ["--folder", given.folder] if given.folder else []
        done = subprocess.run(
            command, env=os.environ | {"OPENSSL_ia32cap": NO_AES_NO_SHA}, stdout=subprocess.PIPE, text=True
        )
        *lines, last = done.stdout.splitlines() or [""]
        print("\n".join(lines))
        summary += [f"slow-{one}" for one in last.removeprefix("bench: ").split()]
    print("bench: " + " ".join(summary))
    return 0


def _slug(text: str) -> str:
    return "-".join(re.findall(r"\w+", text))


def _pass(groups: list[str], folder: str | None) -> list[str]:
    summary = []
    with tempfile.TemporaryDirectory(dir=folder) as made:
        for group in groups:
            for figure in GROUPS[group](Path(made)):
                print(figure, flush=True)
                if isinstance(figure, Figure) and figure.ratio is not None:
                    name, beside = (_slug(text) for text in (figure.name, figure.beside))
                    summary.append(f"{name}/{beside}={figure.ratio:.3f}")
    return summary


if __name__ == "__main__":
    sys.exit(main())
