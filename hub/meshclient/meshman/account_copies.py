"""`meshman account export` and `account import`: what a machine keeps of an account, in a sealed file."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from mathmesh.dare.envelope import Envelope
from mathmesh.dare.locator import open_located, seal_located
from mathmesh.keys import symmetric
from meshclient.context_file import decode_keys, encode_keys
from meshclient.machine import Machine
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.meshman.running import Flags, account_flags, home_flag
from meshclient.output_file import OutputFile

KEY_OCTETS = 32
STANDARD_INPUT = "-"
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("export", cls=MeshCommand, example="account export alice.dare")
@click.argument("file", type=_FILE)
@account_flags
def export(flags: Flags, file: Path) -> Answer:
    """Write the keys of the account on this machine to a sealed file, and print the key that opens it.

    Whoever has both is this device: keep them apart, and use them on one machine at a time.
    """
    keys = flags.machine.select(flags.account).keys
    key = symmetric.new_key(os.urandom, KEY_OCTETS)
    sealed = seal_located(json.dumps(encode_keys(keys)).encode(), key, entropy=os.urandom)
    with OutputFile(file, private=True) as out:
        out.write(sealed.to_json())
        out.commit()
    members = {"Account": keys.address, "File": str(file), "Key": key}
    return Answer(lines=[f"File={file}", f"Key={key}"], tag="ResultExport", members=members)


@click.command("import", cls=MeshCommand, example="account import alice.dare -")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("key")
@home_flag
def import_(machine: Machine, file: Path, key: str) -> Answer:
    """Take in an account that was exported; KEY `-` reads the key from standard input."""
    secret = sys.stdin.read().strip() if key == STANDARD_INPUT else key
    content = open_located(Envelope.from_bytes(file.read_bytes()), secret).content
    keys = machine.add(decode_keys(json.loads(content))).keys
    members = {"Account": keys.address, "UDF": keys.id}
    return Answer(lines=[f"Account={keys.address}", f"UDF={keys.id}"], tag="ResultImport", members=members)
