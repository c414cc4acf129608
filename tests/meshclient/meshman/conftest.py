"""The command line, run in this process; what it prints and its exit codes are those of a process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from meshclient.meshman.cli import commands


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def json(self) -> Any:
        return json.loads(self.out)


Meshman = Callable[..., Run]


@pytest.fixture
def meshman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Meshman:
    """`meshman(words, input=...)` in a folder that holds the reference's TestFile1.txt."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "TestFile1.txt").write_text("This is a test")

    def run(words: str | list[str], input: str | None = None) -> Run:
        args = words.split() if isinstance(words, str) else words
        result = CliRunner().invoke(commands, args, prog_name="meshman", input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Run(result.exit_code, result.stdout, result.stderr)

    return run
