"""`meshman completion`: the words of a command line completed by the shell."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Sequence

import click

from mathmesh.errors import MeshError
from mathmesh.schema.cataloged import (
    CatalogedBookmark,
    CatalogedContact,
    CatalogedCredential,
    CatalogedNetwork,
    CatalogedTask,
)
from mathmesh.schema.contact import Contact
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.service.client import Transport
from mathmesh.service.credentials import Credentials
from mathmesh.stores import BOOKMARK, CONTACT, CREDENTIAL, NETWORK, TASK
from meshclient.machine import Machine, default_home
from meshclient.meshman.completion_model import nodes
from meshclient.meshman.completion_scripts import SHELLS, script
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.session import Session
from meshclient.unreachable import ServiceUnreachable

ALARM_SECONDS = 4.0
"""Whoever pressed a key does not wait longer for names, such as while another program uses the account."""
NAMES = "names"


@click.command("completion", cls=MeshCommand, example="completion bash")
@click.argument("shell", type=click.Choice([*SHELLS, NAMES], case_sensitive=False))
@click.argument("kind", required=False)
@click.pass_context
def command(ctx: click.Context, shell: str, kind: str | None) -> Answer:
    """Print the script by which bash, zsh or fish complete words of meshman.

    \b
    bash: meshman completion bash > ~/.local/share/bash-completion/completions/meshman
    zsh:  meshman completion zsh > a folder of $fpath, as _meshman
    fish: meshman completion fish > ~/.config/fish/completions/meshman.fish

    The script asks `completion names KIND` for names of entries.
    """
    if shell == NAMES:
        names = sorted(set(_names(kind or "")), key=str.casefold)
        return Answer(lines=names, tag="ResultCompletion", members={"Names": names})
    text = script(shell, nodes(ctx.find_root().command))
    return Answer(lines=text.splitlines(), tag="ResultCompletion", members={"Script": text})


def _names(kind: str) -> list[str]:
    """The names of a kind on this machine; none rather than an error, and nobody is asked for them."""
    before = signal.signal(signal.SIGALRM, lambda *_: os._exit(1))
    rest, _ = signal.setitimer(signal.ITIMER_REAL, ALARM_SECONDS)
    try:
        machine = Machine(default_home())
        if kind == "account":
            found = machine.contexts()
            return [name for one in found for name in (one.keys.address, one.keys.local_name) if name]
        return [name for name in _stored(machine, kind) if name.isprintable()]
    except (MeshError, OSError):
        return []
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, rest)


def _stored(machine: Machine, kind: str) -> Sequence[str]:
    import asyncio

    from meshclient.context import utc_now
    from meshclient.session import opened

    if kind not in _KINDS:
        return []

    async def step() -> Sequence[str]:
        file = machine.select()
        with opened(machine, file, _NoServices(), entropy=os.urandom, clock=utc_now) as session:
            await session.context.unlock()
            return [name for name in _KINDS[kind](session) if name]

    return asyncio.run(step())


class _NoServices:
    """A `ServiceDirectory` without services, for what is to be read here or not at all."""

    def stranger(self, address: str) -> Transport:
        """None is reached."""
        return self

    def caller(self, address: str, credentials: Credentials) -> Transport:
        """None is reached."""
        return self

    def known_domains(self) -> Iterable[str]:
        """None."""
        return ()

    async def close(self) -> None:
        """Nothing is open."""

    async def exchange(self, request: bytes) -> bytes:
        """Refused."""
        raise ServiceUnreachable("names are completed from what is on this machine")


def _entries(session: Session, store: str) -> Iterable[MeshObject]:
    from meshclient import offline

    return offline.entries(session, store).values()


def _contacts(session: Session) -> Iterable[str | None]:
    for entry in _entries(session, CONTACT):
        if isinstance(entry, CatalogedContact) and isinstance(entry.contact, Contact):
            yield from (one.address for one in entry.contact.network_addresses or ())


def _messages(session: Session) -> Iterable[str | None]:
    from mathmesh.stores import INBOUND

    return [envelope.content_meta.unique_id for _, envelope in session.context.spooled(INBOUND)]


def _devices(session: Session) -> Iterable[str | None]:
    from meshclient import devices

    return [name for one in devices.listed(session) for name in (one.local_name, one.device_udf)]


def _groups(session: Session) -> Iterable[str | None]:
    from meshclient import groups

    return [groups.address_of(entry) for entry in groups.listed(session)]


_KINDS: dict[str, Callable[[Session], Iterable[str | None]]] = {
    "bookmark": lambda session: [
        one.title or one.uri for one in _entries(session, BOOKMARK) if isinstance(one, CatalogedBookmark)
    ],
    "calendar": lambda session: [
        one.title for one in _entries(session, TASK) if isinstance(one, CatalogedTask)
    ],
    "contact": _contacts,
    "device": _devices,
    "group": _groups,
    "message": _messages,
    "network": lambda session: [
        one.service for one in _entries(session, NETWORK) if isinstance(one, CatalogedNetwork)
    ],
    "password": lambda session: [
        one.service for one in _entries(session, CREDENTIAL) if isinstance(one, CatalogedCredential)
    ],
}
