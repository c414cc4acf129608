"""What the commands print: people's text, or JSON with --json; and the options that all of them take."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.table import Table

from meshhub.cli_client import HubClient
from meshhub.config import default_data
from meshhub.plain_text import plain

P = ParamSpec("P")
R = TypeVar("R")
PIPE_WIDTH = 200
STATES = {"live": "live", "stale": "no news", "offline": "offline"}


def data_option(command: Callable[P, R]) -> Callable[P, R]:
    """--data DIR."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, readable=False, path_type=Path),  # the client tells whose it is
        help="Data folder of the hub.  [default: ~/.local/share/mesh-hub]",
    )(command)


def common_options(command: Callable[P, R]) -> Callable[P, R]:
    """--data DIR and --json."""
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    return data_option(as_json(command))


def client(data: Path | None) -> HubClient:
    """The client for the hub of that data folder, or of the usual one."""
    return HubClient((data or default_data()).expanduser().absolute())


def console() -> Console:
    """Standard output; lines are not folded when it is a pipe."""
    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def print_json(answer: object) -> None:
    """`answer` as JSON on standard output; what a terminal would obey is escaped."""
    click.echo(json_text(answer, indent=2))


def json_text(answer: object, *, indent: int | None = None) -> str:
    """`answer` as JSON that shows letters of all scripts and escapes control characters."""
    text = json.dumps(answer, ensure_ascii=False, indent=indent)
    return "".join(f"\\u{ord(letter):04x}" if "\x7f" <= letter < "\xa0" else letter for letter in text)


def value_text(value: object, unit: str = "") -> str:
    """A value for people: on/off, figures with their unit, a dash for what is not known."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return plain(f"{text} {unit}".strip())


def named_value(name: str, value: object, unit: str = "") -> str:
    """A property with its value, as in "level 40 %"; one called "on" is said in one word."""
    text = value_text(value, unit)
    return plain(text if name == "on" and isinstance(value, bool) else f"{name} {text}")


def time_text(milliseconds: int | None) -> str:
    """Local date and time of milliseconds since 1970."""
    if milliseconds is None:
        return "never"
    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):  # a device's clock may say anything
        return "no real time"


def place(device: Mapping[str, Any]) -> str:
    """Name and room of a device."""
    return plain(f"{device['name']} ({device['room']})" if device["room"] else str(device["name"]))


def table(*columns: str) -> Table:
    """A plain table with these headings."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
