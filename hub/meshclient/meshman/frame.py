"""What every command of `meshman` shares: both option styles, the common flags, output and exit codes.

Rules:
 1. `/name`, `/name=value` and `/name value` are `--name` of the same; case does not matter after a slash.
 2. Only names that the command knows are taken for options, so that absolute paths stay paths. What looks
    like an option, is none and names no file is refused: a misspelt `/encrypt=bob` must not pass for a file.
 3. Options stand anywhere; the common flags also before the name of the command.
 4. A command returns an `Answer`; it is printed as lines or, with /json, as the reference's result object.
 5. Exit codes: 0 done; 1 refused or failed; 2 wrong usage. What went wrong is told in one line on standard
    error, which names the object and the remedy; with /json as a result object whose Success is false.
 6. Texts of others cannot command the terminal: what does not print is replaced. Colours are for terminals,
    and not where NO_COLOR is set.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from mathmesh.errors import MeshError

RESULT = "Result"
HELP = "help"
CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

_COMMON = ("json", "verbose", "report")
_SLASH = re.compile(r"/([A-Za-z][A-Za-z0-9-]*)(=.*)?", re.DOTALL)
_CODE_ROW = re.compile(r"\x1b\[30;107m[ ▀▄█]*\x1b\[0m")
"""A row of a QR code, the one thing with colours of its own."""
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command found or did.

    `tag` and `members` make the JSON object, to which Success is added; `lines` is what a person reads;
    `notes` are told on standard error, in JSON as the member Notes. `success` false gives exit code 1.
    """

    lines: Sequence[str] = ()
    tag: str = RESULT
    members: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    success: bool = True

    def to_json(self) -> dict[str, Any]:
        """The result object: Success first, then the members that have a value."""
        members = {name: value for name, value in self.members.items() if value is not None}
        notes = {"Notes": list(self.notes)} if self.notes else {}
        return {self.tag: {"Success": self.success, **members, **notes}}


class _Program(click.Command):
    """What a command or group does as the program itself: it tells wrong usage in one line."""

    def main(self, *given: Any, **settings: Any) -> Any:
        """Run, and exit with the code of rule 5. Words and settings are those of `click.Command.main`."""
        args = given[0] if given else settings.pop("args", None)
        words = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(words, *given[1:], **{**settings, "standalone_mode": False})
            sys.exit(code if isinstance(code, int) else 0)
        except click.exceptions.NoArgsIsHelpError as asked:
            click.echo(asked.format_message(), err=True)
            sys.exit(2)
        except click.ClickException as wrong:
            _refuse(usage(wrong), words)
            sys.exit(wrong.exit_code)
        except click.Abort:
            click.echo(err=True)
            _refuse("Stopped.", words)
            sys.exit(1)
        except OSError as failed:
            if failed.errno != errno.EPIPE:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read on has seen enough
            sys.exit(1)


class MeshCommand(_Program):
    """A command with the common flags, whose callback returns an `Answer` (or None: it printed itself).

    `example` is a command line without the program's name, shown below the help.
    """

    def __init__(self, *args: Any, example: str = "", **settings: Any) -> None:
        settings.setdefault("context_settings", CONTEXT)
        if example:
            settings.setdefault("epilog", f"Example: meshman {example}")
        super().__init__(*args, **settings)
        self.params = [*self.params, *_common_flags()]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Slash options become dash options before click reads them."""
        try:
            return super().parse_args(ctx, dashed(args, self.params))
        except click.UsageError as wrong:
            wrong.ctx = wrong.ctx or ctx
            raise

    def invoke(self, ctx: click.Context) -> None:
        """Run the command and print its answer; what it refuses is told in one line, without a traceback."""
        flags = {name: bool(ctx.params.pop(name, False)) for name in _COMMON}
        ctx.meta["meshman.verbose"] = flags["verbose"]
        try:
            answer = super().invoke(ctx)
        except (MeshError, OSError) as failed:
            answer = refusal(failed)
        if answer is None:
            return
        print_answer(answer, as_json=flags["json"])
        if not answer.success:
            ctx.exit(1)


class MeshGroup(_Program, click.Group):
    """A group of commands; modules named in `modules` are imported when their command is asked for.

    Each such module has its command or group in the attribute `command`.
    """

    command_class = MeshCommand

    def __init__(self, *args: Any, modules: Mapping[str, str] | None = None, **settings: Any) -> None:
        settings.setdefault("context_settings", CONTEXT)
        super().__init__(*args, **settings)
        self._modules = dict(modules or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in alphabetical order."""
        return sorted({*self.commands, *self._modules})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, in any case."""
        name = cmd_name.lower()
        if name in self._modules and name not in self.commands:
            command: click.Command = importlib.import_module(self._modules[name]).command
            self.commands[name] = command
        return super().get_command(ctx, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with; a misspelt one is told with those that are alike."""
        name = args[0]
        if name.lower() == HELP and self.get_command(ctx, HELP) is None:
            return super().resolve_command(ctx, [*args[1:2], "--help"]) if args[1:] else self._told(ctx)
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            alike = difflib.get_close_matches(name.lower(), self.list_commands(ctx), 3, 0.6)
            hint = f" Did you mean {' or '.join(alike)}?" if alike else ""
            ctx.fail(f"There is no command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def _told(self, ctx: click.Context) -> tuple[str | None, click.Command | None, list[str]]:
        click.echo(ctx.get_help())
        ctx.exit()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Common flags that stand before the name of the command move behind it."""
        leading = []
        while args and _flag(args[0]):
            leading.append(args[0])
            args = args[1:]
        return super().parse_args(ctx, [*args[:1], *leading, *args[1:]] if args else leading)


MeshGroup.group_class = MeshGroup


def dashed(args: Sequence[str], params: Iterable[click.Parameter]) -> list[str]:
    """`args` with slash options in dash form; raises click's UsageError for what is no option and no file."""
    options = {name: param for param in params if isinstance(param, click.Option) for name in _names(param)}
    result: list[str] = []
    position = 0
    while position < len(args):
        word = args[position]
        position += 1
        if word == "--":
            return [*result, *args[position - 1 :]]
        match = _SLASH.fullmatch(word)
        name = f"--{match.group(1).lower()}" if match else word
        if match and name in options:
            word = name + (match.group(2) or "")
        elif match and name != "--help" and not Path(word).exists():
            raise click.UsageError(f"No such option: {word}. A path of that name is written after --.")
        elif match and name == "--help":
            word = name
        result.append(word)
        option = options.get(word)
        if option is not None and not option.is_flag and not option.count and position < len(args):
            result.append(args[position])
            position += 1
    return result


def refusal(failed: Exception) -> Answer:
    """The answer of a command that failed: `ERROR - reason` and exit code 1."""
    reason = str(failed)
    if isinstance(failed, OSError) and failed.strerror:
        named = f"{failed.filename}: " if failed.filename else ""
        reason = f"{named}{failed.strerror}"
    first = reason.partition(" ")[0].rstrip(",;:")
    if not isinstance(failed, OSError) and first.isalpha() and not os.path.exists(first):
        reason = reason[:1].upper() + reason[1:]
    reason += "" if reason.endswith((".", "?")) else "."
    return Answer(success=False, members={"Reason": reason})


def usage(wrong: click.ClickException) -> str:
    """What was wrong with the words of a command line, and where help is."""
    reason = " ".join(wrong.format_message().split())
    reason += "" if reason.endswith((".", "?", ")", "]")) else "."
    if not isinstance(wrong, click.UsageError) or wrong.ctx is None:
        return reason
    return f"{reason} `{wrong.ctx.command_path} /help` tells more."


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """The answer on standard output; reasons of failure and notes on standard error unless in JSON."""
    if as_json:
        click.echo(_json(answer.to_json()))
        return
    for line in answer.lines:
        click.echo(shown(line))
    if not answer.success:
        error = "ERROR" if os.environ.get("NO_COLOR") else click.style("ERROR", fg="red", bold=True)
        reason = " ".join(str(answer.members.get("Reason", "The operation failed.")).split())
        click.echo(f"{error} - {shown(reason)}", err=True)
    for note in answer.notes:
        click.echo(shown(note), err=True)


def shown(line: str) -> str:
    """`line` as a terminal may be given it: what does not print is replaced, QR codes are left."""
    if all(_CODE_ROW.fullmatch(row) for row in line.split("\n")):
        return line
    return "".join(letter if letter.isprintable() else _REPLACEMENT for letter in line)


def _json(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    plain = (letter if letter.isprintable() or letter == "\n" else _escaped(letter) for letter in text)
    return "".join(plain)


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2))


def is_verbose() -> bool:
    """Whether /verbose was given to the running command."""
    return bool(click.get_current_context().meta.get("meshman.verbose", False))


def _refuse(reason: str, words: Sequence[str]) -> None:
    as_json = any(word.lower() in ("/json", "--json") for word in words)
    print_answer(Answer(success=False, members={"Reason": reason}), as_json=as_json)


def _names(option: click.Option) -> Iterable[str]:
    return (*option.opts, *option.secondary_opts)


def _flag(word: str) -> bool:
    match = _SLASH.fullmatch(word)
    name = match.group(1).lower() if match and not match.group(2) else word.removeprefix("--")
    return word.startswith(("/", "--")) and name in _COMMON


def _common_flags() -> list[click.Option]:
    return [
        click.Option(["--json"], is_flag=True, help="Print the result as a JSON object."),
        click.Option(["--verbose"], is_flag=True, help="Print more."),
        click.Option(["--report"], is_flag=True, help="Print the result as text (the default)."),
    ]
