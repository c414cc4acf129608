"""`meshservice invite`: a text that lets one account in."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from mathmesh.codec import uri
from mathmesh.dare.content_meta import format_time
from mathmesh.errors import EncodingError
from mathmesh.service.admission import INVITED, Admission
from meshclient.key_file import KeyFile
from meshservice.folder import KEY_FILE

DAYS = 7
DAYS_MOST = 365


def _address(_: click.Context, __: click.Parameter, stated: str | None) -> str | None:
    try:
        return None if stated is None else uri.account_address(stated)
    except EncodingError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("address", required=False, callback=_address)
@click.option(
    "--data",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    required=True,
    help="Folder of the service.",
)
@click.option(
    "--days", type=click.IntRange(1, DAYS_MOST), default=DAYS, show_default=True, help="How long it is good."
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def invite(address: str | None, data: Path, days: int, as_json: bool) -> None:
    """Make an invitation, which lets one account into a service that runs with `--accounts invitation`.

    With ADDRESS it is good for the account at that address only. Nothing is kept of it: it need not be made
    while the service stands still. Hand it to the person, who gives it to `meshman account create`.

    \b
    Example:
      meshservice invite alice@example.com --days 3 --data ~/mesh-service
      meshman account create alice@example.com --invitation N…
    """
    keys = KeyFile.open(data / KEY_FILE).keys
    expires = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
    admission = Admission.of(keys.service_seed, INVITED)
    invitation = admission.invite(expires, entropy=os.urandom, address=address)
    if as_json:
        said = {"invitation": invitation, "address": address, "expires": format_time(expires)}
        click.echo(json.dumps(said))
    else:
        whom = "one account" if address is None else address
        click.echo(f"{invitation}\nIt is good for {whom}, once, until {expires:%Y-%m-%d %H:%M} UTC.")
