"""`meshman ssh create|get|list|delete|setup`: client keys, on the devices that are granted them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mathmesh.errors import KeyUnavailableError, PolicyError
from mathmesh.keys.pair import PrivateKey
from mathmesh.messaging.granting import canonical_roles
from mathmesh.schema.activation import ActivationApplicationSsh
from mathmesh.schema.application import CatalogedApplicationSsh
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.primary_key import primary_key
from mathmesh.stores import CREDENTIAL
from meshclient import offline
from meshclient.applications import granting, renewal, ssh_agent, ssh_files, ssh_hosts
from meshclient.applications.ssh_key import PublicLine, private_file, public_line
from meshclient.meshman.applications import FILE, as_of_now, write_new
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.meshman.running import Flags, account_flags, on_account, role_flags
from meshclient.session import Session

RESULT = "ResultSsh"
DEFAULT_ROLE = "web"


def keys(session: Session) -> list[CatalogedApplicationSsh]:
    """The SSH keys of the account."""
    return granting.of_kind(session, CatalogedApplicationSsh)


def line_of(session: Session, entry: CatalogedApplicationSsh) -> PublicLine:
    """The public key as OpenSSH writes it; the account and the key's name stand behind it."""
    assert entry.client_key is not None  # verified with the entry
    named = f" {entry.local_name}" if entry.local_name else ""
    return public_line(entry.client_key.public_key(), session.address + named)


@click.command("create", cls=MeshCommand, example="ssh create /web")
@click.option("--name", metavar="NAME", help="A friendly name for the key.")
@role_flags
@account_flags
def create(flags: Flags, roles: tuple[str, ...], name: str | None) -> Answer:
    """Make a key. Devices with one of the roles (web if none is given) are given it, now and later."""
    granted = canonical_roles(roles or (DEFAULT_ROLE,))

    async def step(session: Session) -> Answer:
        if name is not None and any((one.local_name or "").lower() == name.lower() for one in keys(session)):
            raise PolicyError(f"there is a key {name} already; choose another name")
        entry, activation = renewal.make_ssh(session, granted, local_name=name)
        given = await granting.add(session, entry, activation)
        answer = _shown(session, [entry])
        return Answer(
            lines=[*answer.lines, f"Devices = {given}"],
            tag=RESULT,
            members={**answer.members, "Devices": given},
        )

    return on_account(flags, step, sync=True)


@click.command("get", cls=MeshCommand, example="ssh get /file id_mesh")
@click.argument("key", required=False)
@click.option("--file", type=FILE, help="Write the private key to this file, the public one beside it.")
@click.option("--agent", is_flag=True, help="Give the private key to the running SSH agent, to no file.")
@click.option("--seconds", type=click.IntRange(1), help="How long the agent keeps it.  [default: for good]")
@account_flags
def get(flags: Flags, key: str | None, file: Path | None, agent: bool, seconds: int | None) -> Answer:
    """Show a key, by its UDF or name, or take it out for OpenSSH. The private key is shown nowhere."""

    def step(session: Session) -> Answer:
        entry = granting.find(session, key, CatalogedApplicationSsh)
        line = line_of(session, entry)
        if file is not None or agent:
            private = _private(session, entry)
            if file is not None:
                write_new(file, private_file(private, line.comment), private=True)
                write_new(file.with_name(file.name + ".pub"), f"{line.text}\n".encode())
            if agent:
                ssh_agent.add(private, line.comment, seconds=seconds)
        answer = _shown(session, [entry])
        written = {"File": str(file)} if file is not None else {}
        lines = [*answer.lines, *(f"{name} = {value}" for name, value in written.items())]
        return Answer(lines=lines, tag=RESULT, members={**answer.members, **written})

    return as_of_now(flags, step)


@click.command("list", cls=MeshCommand, example="ssh list")
@account_flags
def list_(flags: Flags) -> Answer:
    """The keys of the account; `ssh known` lists the servers."""

    async def step(session: Session) -> Answer:
        found = keys(session)
        lines = [
            f"{one.key} {line_of(session, one).fingerprint} {','.join(one.grant or ())}"
            + (f" {one.local_name}" if one.local_name else "")
            for one in found
        ]
        return Answer(lines=lines, tag=RESULT, members={"Keys": [_members(session, one) for one in found]})

    return on_account(flags, step)


@click.command("delete", cls=MeshCommand, example="ssh delete MBAC-…")
@click.argument("name")
@account_flags
def delete(flags: Flags, name: str) -> Answer:
    """Delete a key, by its UDF or name, from all devices; or a server, by its name."""

    async def step(session: Session) -> Answer:
        if any(
            name.lower() in ((one.local_name or "").lower(), (one.key or "").lower()) for one in keys(session)
        ):
            entry = granting.find(session, name, CatalogedApplicationSsh)
            await granting.remove(session, entry)
            notes = ["Servers take it until `meshman ssh client` has run there, or its line is removed."]
            lines = [f"Deleted {entry.key}"]
            return Answer(lines=lines, tag="ResultDelete", members={"Key": entry.key}, notes=notes)
        server = ssh_hosts.find(offline.entries(session, CREDENTIAL).values(), name)
        key = primary_key(server) or ""
        await offline.write(session, CREDENTIAL, [], deletes=[key])
        lines = [f"Deleted {server.service}"]
        return Answer(lines=lines, tag="ResultDelete", members={"Key": key})

    return on_account(flags, step, sync=True)


@click.command("setup", cls=MeshCommand, example="ssh setup")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="[default: ~/.ssh/mesh/ACCOUNT]"
)
@click.option("--agent", is_flag=True, help="Give the private keys to the running SSH agent, to no file.")
@account_flags
def setup(flags: Flags, folder: Path | None, agent: bool) -> Answer:
    """Let OpenSSH on this machine use the account's keys and servers. Run it again after changes."""

    def step(session: Session) -> Answer:
        where = (folder or ssh_files.default_folder() / "mesh" / session.address).absolute()
        found, lacking = [], []
        for entry in keys(session):
            line = line_of(session, entry)
            try:
                private = _private(session, entry)
            except KeyUnavailableError as refused:
                lacking.append(str(refused))
                continue
            if agent:
                ssh_agent.add(private, line.comment)
            found.append(
                ssh_files.ClientKey(
                    public=private.public, private=None if agent else private, comment=line.comment
                )
            )
        servers = ssh_hosts.known_hosts(offline.entries(session, CREDENTIAL).values())
        config = ssh_files.write_client(where, found, servers)
        users = ssh_files.default_folder() / "config"
        notes = list(lacking)
        if not ssh_files.includes(users, config):
            notes.append(f"Put this line at the beginning of {users}: Include {config}")
        lines = [f"Keys = {len(found)}", f"Servers = {len(servers.splitlines())}", f"File = {config}"]
        members: dict[str, Any] = {"Keys": [one.public.udf for one in found], "File": str(config)}
        return Answer(lines=lines, tag=RESULT, members=members, notes=notes)

    return as_of_now(flags, step)


def _private(session: Session, entry: CatalogedApplicationSsh) -> PrivateKey:
    activation = granting.own_activation(session, entry)
    assert isinstance(activation, ActivationApplicationSsh)
    assert isinstance(activation.client_key, KeyData)
    return activation.client_key.private_key()


def _shown(session: Session, entries: list[CatalogedApplicationSsh]) -> Answer:
    lines = []
    for entry in entries:
        line = line_of(session, entry)
        lines += [f"UDF = {entry.key}", f"Fingerprint = {line.fingerprint}", f"Key = {line.text}"]
        lines += [f"Roles = {','.join(entry.grant or ())}"]
    return Answer(lines=lines, tag=RESULT, members={"Keys": [_members(session, one) for one in entries]})


def _members(session: Session, entry: CatalogedApplicationSsh) -> dict[str, Any]:
    line = line_of(session, entry)
    return {
        "UDF": entry.key,
        "LocalName": entry.local_name,
        "Fingerprint": line.fingerprint,
        "Public": line.text,
        "Roles": list(entry.grant or ()),
    }
