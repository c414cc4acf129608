"""Coverage-guided fuzzing: `python -m tests.fuzz --seconds N [--seed S] [TARGET…]`.

A target is a module `target_NAME` here with `seeds()` and `one(data)`, which raises for what must not be.
Each runs in a process of its own. Where atheris has no wheel, nothing runs, and that is said. The exit code
is 1 when a target failed; its input is printed in hexadecimal.
"""

import argparse
import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDER = Path(__file__).parent
CHECKOUT = FOLDER.parents[1]
MEMORY_MB = 1024
INPUT_OCTETS = 4096
INPUT_SECONDS = 10
GRACE_SECONDS = 60
PACKAGES = ["mathmesh", "meshlink", "meshclient", "meshservice", "meshhub", "meshfactory", "meshdevice"]
ABSENT = "skipped: the package atheris is not installed (it has wheels for Linux on x86-64 only)"


def targets() -> list[str]:
    """Names of all targets."""
    return sorted(path.stem.removeprefix("target_") for path in FOLDER.glob("target_*.py"))


def has_atheris() -> bool:
    """Whether fuzzing can run here."""
    return importlib.util.find_spec("atheris") is not None


def run(name: str, seconds: int, seed: int) -> tuple[bool, str]:
    """Fuzz one target for that long: whether it held, and a line that tells how it went."""
    with tempfile.TemporaryDirectory(prefix="mesh-fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        module = importlib.import_module(f"tests.fuzz.target_{name}")
        for number, octets in enumerate(module.seeds()):
            (corpus / str(number)).write_bytes(octets)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz", "--child", name, str(corpus)),
                *(f"-max_total_time={seconds}", f"-max_len={INPUT_OCTETS}", f"-timeout={INPUT_SECONDS}"),
                f"-seed={seed}",
                *(f"-rss_limit_mb={MEMORY_MB}", f"-artifact_prefix={folder}/", "-print_final_stats=1"),
            ],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + GRACE_SECONDS,
            check=False,
        )
        found = [path for path in Path(folder).iterdir() if path.is_file()]
        if done.returncode == 0 and not found:
            return True, f"{name}: {_units(done.stderr)} inputs in {seconds} s"
        inputs = "; ".join(f"{path.name.split('-')[0]} on {path.read_bytes().hex()}" for path in found)
        return False, f"{name}: FAILED {inputs}\n{done.stdout[-2000:]}{done.stderr[-1500:]}"


def _units(log: str) -> str:
    line = next((line for line in log.splitlines() if "number_of_executed_units" in line), "unknown")
    return line.split()[-1]


def child(arguments: list[str]) -> None:
    """The process that fuzzes; it does not return."""
    import atheris

    with atheris.instrument_imports(include=PACKAGES):
        module = importlib.import_module(f"tests.fuzz.target_{arguments[0]}")
    atheris.Setup([sys.argv[0], *arguments[1:]], module.one)
    atheris.Fuzz()


def main() -> int:
    """Fuzz the targets named, or all of them."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Coverage-guided fuzzing.")
    parser.add_argument("--seconds", type=int, default=30, help="for each target (default: 30)")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="number from which inputs are made (default: by the clock)",
    )
    parser.add_argument("target", nargs="*", help=f"of: {', '.join(targets())} (default: all)")
    given = parser.parse_args()
    unknown = sorted(set(given.target) - set(targets()))
    if unknown:
        parser.error(f"no such target: {', '.join(unknown)}")
    if not has_atheris():
        print(f"fuzz: {ABSENT}")
        return 0
    failed = False
    names = given.target or targets()
    for name in names:
        importlib.import_module(f"tests.fuzz.target_{name}")  # threads that import get in each other's way
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        for held, line in workers.map(
            lambda name: run(name, given.seconds, given.seed), given.target or targets()
        ):
            print(f"fuzz {line}", flush=True)
            failed = failed or not held
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
