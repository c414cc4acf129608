"""`meshman ssh client|host|known`: what servers accept, and which keys they show."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from mathmesh.errors import EncodingError, PolicyError
from mathmesh.keys.pair import generate
from mathmesh.schema.application import CatalogedApplicationSsh
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.stores import CREDENTIAL
from meshclient import offline
from meshclient.applications import granting, ssh_files, ssh_hosts
from meshclient.applications.ssh_key import CURVE, PublicLine, parse_public_line, private_file, public_line
from meshclient.meshman.applications import EXISTING, FILE, as_of_now, write_new
from meshclient.meshman.entries import KEPT
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.meshman.running import Flags, account_flags, on_account
from meshclient.meshman.ssh_keys import RESULT, keys, line_of
from meshclient.private_file import write_private
from meshclient.session import Session

HOST_KEYS = Path("/etc/ssh")
PATTERN = "ssh_host_*_key.pub"


@click.command("client", cls=MeshCommand, example="ssh client /install")
@click.argument("key", nargs=-1)
@click.option(
    "--file", type=FILE, help="Keep the keys in this file authorized_keys; what else is in it stays."
)
@click.option("--install", is_flag=True, help="Keep them in the user's own authorized_keys.")
@account_flags
def client(flags: Flags, key: tuple[str, ...], file: Path | None, install: bool) -> Answer:
    """The keys of the account as lines of authorized_keys: let its devices log in to this machine.

    Run it again, from a timer for instance, so that deleted keys are refused here too.
    """
    if install and file is None:
        file = ssh_files.default_folder() / "authorized_keys"

    def step(session: Session) -> Answer:
        named = [granting.find(session, one, CatalogedApplicationSsh) for one in key]
        chosen = named if key else keys(session)
        lines = [line_of(session, one) for one in chosen]
        members: dict[str, Any] = {"Keys": [line.text for line in lines]}
        if file is None:
            return Answer(lines=[line.text for line in lines], tag=RESULT, members=members)
        changed = ssh_files.authorize(file, session.address, lines)
        said = [f"File = {file}", f"Keys = {len(lines)}", f"Changed = {str(changed).lower()}"]
        return Answer(lines=said, tag=RESULT, members={**members, "File": str(file), "Changed": changed})

    return as_of_now(flags, step)


@click.command("host", cls=MeshCommand, example="ssh host server.example.com ssh_host_ed25519_key.pub")
@click.argument("name", required=False)
@click.argument("files", nargs=-1, type=EXISTING)
@click.option("--port", type=click.IntRange(1, 65535), help="The server's port.  [default: 22]")
@click.option("--known", type=EXISTING, help="Take all servers from this file known_hosts.")
@click.option(
    "--new", "made", type=FILE, help="Make a host key, write it to this file and keep the public one."
)
@click.option("--replace", is_flag=True, help="The server's keys were renewed: forget those it had.")
@account_flags
def host(
    flags: Flags,
    name: str | None,
    files: tuple[Path, ...],
    port: int | None,
    known: Path | None,
    made: Path | None,
    replace: bool,
) -> Answer:
    """Keep the public keys of a server, so that all devices of the account know it.

    Without files those of this machine are taken, without a name its own name.
    """
    if known is not None:
        found = _sorted(ssh_hosts.parse_known_hosts(known.read_text(encoding="utf-8", errors="replace")))
    else:
        server = ssh_hosts.host_name(name or socket.getfqdn(), port)
        found = {server: _new_key(made, server) if made is not None else _public_keys(files)}

    async def step(session: Session) -> Answer:
        before = {one.service: one for one in ssh_hosts.hosts(offline.entries(session, CREDENTIAL).values())}
        written = []
        for server, lines in found.items():
            old = before.get(server)
            if old is not None and not replace and ssh_hosts.differing(old, lines):
                raise PolicyError(
                    f"{server} has other keys than are known; if they were renewed, add /replace"
                )
            entry = ssh_hosts.make_host(server, lines, None if replace else old)
            written += [entry] if entry != old else []
        done = not written or await offline.write(session, CREDENTIAL, written)
        return _servers(written, notes=() if done else (KEPT,))

    return on_account(flags, step)


@click.command("known", cls=MeshCommand, example="ssh known /file known_hosts")
@click.option("--file", type=FILE, help="Write them to this file, in place of what it holds.")
@account_flags
def known(flags: Flags, file: Path | None) -> Answer:
    """The servers that the account knows, as lines of known_hosts."""

    def step(session: Session) -> Answer:
        found = list(ssh_hosts.hosts(offline.entries(session, CREDENTIAL).values()))
        if file is None:
            return _servers(found)
        write_private(file, ssh_hosts.known_hosts(found).encode())
        said = [f"File = {file}", f"Servers = {len(found)}"]
        return Answer(lines=said, tag=RESULT, members={**_servers(found).members, "File": str(file)})

    return as_of_now(flags, step)


def _servers(entries: list[CatalogedCredential], notes: tuple[str, ...] = ()) -> Answer:
    lines = ssh_hosts.known_hosts(entries).splitlines()
    return Answer(lines=lines, tag=RESULT, members={"Servers": lines}, notes=notes)


def _sorted(found: Iterable[tuple[str, PublicLine]]) -> dict[str, list[PublicLine]]:
    result: dict[str, list[PublicLine]] = {}
    for server, line in found:
        result.setdefault(server, []).append(line)
    return result


def _public_keys(files: tuple[Path, ...]) -> list[PublicLine]:
    paths = files or tuple(sorted(HOST_KEYS.glob(PATTERN)))
    if not paths:
        raise PolicyError(f"there is no host key in {HOST_KEYS}; name the files with the public keys")
    lines = []
    for path in paths:
        try:
            lines.append(parse_public_line(path.read_text(encoding="utf-8")))
        except (EncodingError, UnicodeDecodeError):
            raise EncodingError(f"{path} holds no public key of SSH") from None
    return lines


def _new_key(path: Path, server: str) -> list[PublicLine]:
    """Make a host key; the private one is on this machine alone."""
    key = generate(CURVE, os.urandom)
    line = public_line(key.public, server)
    write_new(path, private_file(key, server), private=True)
    write_new(path.with_name(path.name + ".pub"), f"{line.text}\n".encode())
    return [line]
