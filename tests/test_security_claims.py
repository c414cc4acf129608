"""Every test that SECURITY.md names exists, so that no claim stands on nothing."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (CHECKOUT / "SECURITY.md").read_text())))


def test_there_are_claims() -> None:
    assert len(NAMED) > 20


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_the_proof_exists(file: str, name: str) -> None:
    source = (CHECKOUT / file).read_text()
    assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{file} has no {name}"
