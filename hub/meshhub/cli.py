"""The command `meshhub`. Exit codes: 0 done; 1 refused, failed, offline or no answer; 2 wrong usage."""

import io
import os
import sys

import click

from mathmesh.errors import MeshError
from meshhub.cli_add import add
from meshhub.cli_devices import devices, forget, get, history, rename, set_
from meshhub.cli_run import link, run, status
from meshhub.cli_wifi import wifi
from meshhub.dashboard.wording import sentence

TRACE = "MESHHUB_TRACE"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mesh-hub", prog_name="meshhub")
def commands() -> None:
    """The hub of a home: devices that join from the code on their label, seen and switched by name."""


for command in (run, devices, get, set_, rename, add, forget, history, wifi, link, status):
    commands.add_command(command)


def main() -> None:
    """Entry point: run the command; what fails is told in one line, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no ° shows a question mark
    try:
        commands.main(prog_name="meshhub")
    except MeshError as failed:
        _tell(failed, sentence(str(failed)))
    except OSError as failed:
        where = f"{failed.filename}: " if failed.filename else ""
        _tell(failed, sentence(f"{where}{failed.strerror or failed}"))
    except Exception as failed:
        _tell(failed, f"This should not happen ({type(failed).__name__}: {failed}); {TRACE}=1 shows where.")
    sys.exit(1)


def _tell(failed: Exception, text: str) -> None:
    if os.environ.get(TRACE):
        raise failed
    click.echo(f"Error: {text}", err=True)


if __name__ == "__main__":
    main()
