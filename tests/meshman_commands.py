"""The commands of `meshman` by their paths, for tests that go through all of them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from meshclient.meshman.cli import commands


def every_command(command: click.Command = commands, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all commands there are, the reference's and ours."""
    if not isinstance(command, click.Group):
        yield path
        return
    for name in command.list_commands(click.Context(command)):
        inner = command.get_command(click.Context(command), name)
        assert inner is not None
        yield from every_command(inner, (*path, name))
