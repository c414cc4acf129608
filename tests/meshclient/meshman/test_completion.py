"""Completion in real shells: bash always, zsh and fish where they are installed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from meshclient.meshman.cli import commands
from meshclient.meshman.completion_model import nodes

ENTRIES = ["bob@example.com", "carol@example.net", "bo $(touch pwned) `touch pwned`"]
CASES = {
    "meshman da": ["dare"],
    "meshman dare e": ["earl", "encode", "erase", "extract"],
    "meshman DARE enc": ["encode"],
    "meshman /json hash u": ["udf"],
    "meshman dare encode --enc": ["--encrypt"],
    "meshman dare encode /enc": ["/encrypt"],
    "meshman dare encode /ENC": ["/encrypt"],
    "meshman dare encode lett": ["letter.txt"],
    "meshman dare encode letter.txt /encrypt ca": ["carol@example.net"],
    "meshman dare encode letter.txt /encrypt lett": ["letter.txt"],
    "meshman dare encode /encrypt carol@example.net letter.txt /al": ["/alg"],
    "meshman contact get ca": ["carol@example.net"],
    "meshman message confirm ca": ["carol@example.net"],
    "meshman completion f": ["fish"],
    "meshman nothing x": [],
    "meshman about x": [],
}
BASH = """
meshman() { cat entries; }
while IFS= read -r COMP_LINE; do
  COMP_POINT=${#COMP_LINE}; COMPREPLY=(); _meshman
  (IFS='|'; printf '%s\\n' "${COMPREPLY[*]}")
done
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "letter.txt").touch()
    (tmp_path / "entries").write_text("".join(f"{one}\n" for one in ENTRIES))
    return tmp_path


def scripted(meshman: Any, shell: str, folder: Path) -> Path:
    """The script that the program prints, in a file."""
    path = folder / f"completion.{shell}"
    path.write_text(meshman(f"completion {shell}").out)
    return path


def test_words_in_bash(meshman: Any, folder: Path) -> None:
    script = scripted(meshman, "bash", folder)
    lines = "".join(f"{line}\n" for line in [*CASES, "meshman contact get bo"])
    done = subprocess.run(
        ["bash", "--norc", "-c", f". {script}; {BASH}"],
        input=lines,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *found, entries = [line.split("|") if line else [] for line in done.stdout.splitlines()]
    assert dict(zip(CASES, found, strict=True)) == CASES
    assert entries == ["bob@example.com", r"bo\ \$\(touch\ pwned\)\ \`touch\ pwned\`"]
    assert not (folder / "pwned").exists()


def typed(folder: Path, program: list[str], start: str, line: str, wanted: str) -> str:
    """What an interactive shell on a terminal shows when `line` and the key Tab are pressed."""
    terminal, inner = pty.openpty()
    settings = {**os.environ, "HOME": str(folder), "TERM": "dumb", "PS1": "% "}
    shell = subprocess.Popen(
        program, cwd=folder, env=settings, stdin=inner, stdout=inner, stderr=inner, start_new_session=True
    )
    os.close(inner)
    shown = ""
    try:
        os.write(terminal, f"{start}\necho rea''dy\n".encode())
        for until, then in (("ready\r", line + "\t"), (wanted, None)):
            end = time.monotonic() + 20
            while until not in shown and time.monotonic() < end:
                if select.select([terminal], [], [], 0.2)[0]:
                    shown += os.read(terminal, 65536).decode(errors="replace")
            if then is not None:
                shown = ""
                os.write(terminal, then.encode())
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)
    return shown


@pytest.mark.parametrize("line", ["meshman passw", "meshman password ge", "meshman dare encode /encr"])
def test_a_key_is_pressed_in_bash(meshman: Any, folder: Path, line: str) -> None:
    script = scripted(meshman, "bash", folder)
    wanted = {"passw": "password ", "ge": "get", "/encr": "/encrypt "}[line.split()[-1]]
    assert wanted in typed(folder, ["bash", "--norc", "--noprofile", "-i"], f". {script}", line, wanted)


def test_a_key_is_pressed_in_zsh(meshman: Any, folder: Path) -> None:
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed")
    script = scripted(meshman, "zsh", folder)
    start = f"autoload -U compinit; compinit -u -D; meshman() {{ cat entries; }}; . {script}"
    for line, wanted in (("meshman dare enc", "encode"), ("meshman contact get /j", "/json")):
        assert wanted in typed(folder, ["zsh", "-f", "-i"], start, line, wanted)


def test_words_in_fish(meshman: Any, folder: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    script = scripted(meshman, "fish", folder)
    asked = "function meshman; cat entries; end; source {}; complete -C '{}' | string replace -r '\\t.*' ''"
    for line, wanted in CASES.items():
        done = subprocess.run(
            ["fish", "--no-config", "-c", asked.format(script, line)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.stderr == ""
        assert sorted(done.stdout.splitlines()) == wanted, line


def test_the_script_knows_every_command(meshman: Any) -> None:
    told = [node for node in nodes(commands) if node.path]
    assert len(told) > 100
    for shell in ("bash", "zsh", "fish"):
        text = meshman(f"completion {shell}").out
        for node in told:
            assert f"'{' '.join(node.path)}'" in text
    kinds = {kind for node in told for kind in node.arguments if kind.startswith("names:")}
    assert kinds == {f"names:{one}" for one in (
        "account", "bookmark", "calendar", "contact", "device", "group", "message", "network", "password",
    )}  # fmt: skip


def test_names_of_nothing(tmp_path: Path) -> None:
    """A machine without account, and a kind that there is not: no names, and no error either."""
    for kind in ("password", "account", "nothing", ""):
        done = subprocess.run(
            [sys.executable, "-m", "meshclient.meshman.cli", "completion", "names", kind],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**os.environ, "MESHMAN_HOME": str(tmp_path)},
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
