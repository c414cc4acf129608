"""`meshman mail smime|openpgp sign|encrypt`: keys in the forms that mail programs, gpg and openssl take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mathmesh.schema.application import CatalogedApplicationMail
from meshclient.applications import granting, mail, smime
from meshclient.meshman.applications import FILE, as_of_now, write_new
from meshclient.meshman.frame import Answer, MeshCommand, MeshGroup
from meshclient.meshman.running import Flags, account_flags
from meshclient.meshman.secret_input import read_secret
from meshclient.session import Session

RESULT = "ResultMail"
PEM, P12, CSR = "pem", "p12", "csr"

ADDRESS = click.argument("address", required=False)
OUT = click.option("--file", type=FILE, help="Write it to this file.  [default: print it]")
PRIVATE = click.option("--private", is_flag=True, help="The private key, to a file for its owner alone.")
PASSWORD = click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="The password of a p12 file, in this file's first line.  [default: it is asked for]",
)
FORM = click.option(
    "--format", "form", type=click.Choice((PEM, P12, CSR)), default=PEM, show_default=True,
    help="p12: key and certificate for mail programs; csr: a request to an authority.",
)  # fmt: skip


def find(session: Session, address: str | None) -> CatalogedApplicationMail:
    """The mail account with an address; without one the only account."""
    return granting.find(session, address, CatalogedApplicationMail)


@click.group("smime", cls=MeshGroup)
def smime_() -> None:
    """Keys and certificates for S/MIME."""


@click.group("openpgp", cls=MeshGroup)
def openpgp_() -> None:
    """Keys for OpenPGP."""


def _smime(use: str, help_text: str) -> click.Command:
    def export(
        flags: Flags,
        address: str | None,
        form: str,
        private: bool,
        file: Path | None,
        password_file: Path | None,
    ) -> Answer:
        secret = form == P12 or private
        if secret and file is None:
            raise click.UsageError("A private key goes to a file: name it with /file.")
        password = read_secret("password for the file", None, password_file)[0] if form == P12 else ""

        def step(session: Session) -> Answer:
            entry = find(session, address)
            if not secret and form == PEM:
                return _given(smime.certificate_pem(mail.smime_key(entry, entry, use)).encode(), file)
            data = mail.smime_key(entry, mail.own_keys(session, entry), use)
            if form == CSR:
                return _given(smime.request_pem(data, entry.account_address or "").encode(), file)
            if form == P12:
                return _given(smime.pkcs12_file(data, mail.user_id(entry), password), file, private=True)
            both = smime.private_pem(data) + smime.certificate_pem(data)
            return _given(both.encode(), file, private=True)

        return as_of_now(flags, step)

    options = (ADDRESS, FORM, PRIVATE, OUT, PASSWORD)
    return _command(use, f"mail smime {use} /file {use}.p12 /format p12", help_text, export, options)


def _openpgp(use: str, help_text: str) -> click.Command:
    def export(flags: Flags, address: str | None, private: bool, file: Path | None) -> Answer:
        if private and file is None:
            raise click.UsageError("A private key goes to a file: name it with /file.")

        def step(session: Session) -> Answer:
            entry = find(session, address)
            key = mail.openpgp_key(entry, mail.own_keys(session, entry), encrypt=use == smime.ENCRYPT)
            text = key.secret() if private else key.public()
            return _given(text.encode(), file, private=private)

        return as_of_now(flags, step)

    options = (ADDRESS, PRIVATE, OUT)
    return _command(use, f"mail openpgp {use} /file {use}.asc", help_text, export, options)


def _command(
    name: str, example: str, help_text: str, export: Callable[..., Answer], options: tuple[Any, ...]
) -> click.Command:
    wrapped: Any = account_flags(export)
    for option in reversed(options):
        wrapped = option(wrapped)
    return click.command(name, cls=MeshCommand, example=example, help=help_text)(wrapped)


def _given(content: bytes, file: Path | None, *, private: bool = False) -> Answer:
    if file is None:
        text = content.decode()
        return Answer(lines=text.splitlines(), tag=RESULT, members={"Text": text})
    write_new(file, content, private=private)
    return Answer(lines=[f"File = {file}"], tag=RESULT, members={"File": str(file)})


smime_.add_command(_smime(smime.SIGN, "The certificate for signatures, or with /private its key."))
smime_.add_command(_smime(smime.ENCRYPT, "The certificate for encryption, or with /private its key."))
openpgp_.add_command(_openpgp(smime.SIGN, "The key for signatures alone."))
openpgp_.add_command(_openpgp(smime.ENCRYPT, "The key for signatures with its subkey for encryption."))
