"""Plays the table and tells, row by row, whether what came is what must come."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.ssh_server import Sshd

from .rows import GROUP_PLAIN, KINDS, OFFLINE, PLAIN, SSH, TABLE, Row
from .world import Printed, World

DOMAINS = ("example.com", "example.net")
_VALUE = re.compile(r"<([a-z0-9_]+):([A-Z]+)>")

Tell = Callable[[str], None]


def play(folder: Path, tell: Tell, sections: Sequence[str] = ()) -> tuple[int, int]:
    """Play all rows in fresh worlds below `folder`; the numbers of rows that passed and failed.

    `sections` ends the play after the last row of these.
    """
    world = World(folder, DOMAINS)
    known: dict[str, str] = {}
    passed = failed = 0
    try:
        world.start()
        (world.files / "plaintext.txt").write_text(PLAIN)
        (world.files / "grouptext.txt").write_text(GROUP_PLAIN)
        table = TABLE
        if Sshd.is_installed():
            _serve_ssh(world, known)
        else:
            tell(f"\nOpenSSH is not installed: {len(SSH)} rows are left out")
            table = tuple(row for row in TABLE if row not in SSH)
        for row in table:
            if _play_row(row, world, known, tell):
                passed += 1
            else:
                failed += 1
        world.stop()
        if _play_row(OFFLINE, world, known, tell):
            passed += 1
        else:
            failed += 1
    finally:
        world.stop()
    return passed, failed


def _serve_ssh(world: World, known: dict[str, str]) -> None:
    server = world.start_sshd()
    (world.files / "sshd.port").write_text(str(server.port))
    known["sshd"] = server.name
    known["sshd_key"] = str(server.host_key)
    known["sshd_authorized"] = str(server.authorized)


def _play_row(row: Row, world: World, known: dict[str, str], tell: Tell) -> bool:
    try:
        words = row.words(known)
    except KeyError as missing:
        tell(f"\n[{row.section}] {row.actor}> {row.command}\n  FAILED: {missing} was never seen")
        return False
    printed = world.run(row.actor, words)
    wrong = faults(row, printed, world.files, known)
    tell(f"\n[{row.section}] {row.actor}> meshman {' '.join(words)}")
    for line in printed.text.splitlines():
        tell(f"  {line}")
    verdict = "passed" if not wrong else "FAILED: " + "; ".join(wrong)
    tell(f"  -- {verdict} ({printed.seconds:.1f} s)")
    return not wrong


def faults(row: Row, printed: Printed, files: Path, known: dict[str, str]) -> list[str]:
    """What is wrong with what a command printed and did; values that were seen go into `known`."""
    wrong = []
    if printed.code != row.code:
        wrong.append(f"exit code {printed.code}, not {row.code}")
    position = 0
    for pattern in row.seen:
        expression = _expression(pattern, known)
        found = re.compile(expression, re.MULTILINE).search(
            printed.text, position if "Share" in pattern else 0
        )
        if found is None:
            wrong.append(f"nothing like {pattern.strip()!r}")
            continue
        position = found.end()
        known.update({name: value for name, value in found.groupdict().items() if name not in known})
    wrong += [f"{text!r} was printed" for text in row.unseen if text in printed.text]
    wrong += [problem for read in row.reads if (problem := read(files, printed.text)) is not None]
    wrong += [problem for check in row.checks if (problem := check(files)) is not None]
    return wrong


def _expression(pattern: str, known: dict[str, str]) -> str:
    """The regular expression of a pattern; brackets of passwords and dots of addresses are themselves."""
    parts = []
    end = 0
    for match in _VALUE.finditer(pattern):
        parts.append(_literal(pattern[end : match.start()]))
        name, kind = match.groups()
        parts.append(re.escape(known[name]) if name in known else f"(?P<{name}>{KINDS[kind]})")
        end = match.end()
    return "".join([*parts, _literal(pattern[end:])])


def _literal(text: str) -> str:
    """`.*`, `^`, `$` and `[Xx]` keep their meaning, everything else is itself; spaces match any number."""
    escaped = re.sub(r"\\\[([A-Za-z])([a-z])\\\]", r"[\1\2]", re.escape(text))
    escaped = escaped.replace(r"\.\*", ".*").replace(r"\^", "^").replace(r"\$", "$")
    return escaped.replace(r"\ ", r"\s+")
