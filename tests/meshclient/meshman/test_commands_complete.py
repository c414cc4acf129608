"""The reference's commands, each with help, an example that can be typed, both option styles and /json."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from tests.meshman_commands import every_command

from meshclient.meshman.cli import commands
from meshclient.meshman.frame import MeshCommand, dashed

REFERENCE = {
    "account": "hello create delete status sync info pin connect escrow purge recover list get export import",
    "device": "request pending complete accept reject delete list auth join install preconfig",
    "message": "confirm pending status accept reject block",
    "group": "create add get delete list",
    "password": "add get delete list",
    "contact": "add static dynamic fetch exchange request import delete get list",
    "bookmark": "import add delete get list",
    "calendar": "import add get delete list",
    "network": "import add get delete list",
    "key": "nonce secret earl share recover",
    "hash": "udf digest mac",
    "dare": "encode decode verify earl create archive log append delete dir list index extract copy",
    "mail": "add get list import delete smime openpgp",
    "ssh": "create get list client host known delete",
}
"""The command set of the reference of 2022, beside `about`."""
BELOW = {("mail", "smime"): "sign encrypt", ("mail", "openpgp"): "sign encrypt"}
WITH_ROLES = [("device", "accept"), ("account", "pin"), ("account", "connect")]
ROLES = "auth root admin message web device threshold ssh email member group null".split()
OPTIONS = {
    ("message", "pending"): "unread read raw",
    ("account", "pin"): "length expire uri",
    ("account", "sync"): "auto",
    ("account", "recover"): "verify",
    ("device", "request"): "pin",
    ("dare", "encode"): "encrypt sign",
}
ACCOUNT_FLAGS = "account local sync auto".split()
GLOBAL_FLAGS = ["json", "verbose", "report"]

NOT_YET = {
    *((*path, role) for path in WITH_ROLES for role in ("ssh", "email", "member", "group")),
}
"""What does not exist yet; once it does, its line here must go."""


def paths() -> list[tuple[str, ...]]:
    """Every command of the reference."""
    found: list[tuple[str, ...]] = [("about",)]
    for group, names in REFERENCE.items():
        for name in names.split():
            inner = BELOW.get((group, name))
            found += [(group, name, one) for one in inner.split()] if inner else [(group, name)]
    return found


def marked(entries: list[tuple[str, ...]]) -> list[Any]:
    """The entries, with a mark on those that are known to be missing."""
    missing = pytest.mark.xfail(strict=True, raises=LookupError, reason="does not exist yet")
    return [pytest.param(one, marks=missing if one in NOT_YET else (), id=" ".join(one)) for one in entries]


def command_at(path: tuple[str, ...]) -> click.Command:
    """The command at a path; LookupError when there is none."""
    found: click.Command | None = commands
    for name in path:
        found = found.get_command(click.Context(found), name) if isinstance(found, click.Group) else None
        if found is None:
            raise LookupError(" ".join(path))
    assert found is not None
    return found


def options_of(command: click.Command) -> dict[str, click.Option]:
    """The options of a command by their names without dashes."""
    return {
        name.lstrip("-"): param
        for param in command.params
        if isinstance(param, click.Option)
        for name in (*param.opts, *param.secondary_opts)
        if name.startswith("--")
    }


@pytest.mark.parametrize("path", marked(paths()))
def test_the_reference_s_commands_are_there(meshman: Any, path: tuple[str, ...]) -> None:
    command = command_at(path)
    assert isinstance(command, MeshCommand)
    assert set(GLOBAL_FLAGS) <= set(options_of(command))
    helped = meshman([*path, "--help"])
    assert helped.code == 0
    assert f"Example: meshman {' '.join(path)}" in " ".join(helped.out.split())


@pytest.mark.parametrize("path", marked([*((*path, role) for path in WITH_ROLES for role in ROLES)]))
def test_the_reference_s_roles_are_flags(path: tuple[str, ...]) -> None:
    *where, role = path
    if role not in options_of(command_at(tuple(where))):
        raise LookupError(role)


@pytest.mark.parametrize("path", OPTIONS, ids=" ".join)
def test_the_reference_s_options_are_there(path: tuple[str, ...]) -> None:
    assert set(OPTIONS[path].split()) <= set(options_of(command_at(path)))


@pytest.mark.parametrize(
    "group", ["contact", "bookmark", "calendar", "message", "group", "password", "network"]
)
def test_commands_on_an_account_take_its_flags(group: str) -> None:
    for path in every_command(command_at((group,)), (group,)):
        assert set(ACCOUNT_FLAGS) <= set(options_of(command_at(path))), path


@pytest.mark.parametrize("path", [*every_command()], ids=" ".join)
def test_both_styles_of_every_option(path: tuple[str, ...]) -> None:
    command = command_at(path)
    for name, option in options_of(command).items():
        valued = "" if option.is_flag or option.count else "=Value"
        read = [f"--{name}{valued}"]
        for word in (f"/{name}{valued}", f"/{name.upper()}{valued}", f"--{name}{valued}"):
            assert dashed([word], command.params) == read
        if valued:
            assert dashed([f"/{name}", "/Value"], command.params) == [f"--{name}", "/Value"]


@pytest.mark.parametrize("path", [*every_command()], ids=" ".join)
def test_every_example_can_be_typed(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words of the example are understood by the command; files that it names are there."""
    monkeypatch.chdir(tmp_path)
    command = command_at(path)
    program, *words = shlex.split((command.epilog or "").removeprefix("Example: "))
    assert (program, *words[: len(path)]) == ("meshman", *path)
    for word in words[len(path) :]:
        name = word.partition("=")[2] or word
        if (name == word or "." in name) and "/" not in name and "@" not in name:
            (tmp_path / name).touch()
    context = command.make_context(path[-1], words[len(path) :])
    assert context.command is command
