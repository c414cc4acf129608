import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from meshclient import qr
from meshclient.meshman.cli import MODULES, commands
from meshclient.meshman.frame import Answer, MeshCommand, MeshGroup, dashed, print_answer, shown

PARAMS = [
    click.Option(["--encrypt"]),
    click.Option(["--sign"], multiple=True),
    click.Option(["--web"], is_flag=True),
    click.Option(["--json"], is_flag=True),
]

LINES = [
    ("/encrypt=bob file", "--encrypt=bob file"),
    ("/encrypt bob file /web", "--encrypt bob file --web"),
    ("file /ENCRYPT=Bob@Example.COM", "file --encrypt=Bob@Example.COM"),
    ("--encrypt=bob /web /json", "--encrypt=bob --web --json"),
    ("/encrypt /json file", "--encrypt /json file"),
    ("/encrypt=/web file", "--encrypt=/web file"),
    ("-- /web /absent", "-- /web /absent"),
    ("/usr/web ./web /no/such/file /file.dare", "/usr/web ./web /no/such/file /file.dare"),
    ("/help", "--help"),
    ("/usr /web", "/usr --web"),
]


@pytest.mark.parametrize(("given", "read"), LINES)
def test_slash_options(given: str, read: str) -> None:
    assert dashed(given.split(), PARAMS) == read.split()


@pytest.mark.parametrize("word", ["/encypt=bob", "/Web2", "/w", "/encrypt-to"])
def test_a_misspelt_option_is_not_taken_for_a_file(word: str) -> None:
    with pytest.raises(click.UsageError, match="No such option"):
        dashed(["file", word], PARAMS)


def commands_below(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found += commands_below(inner, (*path, name))
    return found


@pytest.mark.parametrize("path", commands_below(commands))
def test_every_command_has_help_with_an_example_and_json(meshman: Any, path: tuple[str, ...]) -> None:
    for words in ([*path, "--help"], [*path, "/help"], [*path, "-h"]):
        run = meshman(words)
        assert run.code == 0
        text = " ".join(run.out.split())
        assert f"Example: meshman {' '.join(path)}" in text
        assert "--json" in text


def test_every_module_holds_what_its_name_says() -> None:
    context = click.Context(commands)
    for name in MODULES:
        command = commands.get_command(context, name)
        assert command is not None
        assert command.name == name


def test_an_unknown_command(meshman: Any) -> None:
    for words in ("hush", "hash ufd f", "hash"):
        assert meshman(words).code == 2


def test_about(meshman: Any) -> None:
    assert meshman("about").lines[0].startswith("meshman of mesh-hub ")
    assert meshman("/json about").json() == meshman("about --json").json() == meshman("ABOUT /Json").json()
    assert meshman("about").out == meshman("/report about").out


def test_an_answer_becomes_text_or_an_object(meshman: Any, capsys: pytest.CaptureFixture[str]) -> None:
    group = MeshGroup("probe")

    @group.command("ask", example="ask")
    def ask() -> Answer:
        return Answer(lines=["yes"], tag="ResultAsk", members={"Said": "yes", "Not": None}, notes=["perhaps"])

    @group.command("fail", example="fail")
    def fail() -> Answer:
        raise FileNotFoundError(2, "No such file or directory", "absent")

    def run(*args: str) -> int:
        with pytest.raises(SystemExit) as ended:
            group.main(list(args), prog_name="probe")
        return int(ended.value.code or 0)

    assert isinstance(group.commands["ask"], MeshCommand)
    assert run("ask") == 0
    assert capsys.readouterr() == ("yes\n", "perhaps\n")
    assert run("ask", "/json") == 0
    made = {"ResultAsk": {"Success": True, "Said": "yes", "Notes": ["perhaps"]}}
    assert json.loads(capsys.readouterr().out) == made
    assert run("fail") == 1
    assert capsys.readouterr() == ("", "ERROR - absent: No such file or directory.\n")
    assert run("/json", "fail") == 1
    assert json.loads(capsys.readouterr().out)["Result"]["Success"] is False


def test_the_program_itself(tmp_path: Path) -> None:
    """The module as a process: exit codes, and no traceback for what nobody foresaw."""

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "meshclient.meshman.cli", *args]
        return subprocess.run(program, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)

    assert run("about").returncode == 0
    (tmp_path / "folder").mkdir()
    refused = run("hash", "udf", "folder/absent")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "ERROR - folder/absent: No such file or directory.\n"
    assert run("hash", "udf", "folder").returncode == 2
    assert run("hash").returncode == 2


def test_texts_of_others_do_not_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b]0;title\x07b\r\nERROR - c\u202ed\x9b31m"
    answer = Answer(lines=[hostile], members={"Text": hostile}, notes=[hostile])
    print_answer(answer, as_json=False)
    out, err = capsys.readouterr()
    assert out == err == "a\ufffd]0;title\ufffdb\ufffd\ufffdERROR - c\ufffdd\ufffd31m\n"
    print_answer(answer, as_json=True)
    out, _ = capsys.readouterr()
    assert json.loads(out)["Result"]["Text"] == hostile
    assert all(letter.isprintable() for letter in out.replace("\n", ""))


def test_a_code_is_shown_as_it_is() -> None:
    code = qr.terminal("mcu://alice@example.com/ADKW-K2ZB-PPZM-ECG4-P3NQ-UN4K-XI")
    assert shown(code) == code
    assert shown(code + "\nx") != code + "\nx"


def test_colours_are_for_terminals() -> None:
    """A command that fails, on a terminal of its own."""

    def printed(**environment: str) -> bytes:
        reader, terminal = pty.openpty()
        program = [sys.executable, "-m", "meshclient.meshman.cli", "hush"]
        plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        done = subprocess.run(program, stderr=terminal, timeout=60, check=False, env={**plain, **environment})
        os.close(terminal)
        assert done.returncode == 2
        text = os.read(reader, 4096)
        os.close(reader)
        return text

    assert printed().startswith(b"\x1b[31m\x1b[1mERROR\x1b[0m - There is no command")
    assert printed(NO_COLOR="1").startswith(b"ERROR - There is no command")


def test_an_unknown_word_is_told_with_those_alike(meshman: Any) -> None:
    told = meshman("hash ufd f").err
    assert told.startswith("ERROR - There is no command 'ufd'. Did you mean udf? `meshman hash /help`")
    assert meshman("hash ufd f /json").json()["Result"]["Success"] is False
    assert "Did you mean" in meshman("hash udf f --expct=x").err
