"""Where vectors lie: in the checkout, beside it, and in a folder named by the caller."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
OWN = CHECKOUT / "tests" / "vectors"
BESIDE = CHECKOUT.parent / "shared" / "vectors"
VARIABLE = "MESH_VECTORS"

_KEY_FILES = "mesh/keys-*.jsonl"
_DEPTH = 4
"""Folders above a file among which the one of the vectors is."""


def to_check() -> list[Path]:
    """The folder in MESH_VECTORS, else our own and the published ones beside the checkout."""
    named = os.environ.get(VARIABLE)
    return [Path(named).resolve()] if named else [OWN, BESIDE]


def key_files(file: Path) -> list[Path]:
    """Lists of public keys for the signatures in `file`: of its own folder, then the other known folders."""
    folders = [*file.resolve().parents[:_DEPTH], BESIDE, OWN]
    found = {path.resolve() for folder in folders for path in folder.glob(_KEY_FILES)}
    return sorted(found)


def companion(file: Path, name: str) -> Path:
    """The file `name` that `file` belongs with: beside it, else in the same place of the other known folders.

    Of the names that exist nowhere it is the one beside `file`.
    """
    beside = file.parent / name
    part = file.parent.name if file.parent.name != "dcon" else "dare/dcon"
    places = [beside, *(folder / part / name for folder in (BESIDE, OWN))]
    return next((place for place in places if place.exists()), beside)
