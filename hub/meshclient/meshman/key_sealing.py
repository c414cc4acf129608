"""`meshman key seal` and `key unseal`: how a file with this machine's keys is kept."""

from __future__ import annotations

from pathlib import Path

import click

from mathmesh.errors import StoreError
from meshclient.key_file import KeyFile
from meshclient.keyrings.file import FileKeyring
from meshclient.keyrings.sealer import SEALERS, sealer
from meshclient.meshman.frame import Answer, MeshCommand

TAG = "ResultSeal"
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
BACKUP = "Without this hardware the file opens no more: keep shares of its secrets elsewhere."


@click.command("seal", cls=MeshCommand, example="key seal keys.json /with=tpm2")
@FILE
@click.option(
    "--with",
    "kind",
    type=click.Choice([*SEALERS], case_sensitive=False),
    default="tpm2",
    show_default=True,
    help="The hardware.",
)
def seal(file: Path, kind: str) -> Answer:
    """Seal a key file or keyring by hardware, so that a copy of it opens nowhere else.

    The program that uses the file must not run meanwhile. A token is set by MESH_PKCS11_MODULE,
    MESH_PKCS11_TOKEN and MESH_PKCS11_PIN_FILE, another TPM than this machine's by TPM2TOOLS_TCTI.
    """
    opened = _open(file)
    if opened.sealed_by is not None:
        raise StoreError(f"{file} is sealed by {opened.sealed_by} already; unseal it first")
    opened.seal(sealer(kind.lower()))
    return _answer(file, opened.sealed_by, [BACKUP])


@click.command("unseal", cls=MeshCommand, example="key unseal keys.json")
@FILE
def unseal(file: Path) -> Answer:
    """Keep a sealed key file or keyring in clear again, readable by its owner alone."""
    opened = _open(file)
    if opened.sealed_by is None:
        raise StoreError(f"{file} is not sealed")
    opened.unseal()
    return _answer(file, None, [])


def _open(file: Path) -> KeyFile | FileKeyring:
    try:
        return FileKeyring.open(file)
    except StoreError:
        return KeyFile.open(file)


def _answer(file: Path, sealed_by: str | None, notes: list[str]) -> Answer:
    state = f"Sealed by {sealed_by}" if sealed_by else "In clear, mode 0600"
    return Answer(
        lines=[f"{file}: {state}"], tag=TAG, members={"File": str(file), "SealedBy": sealed_by}, notes=notes
    )
