"""How commands are given a secret: asked for on a terminal, from standard input or a file.

The reference's form with the secret on the command line is taken too; a note says who can see it there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

STANDARD_INPUT = "-"
MAXIMUM = 64 * 1024
VISIBLE = (
    "A secret on the command line is seen in the list of processes and kept in the shell's history: "
    "leave it out, and it is asked for."
)
Command = TypeVar("Command", bound=Callable[..., Any])


def secret_file(function: Command) -> Command:
    """The option /file, a file with the secret; the callback gets `file`."""
    path = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
    return click.option("--file", type=path, help="Read the secret from this file's first line.")(function)


def read_secret(what: str, given: str | None = None, file: Path | None = None) -> tuple[str, tuple[str, ...]]:
    """The secret called `what`, and the notes to tell; click's UsageError when it is empty or too long.

    `given` stood on the command line (`-` for standard input). Without it and `file` a person is asked.
    """
    if given is not None and file is not None:
        raise click.UsageError(f"Give the {what} in one place.")
    notes: tuple[str, ...] = ()
    if file is not None and str(file) != STANDARD_INPUT:
        with file.open(encoding="utf-8") as opened:
            secret = opened.readline(MAXIMUM + 2)
    elif given is not None and given != STANDARD_INPUT:
        secret, notes = given, (VISIBLE,)
    elif given is None and file is None and sys.stdin.isatty():
        secret = click.prompt(what.capitalize(), hide_input=True, confirmation_prompt=True, err=True)
    else:
        secret = sys.stdin.read(MAXIMUM + 2)
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret or len(secret) > MAXIMUM:
        raise click.UsageError(f"The {what} is {'too long' if secret else 'empty'}.")
    return secret, notes
