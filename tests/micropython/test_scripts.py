"""Device code under the real MicroPython: each script runs with a small heap and says `passed` at its end."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"
MICROPYTHON = Path(sys.executable).with_name("micropython")
HEAP = "96K"

pytestmark = pytest.mark.skipif(not MICROPYTHON.is_file(), reason="no MicroPython wheel for this machine")


def run(script: str, *arguments: str) -> str:
    """Standard output of a script; its errors when it fails."""
    path = f"{CHECKOUT / 'device_firmware'}:{CHECKOUT / 'hub'}:.frozen"
    done = subprocess.run(
        [str(MICROPYTHON), "-X", f"heapsize={HEAP}", str(SCRIPTS / script), *arguments],
        env={"MICROPYPATH": path, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_storage(tmp_path: Path) -> None:
    assert run("storage.py", str(tmp_path)).endswith("passed\n")
