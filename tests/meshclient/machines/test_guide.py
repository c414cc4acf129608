"""The guide, typed: every line of it is run, and prints what the guide says.

`X…` in the guide stands for a value that begins with X, the same one wherever it stands; a lone `…` for any
text, and a line of it for any lines.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import meshclient.directory
from meshclient import key_source
from meshclient.meshman import frame
from meshclient.meshman.cli import commands
from meshclient.meshman.completion_model import nodes

GUIDE = Path(__file__).parents[3] / "docs" / "meshman.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"(\w+)\$ meshman (.*)")
VALUE = re.compile(r"\b(?:[A-Z2-7]{4}-){4,}[A-Z2-7]{1,4}\b")
CUT = re.compile(r"([A-Z2-7]{4}-)?…")
INPUTS = {"password add": "ftp-secret\n", "network add": "wifi-secret\n"}
RESULT = re.compile(r"^\| `([a-z -]+)` \| (`Result\w*`.*) \|$", re.MULTILINE)
LISTED = re.compile(r"^(\| `([a-z -]+)(?: [A-Z\[\] ]+)?` \| [A-Z].* \|)$", re.MULTILINE)
WHOLE = {"bookmark", "calendar", "contact", "group", "message"}
MORE = """
account hello alice@example.com
account status
account info
account get
account sync
account default alice@example.com
account export copy.dare
account resolve
bookmark get Recipes
bookmark delete Recipes
bookmark import bookmark.html
calendar get Dentist
calendar delete Dentist
calendar import family.ics
contact add dave@example.org /name Dave
contact get dave@example.org
contact delete dave@example.org
contact import friends.vcf
contact list
contact static /qr card.svg
message block mallory@example.org
message unblock mallory@example.org
network get HomeWiFi
network delete HomeWiFi
password list
password delete ftp.example.com
group list
group get family@example.com alice@example.com
hash digest letter.txt
hash mac letter.txt
key nonce
key secret
key earl example.com
dare append diary.dcon letter.txt
dare index diary.dcon
dare copy diary.dcon copy.dcon
dare keypair pair
dare archive archive.dcon letter.txt
dare dir archive.dcon
dare extract archive.dcon out
about
""".strip().splitlines()
FILES = {
    "plan.txt": "What the family plans.\n",
    "letter.txt": "Dear Bob,\n",
    "friends.vcf": "BEGIN:VCARD\nFN:Erin\nEMAIL:erin@example.org\nEND:VCARD\n",
    "family.ics": "BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:Tax\nEND:VTODO\nEND:VCALENDAR\n",
    "bookmark.html": '<!DOCTYPE NETSCAPE-Bookmark-file-1><A HREF="https://example.com/">Example</A>',
}


class Reader:
    """Follows the guide: values that were seen once are known."""

    def __init__(self, meshman: Callable[..., Any]) -> None:
        self._meshman = meshman
        self._known: dict[str, str] = {}

    def type(self, actor: str, line: str) -> list[str]:
        """What a command prints, both streams."""
        words = [CUT.sub(lambda found: self._known[found.group()], word) for word in shlex.split(line)]
        run = self._meshman(actor, words[0], *words[1:], input=INPUTS.get(" ".join(words[:2])))
        assert run.code == (1 if "ERROR - " in run.err or '"Success": false' in run.out else 0), (line, run)
        return [row.rstrip() for row in (run.out + run.err).splitlines()]

    def compare(self, wanted: list[str], printed: list[str], line: str) -> None:
        """The lines of the guide are those that were printed."""
        rows = iter(printed)
        skip = False
        for expected in wanted:
            if expected.strip() == "…":
                skip = True
                continue
            pattern = re.compile(self._pattern(expected))
            for row in rows:
                found = pattern.fullmatch(row)
                if found is not None:
                    self._learn(expected, found)
                    break
                assert skip, (line, expected, row)
            else:
                raise AssertionError((line, expected, printed))
            skip = False
        assert skip or not wanted or next(rows, None) is None, (line, printed)

    def _pattern(self, expected: str) -> str:
        parts, end = [], 0
        for number, found in enumerate(CUT.finditer(expected)):
            parts.append(re.escape(expected[end : found.start()]))
            known = self._known.get(found.group())
            any_text = VALUE.pattern if found.group(1) else ".*"
            parts.append(re.escape(known) if known else f"(?P<v{number}>{any_text})")
            end = found.end()
        return "".join([*parts, re.escape(expected[end:])])

    def _learn(self, expected: str, found: re.Match[str]) -> None:
        for number, cut in enumerate(CUT.finditer(expected)):
            value = found.groupdict().get(f"v{number}")
            if value is not None and cut.group(1):
                self._known[cut.group()] = value


def commands_in(block: str) -> Iterator[tuple[str, str, list[str]]]:
    """The commands of a block with the lines below them."""
    actor = line = ""
    below: list[str] = []
    for row in [*block.splitlines(), "$ end"]:
        match = COMMAND.fullmatch(row)
        if match is None and not row.startswith("$ "):
            below.append(row)
            continue
        if line:
            yield actor, line, below
        actor, line = match.groups() if match is not None else ("", "")
        below = []


@pytest.fixture
def reader(meshman: Callable[..., Any], closed_world: Any, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.setattr(meshclient.directory, "Directory", lambda home: closed_world.directory)
    monkeypatch.setattr(key_source, "utc_now", closed_world.clock)
    for name, content in FILES.items():
        Path(name).write_text(content)
    return Reader(meshman)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_guide_holds(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[str, tuple[str, set[str]]] = {}
    show = frame.print_answer

    def noting(answer: frame.Answer, *, as_json: bool) -> None:
        if answer.success:
            tag, members = answers.setdefault(current, (answer.tag, set()))
            assert tag == answer.tag
            members.update(name for name, value in answer.members.items() if value is not None)
        show(answer, as_json=as_json)

    monkeypatch.setattr(frame, "print_answer", noting)
    guide = GUIDE.read_text()
    for block in BLOCK.findall(guide):
        for actor, line, wanted in commands_in(block):
            current = " ".join(line.split()[:2])
            reader.compare(wanted, reader.type(actor, line), line)
    for line in MORE:
        current = " ".join(line.split()[:2])
        assert not any(row.startswith("ERROR") for row in reader.type("alice", line)), line
    told = dict(RESULT.findall(guide))
    for command, (tag, members) in answers.items():
        assert {tag, *members} <= set(told[command].replace("`", "").replace(",", "").split()), command


def test_the_guide_lists_commands_that_there_are() -> None:
    """What is listed exists; the everyday groups are listed whole, in their own words."""
    lines = {
        path: listed(path, command)
        for node in nodes(commands)
        for path, command in below(node.path)
        if not isinstance(command, click.Group)
    }
    found = LISTED.findall(GUIDE.read_text())
    assert len(found) > 100
    for line, path in found:
        assert path.strip() in lines
        assert line == lines[path.strip()] or path.partition(" ")[0] not in WHOLE
    wanted = {path for path in lines if path.partition(" ")[0] in WHOLE}
    assert wanted <= {path.strip() for _, path in found}


def below(path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """The commands of a group with their paths."""
    group: click.Command | None = commands
    for word in path:
        assert isinstance(group, click.Group)
        group = group.get_command(click.Context(group), word)
    if isinstance(group, click.Group):
        for name in group.list_commands(click.Context(group)):
            command = group.get_command(click.Context(group), name)
            assert command is not None
            yield " ".join((*path, name)), command


def listed(path: str, command: click.Command) -> str:
    """The line of the list of all commands."""
    words = " ".join(
        f"[{one.human_readable_name.upper()}]" if not one.required else one.human_readable_name.upper()
        for one in command.params
        if isinstance(one, click.Argument)
    )
    said = (command.help or "").partition("\n\n")[0]
    return f"| `{f'{path} {words}'.strip()}` | {' '.join(said.split())} |"
