"""`meshman ssh`: SSH keys of the account for the system's OpenSSH, and the servers whose keys it knows."""

from __future__ import annotations

import click

from meshclient.meshman.frame import MeshGroup
from meshclient.meshman.ssh_keys import create, delete, get, list_, setup
from meshclient.meshman.ssh_servers import client, host, known


@click.group("ssh", cls=MeshGroup)
def command() -> None:
    """SSH keys that the devices of an account share, and the servers it knows."""


for _one in (create, get, list_, delete, setup, client, host, known):
    command.add_command(_one)
