"""`meshservice host`: more than one machine that speaks for a service, each with keys of its own."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError, PolicyError
from mathmesh.schema.profile_validation import verify_profile_host
from mathmesh.service.admission import INVITED, Admission
from mathmesh.service.host_grant import HostGrant, grant_host, granted_identity
from mathmesh.service.identity import ServiceIdentity
from meshclient.key_file import KeyFile
from meshservice.folder import KEY_FILE
from meshservice.host_file import HOST_FILE, HostFile

DAYS = 400

_data = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the host."
)
_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group()
def host() -> None:
    """More than one host for a service.

    \b
    Example:
      meshservice host create profile.json --data ~/host-b              # on the new host
      meshservice host add profile.json grant.json --data ~/mesh-service   # where the service's seed is
      meshservice host accept grant.json --data ~/host-b                # on the new host
      meshservice run --data ~/host-b --stores /shared/service --wait --domain example.com
    """


@host.command()
@_file
@_data
def create(file: Path, data: Path) -> None:
    """Make this machine a host of its own, and write its profile into FILE, for the service."""
    if (data / HOST_FILE).exists() or (data / KEY_FILE).exists():
        raise PolicyError(f"{data} is a host or a service already; choose another folder")
    made = HostFile.fresh(os.urandom, datetime.now(UTC))
    made.write(data)
    file.write_bytes(made.profile.to_json())
    click.echo(f"Host {verify_profile_host(made.profile).udf}\nIts profile is in {file}")


@host.command()
@_file
@click.argument("grant", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--days", type=click.IntRange(1), default=DAYS, show_default=True, help="How long it is good.")
@_data
def add(file: Path, grant: Path, days: int, data: Path) -> None:
    """Take in the host whose profile is in FILE, and write what it needs into GRANT.

    Nobody but that host can use the grant. To renew one before it ends, add the host again.
    """
    keys = KeyFile.open(data / KEY_FILE).keys
    identity = ServiceIdentity.from_seed(keys.service_seed, frozenset(), keys.created)
    profile = Envelope.from_bytes(file.read_bytes())
    now = datetime.now(UTC)
    made = grant_host(
        identity,
        profile,
        invitations=Admission.of(keys.service_seed, INVITED).secret,
        entropy=os.urandom,
        now=now,
        expires=(now + timedelta(days=days)).replace(microsecond=0),
    )
    grant.write_bytes(made.encode())
    udf = verify_profile_host(profile).udf
    click.echo(f"Host {udf} speaks for service {identity.profile.udf} for {days} days")


@host.command()
@_file
@_data
def accept(file: Path, data: Path) -> None:
    """Keep the grant in FILE, after checking that it is for this host."""
    try:
        grant = HostGrant.decode(file.read_bytes())
    except EncodingError as error:
        raise EncodingError(f"{file} is no grant: {error}") from error
    before = HostFile.read(data)
    now = datetime.now(UTC)
    identity, _ = granted_identity(grant, before.seed, before.created, frozenset(), now)
    replace(before, grant=grant).write(data)
    click.echo(f"This host speaks for service {identity.profile.udf}")
