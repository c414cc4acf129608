"""What can stand where on a command line of `meshman`, taken from the commands themselves.

A kind says what a place takes: `file`, `folder`, `choice:A,B`, `names:contact` (entries of the account, which
`meshman completion names` lists), `names:contact+file`, or nothing that is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

FILE, FOLDER, UNKNOWN = "file", "folder", ""
CHOICE, NAMES = "choice:", "names:"

_ARGUMENTS = {
    ("account", "address"): "account",
    ("bookmark", "name"): "bookmark",
    ("calendar", "name"): "calendar",
    ("contact", "name"): "contact",
    ("contact", "message"): "message",
    ("contact", "recipient"): "contact",
    ("device", "device"): "device",
    ("group", "group"): "group",
    ("group", "member"): "contact",
    ("message", "message"): "message",
    ("message", "recipient"): "contact",
    ("message", "sender"): "contact",
    ("message", "address"): "contact",
    ("network", "ssid"): "network",
    ("password", "service"): "password",
}
_OPTIONS = {
    "account": "account",
    "local": "account",
    "encrypt": "contact+file",
    "sign": "account+file",
    "signer": "contact+file",
}
_NEW = {"create"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option by its name without dashes; `kind` is None for a flag."""

    name: str
    kind: str | None
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A group with its commands (name and help), or a command with its options and the kinds of its words.

    With `more`, the last kind goes on for ever.
    """

    path: tuple[str, ...]
    commands: tuple[tuple[str, str], ...] = ()
    options: tuple[Option, ...] = ()
    arguments: tuple[str, ...] = ()
    more: bool = False


def nodes(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[Node]:
    """The groups and commands of `command`, itself first."""
    if not isinstance(command, click.Group):
        yield _command(command, path)
        return
    context = click.Context(command)
    inner = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    known = [(name, one) for name, one in inner if one is not None and not one.hidden]
    yield Node(path=path, commands=tuple((name, one.get_short_help_str(60)) for name, one in known))
    for name, one in known:
        yield from nodes(one, (*path, name))


def _command(command: click.Command, path: tuple[str, ...]) -> Node:
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    options = [
        Option(
            name=name.removeprefix("--"),
            kind=None if param.is_flag or param.count else _option_kind(name.removeprefix("--"), param),
            help=" ".join((param.help or "").split()).partition("  [")[0],
        )
        for param in command.params
        if isinstance(param, click.Option) and not param.hidden
        for name in (*param.opts, *param.secondary_opts)
        if name.startswith("--")
    ]
    return Node(
        path=path,
        options=(*options, Option(name="help", kind=None, help="Show help.")),
        arguments=tuple(_argument_kind(path, one) for one in arguments),
        more=any(one.nargs == -1 for one in arguments),
    )


def _argument_kind(path: tuple[str, ...], param: click.Argument) -> str:
    named = _ARGUMENTS.get((path[0], param.name or ""))
    if named is not None and path[-1] not in _NEW:
        return NAMES + named
    return _kind(param)


def _option_kind(name: str, param: click.Option) -> str:
    return NAMES + _OPTIONS[name] if name in _OPTIONS else _kind(param)


def _kind(param: click.Parameter) -> str:
    if isinstance(param.type, click.Choice):
        return CHOICE + ",".join(str(one) for one in param.type.choices)
    if isinstance(param.type, click.Path):
        return FILE if param.type.file_okay else FOLDER
    return UNKNOWN
