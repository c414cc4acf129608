"""`meshman dare`: envelopes, sequences, archives (the reference's commands of the same names, and ours)."""

from __future__ import annotations

import click

from meshclient.meshman.dare_archives import archive, delete, dir_, extract
from meshclient.meshman.dare_earl import earl_
from meshclient.meshman.dare_files import decode, encode, keypair
from meshclient.meshman.dare_proofs import erase, prove, undo
from meshclient.meshman.dare_sequences import append, copy, create, index, list_, log
from meshclient.meshman.dare_verify import verify
from meshclient.meshman.frame import MeshGroup


@click.group("dare", cls=MeshGroup)
def command() -> None:
    """Sealed files (envelopes), logs that cannot be altered unseen (sequences), and archives."""


for _one in (encode, decode, verify, earl_, keypair):
    command.add_command(_one)
for _one in (create, log, append, list_, index, copy):
    command.add_command(_one)
for _one in (archive, delete, dir_, extract, prove, erase, undo):
    command.add_command(_one)
