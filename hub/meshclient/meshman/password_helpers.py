"""Helpers that git and ssh run: `git-credential-mesh` and `mesh-askpass`, and the commands behind them.

    git config --global credential.helper mesh
    export SSH_ASKPASS=mesh-askpass SSH_ASKPASS_REQUIRE=force

Secrets come and go through pipes only.
"""

from __future__ import annotations

import getpass
import sys

import click

from mathmesh.stores import CREDENTIAL
from meshclient import offline
from meshclient.applications import askpass as questions
from meshclient.applications import git_credential
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.meshman.running import Flags, account_flags, on_account
from meshclient.session import Session

RESULT = "ResultCredential"


@click.command("git-helper", cls=MeshCommand, example="password git-helper get")
@click.argument("operation")
@account_flags
def git_helper(flags: Flags, operation: str) -> Answer:
    """Answer git, which sends its question on standard input: get, store or erase.

    To use it: git config --global credential.helper mesh
    """
    if operation not in (git_credential.GET, git_credential.STORE, git_credential.ERASE):
        return Answer(tag=RESULT)  # what a later git may ask; gitcredentials(7) says to pass it over
    request = git_credential.parse_request(sys.stdin.read(git_credential.MAXIMUM_INPUT + 1))

    async def step(session: Session) -> Answer:
        held = offline.entries(session, CREDENTIAL).values()
        if operation == git_credential.GET:
            lines = git_credential.answer(request, held).splitlines()
            members = dict(line.split("=", 1) for line in lines)
            return Answer(lines=lines, tag=RESULT, members=members)
        made = git_credential.stored(request, held) if operation == git_credential.STORE else None
        gone = git_credential.erased(request, held) if operation == git_credential.ERASE else []
        if made is not None or gone:
            await offline.write(session, CREDENTIAL, [made] if made is not None else [], deletes=gone)
        return Answer(tag=RESULT, members={"Stored": made is not None, "Erased": len(gone)})

    return on_account(flags, step)


@click.command("askpass", cls=MeshCommand, example="""password askpass "alice@host's password: " """)
@click.argument("prompt")
@account_flags
def askpass(flags: Flags, prompt: str) -> Answer:
    """Answer a question of ssh or git; a person is asked on the terminal what is not kept.

    To use it: export SSH_ASKPASS=mesh-askpass SSH_ASKPASS_REQUIRE=force
    """
    question = questions.parse(prompt)

    async def step(session: Session) -> Answer:
        assert question is not None
        found = questions.answer(question, offline.entries(session, CREDENTIAL).values())
        return Answer(lines=[found] if found else [], tag=RESULT, members={"Answer": found})

    answer = on_account(flags, step) if question is not None else Answer(tag=RESULT)
    if answer.lines:
        return answer
    found = _ask_person(prompt)
    if found is None:
        reason = "there is no answer to this among the passwords, and no terminal to ask on"
        return Answer(tag=RESULT, success=False, members={"Reason": reason})
    return Answer(lines=[found], tag=RESULT, members={"Answer": found})


def _ask_person(prompt: str) -> str | None:
    """What a person types on the terminal, unseen unless the question is one of yes and no."""
    try:
        with open("/dev/tty", "r+", encoding="utf-8", buffering=1) as terminal:
            if "yes/no" not in prompt:
                return getpass.getpass(prompt, stream=terminal)
            terminal.write(prompt)
            return terminal.readline().rstrip("\n")
    except (OSError, EOFError):
        return None


def git_credential_mesh() -> None:
    """Entry point of `git-credential-mesh OPERATION`."""
    _run("git-helper")


def mesh_askpass() -> None:
    """Entry point of `mesh-askpass PROMPT`."""
    _run("askpass")


def _run(name: str) -> None:
    from meshclient.meshman import cli

    options, words = sys.argv[1:-1], sys.argv[-1:]
    sys.argv[1:] = ["password", name, *options, "--", *words]
    cli.main()
