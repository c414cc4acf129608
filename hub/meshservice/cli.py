"""The command `meshservice`. Exit codes: 0 done; 1 refused or failed; 2 wrong usage."""

from __future__ import annotations

import sys

import click

from mathmesh.errors import MeshError
from meshservice.cli_host import host
from meshservice.cli_invite import invite
from meshservice.cli_run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mesh-hub", prog_name="meshservice")
def commands() -> None:
    """A Mesh service: keeps the encrypted stores of accounts and delivers their messages.

    \b
    Example:
      meshservice run --data ~/mesh-service --domain example.com
      meshservice invite alice@example.com --data ~/mesh-service
    """


for command in (run, invite, host):
    commands.add_command(command)


def main() -> None:
    """Entry point: run the command; what fails is told in one line, without a traceback."""
    try:
        commands.main(prog_name="meshservice")
    except MeshError as error:
        click.echo(f"meshservice: {error}", err=True)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"meshservice: {where}{error.strerror or error}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
