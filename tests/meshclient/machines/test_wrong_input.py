"""Every command with words that are wrong: one line that says so, exit code 1 or 2, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from tests.meshman_commands import every_command

from meshclient.meshman.cli import commands

JUNK = ["nonsense", "", "\N{PILE OF POO}", "a@b", "mcu://a@b/c", "../x", "N" * 5000, "MAAA-AAAA", "-5"]

SILENT = {("password", "git-helper"), ("password", "askpass")}
"""Asked by other programs, which ask elsewhere when these say nothing."""


def command_at(path: tuple[str, ...]) -> click.Command:
    found: click.Command | None = commands
    for name in path:
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), name)
    assert found is not None
    return found


def arguments(path: tuple[str, ...]) -> list[click.Argument]:
    return [param for param in command_at(path).params if isinstance(param, click.Argument)]


def check(run: Any, words: list[str]) -> None:
    """What went wrong is told in one line, and nothing is printed beside it."""
    assert run.code in (1, 2), words
    assert run.out == "", (words, run.out)
    lines = run.err.splitlines()
    errors = [line for line in lines if line.startswith("ERROR - ")]
    assert len(errors) == 1, (words, run.err)
    assert len(errors[0]) < 6000
    assert "Traceback" not in run.err
    assert "should not happen" not in run.err


@pytest.mark.parametrize("path", [*every_command()], ids=" ".join)
def test_wrong_usage(meshman: Callable[..., Any], path: tuple[str, ...]) -> None:
    """Too few words, too many, unknown options, options without values."""
    command = command_at(path)
    wrong = [[*path, "--no-such-option"], [*path, "/nosuchoption"]]
    if any(one.required for one in arguments(path)):
        wrong.append([*path])
    if all(one.nargs != -1 for one in arguments(path)):
        wrong.append([*path, *["1"] * (len(arguments(path)) + 1)])
    for option in command.params:
        if isinstance(option, click.Option) and not option.is_flag and option.opts[0] != "--home":
            if isinstance(option.type, click.IntRange | click.Choice | click.DateTime):
                wrong.append([*path, f"{option.opts[0]}=nonsense"])
            wrong.append([*path, option.opts[0]])
    for words in wrong:
        run = meshman("nobody", words[0], *words[1:])
        check(run, words)
        assert run.code == 2
        told = meshman("nobody", words[0], *words[1:], "/json") if words[-1][:2] != "--" else None
        if told is not None:
            assert (told.code, told.err) == (2, "")
            assert json.loads(told.out)["Result"]["Success"] is False


@pytest.mark.parametrize("path", [*every_command()], ids=" ".join)
def test_a_machine_without_account(meshman: Callable[..., Any], path: tuple[str, ...]) -> None:
    """Commands that need an account say so."""
    needs = "account" in {param.name for param in command_at(path).params}
    if not needs or path[0] in ("dare", "device") or path in SILENT:
        return
    Path("junk").write_text("junk")
    words = ["junk" if isinstance(one.type, click.Path) else "n@example.com" for one in arguments(path)]
    run = meshman("nobody", path[0], *path[1:], *words)
    check(run, [*path, *words])


def nonsense(meshman: Callable[..., Any], each: int) -> None:
    """Every command with `each` of JUNK, one after the other in all its places."""
    Path("junk").write_bytes(b"\x00\xff junk")
    for number, path in enumerate(every_command()):
        places = arguments(path)
        if path[0] in ("account", "completion") or not places:
            continue
        for junk in [JUNK[(number + step) % len(JUNK)] for step in range(each)]:
            words = ["junk" if isinstance(one.type, click.Path) else junk for one in places]
            run = meshman("alice", path[0], *path[1:], *words)
            if run.code:
                check(run, [*path, *words])
            else:
                assert run.err.count("ERROR") == 0


def test_nonsense(meshman: Callable[..., Any], alice: Callable[..., Any]) -> None:
    """What stands where a name, an id, a code or a file is expected is taken, or refused in one line."""
    nonsense(meshman, 1)
    assert alice("contact list").code == 0


@pytest.mark.long
def test_nonsense_of_all_kinds(meshman: Callable[..., Any], alice: Callable[..., Any]) -> None:
    nonsense(meshman, len(JUNK))
    assert alice("contact list").code == 0
