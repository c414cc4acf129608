"""The conformance command passes our pinned objects and fails each of them when a bit of it is flipped."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[3]
PINNED = CHECKOUT / "tests" / "vectors" / "mesh"


def flip(text: str, position: int = 40) -> str:
    """Another base64url or UDF text of the same length."""
    letter = "B" if text[position] != "B" else "C"
    return text[:position] + letter + text[position + 1 :]


def body(tree: Any) -> None:
    tree["object"][1] = flip(tree["object"][1])


def digest(tree: Any) -> None:
    tree["object"][2]["PayloadDigest"] = flip(tree["object"][2]["PayloadDigest"])


def signature(tree: Any) -> None:
    entry = tree["object"][2]["signatures"][0]
    entry["signature"] = flip(entry["signature"])


def unknown_signer(tree: Any) -> None:
    entry = tree["object"][2]["signatures"][0]
    entry["kid"] = flip(entry["kid"], 6)


def wrapped_key(tree: Any) -> None:
    recipient = tree["object"][0]["recipients"][0]
    recipient["wmk"] = flip(recipient["wmk"], 10)


def inner_body(tree: Any) -> None:
    envelope = tree["object"]["CatalogedDevice"]["EnvelopedConnectionDevice"]
    envelope[1] = flip(envelope[1])


def inner_wrapped_key(tree: Any) -> None:
    recipient = tree["object"]["CatalogedDevice"]["EnvelopedActivationAccount"][0]["recipients"][0]
    recipient["wmk"] = flip(recipient["wmk"], 10)


def publication(tree: Any) -> None:
    envelope = tree["object"]["CatalogedPublication"]["EnvelopedData"]
    envelope[1] = flip(envelope[1])


def source_of_contact(tree: Any) -> None:
    contact = tree["object"]["CatalogedContact"]["Contact"]["ContactPerson"]
    envelope = contact["Sources"][0]["EnvelopedSource"]
    envelope[1] = flip(envelope[1])


def service_share(tree: Any) -> None:
    capability = tree["object"]["CatalogedAccess"]["Capability"]["CapabilityDecryptServiced"]
    recipient = capability["EnvelopedKeyShare"][0]["recipients"][0]
    recipient["wmk"] = flip(recipient["wmk"], 10)


def wrong_type(tree: Any) -> None:
    tree["object"]["CatalogedDevice"]["LocalName"] = 7


CASES: dict[str, tuple[str, Callable[[Any], None]]] = {
    "body": ("ProfileUser", body),
    "digest": ("ProfileDevice", digest),
    "signature": ("ProfileService", signature),
    "unknown-signer": ("MessageClaim", unknown_signer),
    "wrapped-key": ("RespondConnection", wrapped_key),
    "inner-body": ("CatalogedDevice", inner_body),
    "inner-wrapped-key": ("CatalogedDevice", inner_wrapped_key),
    "publication": ("CatalogedPublication", publication),
    "contact": ("CatalogedContact", source_of_contact),
    "service-share": ("CatalogedAccess-threshold", service_share),
    "pin": ("MessagePin", wrapped_key),
    "request": ("RequestConnection", signature),
    "answer": ("ResponseConfirmation", signature),
    "wrong-type": ("CatalogedDevice", wrong_type),
}


def conformance(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.conformance"],
        cwd=CHECKOUT,
        env=os.environ | {"MESH_VECTORS": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the command says of one altered object for each case."""
    folder = tmp_path_factory.mktemp("vectors")
    (folder / "mesh" / "2022").mkdir(parents=True)
    for case, (name, change) in CASES.items():
        tree = json.loads((PINNED / "2022" / f"{name}.json").read_text(encoding="utf-8"))
        change(tree)
        (folder / "mesh" / "2022" / f"{case}.json").write_text(json.dumps(tree), encoding="utf-8")
    done = conformance(folder)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == f"0 passed, {len(CASES)} failed"
    return done.stdout


@pytest.mark.parametrize("case", CASES)
def test_an_altered_object_fails(report: str, case: str) -> None:
    assert f"FAILED mesh/2022/{case}.json" in report


def test_unaltered_objects_pass(tmp_path: Path) -> None:
    (tmp_path / "mesh" / "2022").mkdir(parents=True)
    files = sorted((PINNED / "2022").glob("*.json"))
    for file in files:
        (tmp_path / "mesh" / "2022" / file.name).write_bytes(file.read_bytes())
    done = conformance(tmp_path)
    assert done.stdout.splitlines()[-1] == f"{len(files)} passed, 0 failed", done.stdout
    assert done.returncode == 0
