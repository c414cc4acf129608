"""`meshman about`: what this program is and what it runs on."""

from __future__ import annotations

import importlib.metadata
import platform

import click

from meshclient.meshman.frame import Answer, MeshCommand

PACKAGE = "mesh-hub"
PROTOCOL = "3.0"


@click.command("about", cls=MeshCommand, example="about")
def command() -> Answer:
    """Report the version of this program."""
    version = importlib.metadata.version(PACKAGE)
    system = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return Answer(
        lines=[f"meshman of {PACKAGE} {version}", f"Mathematical Mesh {PROTOCOL}", system],
        tag="ResultAbout",
        members={"Program": "meshman", "Version": version, "Protocol": PROTOCOL, "Platform": system},
    )
