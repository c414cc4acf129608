"""Vectors of the same layout with other content pass too: nothing rests on the cases that are pinned."""

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mathmesh.codec import b64

CHECKOUT = Path(__file__).resolve().parents[2]
VECTORS = CHECKOUT / "tests" / "vectors"
Check = Callable[[Path], dict[str, str]]


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    monkeypatch.syspath_prepend(str(CHECKOUT))
    from tests.conformance import __main__ as command
    from tests.conformance import pin_core, pin_link, pin_threshold

    return {"command": command, "core": pin_core, "link": pin_link, "threshold": pin_threshold}


@pytest.fixture
def check(modules: dict[str, ModuleType]) -> Check:
    """What failed in a folder, of which every file must have been looked at."""

    def run(folder: Path) -> dict[str, str]:
        command = modules["command"]
        outcomes = list(command.run_folder(folder, command.registry()))
        assert {name for name, _ in outcomes} == {
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        }
        return {o.name: o.detail for _, o in outcomes if o.state != "passed"}

    return run


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_other_inputs(
    modules: dict[str, ModuleType], check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is pinned, made anew from other secrets."""
    draw = modules["core"].draw
    for name in ("core", "threshold", "link"):
        monkeypatch.setattr(modules[name], "draw", lambda label, count: draw("other " + label, count))
        monkeypatch.setattr(modules[name], "OWN", tmp_path)
        modules[name].main()
    assert check(tmp_path) == {}
    same = {
        path.name
        for path in tmp_path.rglob("*.json")
        if path.read_bytes() == (VECTORS / path.relative_to(tmp_path)).read_bytes()
    }
    assert same == {"02_content_digest.json", "04_authenticator.json"}, "these have no secrets"


@pytest.mark.parametrize(
    "name",
    ["udf/*.json", "threshold/mesh_threshold.json", "threshold/cogeneration.json", "mesh/computations.json"],
)
def test_order_commentary_and_number_of_cases_do_not_count(name: str, check: Check, tmp_path: Path) -> None:
    source = random.Random(name)
    for path in VECTORS.glob(name):
        content = json.loads(path.read_text(encoding="utf-8"))
        write(tmp_path / path.relative_to(VECTORS), shuffled(content, source))
    assert check(tmp_path) == {}


def shuffled(content: Any, source: random.Random) -> Any:
    """Members in another order with words about them; each list of cases reversed, one of them twice."""
    if isinstance(content, list):
        if content and isinstance(content[0], dict) and ("kind" in content[0] or "curve" in content[0]):
            return [shuffled(item, source) for item in (*content[::-1], content[0])]
        return content
    if not isinstance(content, dict):
        return content
    members = [
        (name, [shuffled(item, source) for item in (*held[::-1], held[0])] if name == "cases" else held)
        if name in ("cases", "label")
        else (name, shuffled(held, source) if isinstance(held, list) else held)
        for name, held in content.items()
    ]
    members += [("note", "as it was found"), ("source", {"path": "somewhere"})]
    source.shuffle(members)
    return dict(members)


@pytest.mark.parametrize(("signers", "count"), [((2,), 2), ((1, 2, 3), 3), ((2, 3, 5), 5), ((5, 2, 4, 1), 6)])
def test_other_quorums(
    signers: tuple[int, ...], count: int, modules: dict[str, ModuleType], check: Check, tmp_path: Path
) -> None:
    pin = modules["threshold"]
    if len(signers) > 1:
        mesh = {"sign_quorate": [pin.quorate(crv, signers, count) for crv in ("Ed25519", "Ed448")]}
        write(tmp_path / "threshold" / "mesh_threshold.json", mesh)
        frost = sorted(signers)
        for crv, hash_name in (("Ed25519", "SHA-512"), ("Ed448", "SHAKE256")):
            vector = pin.frost_vector(crv, hash_name, frost, count)
            write(tmp_path / "threshold" / f"frost_{crv}.json", vector)
    threshold = max(2, len(signers))
    for octets in (2, 16, 64):
        shares = modules["core"].share_cases(bytes(range(octets)), threshold, count)
        write(tmp_path / "udf" / f"11_of_{octets}.json", {"cases": shares})
    assert check(tmp_path) == {}


def test_other_sequences(check: Check, tmp_path: Path, modules: dict[str, ModuleType]) -> None:
    """Any number of frames of any length."""
    from tests.conformance import dare_sequences

    cases = []
    for kind in ("List", "Digest", "Chain", "Tree", "Merkle"):
        for number in (1, 2, 7, 33):
            octets = dare_sequences.regenerate(kind, [bytes(range(77))] * (number - 1))
            name = f"seq_{kind}_{number}_fix.dcon"
            (tmp_path / "dare").mkdir(exist_ok=True)
            (tmp_path / "dare" / name).write_bytes(octets)
            frames = list(dare_sequences.open_octets(octets).frames())
            assert len(frames) == number
            case = {"type": kind, "mode": "fix", "file": name, "frames": number, "size": len(octets)}
            case["sha256"] = hashlib.sha256(octets).hexdigest()
            case["positions"] = [frame.position for frame in frames]
            case["trailers"] = [
                {member: b64.decode(value).hex() for member, value in frame.trailer.items()}
                for frame in frames
            ]
            cases.append(case)
    listing = {"payload": "bytes(i & 255 for i in range(77))", "sequences": cases[::-1]}
    write(tmp_path / "dare" / "sequences.json", listing)
    assert check(tmp_path) == {}
    listing["sequences"] = cases[1:]
    write(tmp_path / "dare" / "sequences.json", listing)
    assert list(check(tmp_path)) == [cases[0]["file"]]


def test_a_case_that_tells_no_output_fails(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "udf" / "02_content_digest.json", {"cases": [{"data_utf8": "a", "content_type": "b"}]})
    [detail] = check(tmp_path).values()
    assert detail
