"""The command `meshman`. Exit codes: 0 done; 1 refused or failed; 2 wrong usage."""

from __future__ import annotations

import os
import sys

import click

from meshclient.meshman.frame import MeshGroup

TRACE = "MESHMAN_TRACE"

MODULES = {
    "about": "meshclient.meshman.about",
    "account": "meshclient.meshman.account",
    "bookmark": "meshclient.meshman.bookmark",
    "calendar": "meshclient.meshman.calendar",
    "completion": "meshclient.meshman.completion",
    "contact": "meshclient.meshman.contact",
    "dare": "meshclient.meshman.dare",
    "device": "meshclient.meshman.device",
    "group": "meshclient.meshman.group",
    "hash": "meshclient.meshman.hash",
    "key": "meshclient.meshman.key",
    "mail": "meshclient.meshman.mail",
    "message": "meshclient.meshman.message",
    "network": "meshclient.meshman.network",
    "password": "meshclient.meshman.password",
    "ssh": "meshclient.meshman.ssh",
    "vpn": "meshclient.meshman.vpn",
}
"""Each command or group and the module that holds it as `command`."""


@click.command(cls=MeshGroup, modules=MODULES)
@click.version_option(package_name="mesh-hub", prog_name="meshman")
def commands() -> None:
    """Work with the Mathematical Mesh: keys, digests, sealed files, accounts and devices.

    Options are written --name or /name, in any order.
    """


def main() -> None:
    """Entry point. What was not foreseen is told in one line too; MESHMAN_TRACE=1 shows where it happened."""
    try:
        commands.main(prog_name="meshman")
    except Exception as failed:
        if os.environ.get(TRACE):
            raise
        click.echo(
            f"ERROR - This should not happen ({type(failed).__name__}: {failed}); {TRACE}=1 shows where.",
            err=True,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
