"""What README says of settings and commands holds."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import click
import pytest

from meshfactory.cli import main as meshfactory
from meshhub.cli import commands as meshhub
from meshhub.config import Config

README = (Path(__file__).parents[2] / "README.md").read_text()
GROUPS = {"meshhub": meshhub, "meshfactory": meshfactory}
LINES = re.findall(r"^\$ (meshhub|meshfactory) (\S+)(.*?)(?: +#.*)?$", README, re.MULTILINE)


def test_the_defaults_of_all_settings(tmp_path: Path) -> None:
    shown = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    settings = tomllib.loads(shown[1])
    assert Config(data=tmp_path, **settings) == Config(data=tmp_path)
    assert set(settings) == {one.name for one in fields(Config)} - {"data", "account", "mqtt_host"}


def test_there_are_command_lines() -> None:
    assert len(LINES) > 7


@pytest.mark.parametrize(("group", "name", "rest"), LINES)
def test_a_command_line_is_one(group: str, name: str, rest: str) -> None:
    """The command exists and takes these words and options."""
    command = GROUPS[group].commands[name]
    words = [word.replace("~", "/") for word in rest.split() if word != "…"]
    known = {option for one in command.params for option in one.opts}
    assert {word for word in words if word.startswith("--")} <= known
    assert any(isinstance(one, click.Argument) for one in command.params) or not [
        word for word in words if not word.startswith("--") and words[words.index(word) - 1] not in known
    ]


@pytest.mark.parametrize("group", GROUPS)
def test_every_command_is_named(group: str) -> None:
    table = README.split("### Commands")[1].split("\n\n")[0]
    cells = [line.split(" | ")[0] for line in table.splitlines() if f"`{group} " in line]
    assert set(GROUPS[group].commands) <= set(re.findall(r"[a-z]+", " ".join(cells)))
