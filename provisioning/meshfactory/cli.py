"""The command `meshfactory`: make devices, run simulated ones, list what was made."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import click

from mathmesh.errors import MeshError
from meshfactory import ledger, publish, simulate, workshop
from meshfactory.product import PRODUCTS

APP_FOLDER = "mesh-hub"


class Failed(click.ClickException):
    """Refused or failed: exit code 1, one line, no traceback."""

    exit_code = 1


def default_data() -> Path:
    """The hub's data folder as the hub itself chooses it."""
    if state := os.environ.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0])
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / APP_FOLDER


data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_data,
    help="Data folder of the hub that is the maker.  [default: ~/.local/share/mesh-hub]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def main() -> None:
    """Make devices for a Mesh hub: identity, publication and label."""


@main.command()
@click.option("--kind", type=click.Choice(sorted(PRODUCTS)), required=True, help="What to make.")
@click.option("--count", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make (with --count: its beginning).")
@click.option("--serial", default="", help="Text printed on the label (with --count: its beginning).")
@click.option(
    "--hail", multiple=True, metavar="URI", help="How the device is found, such as mmm-tcp://HOST:PORT."
)
@data_option
@json_option
def mint(
    kind: str, count: int, out: Path | None, serial: str, hail: tuple[str, ...], data: Path, as_json: bool
) -> None:
    """Make devices: each gets a folder with its flash content and its label as SVG and PNG.

    The label is the key to a free device. It is written once; seed and code are forgotten afterwards.
    """
    out = out or Path(f"{kind}-device")
    numbers = [""] if count == 1 else [f"-{number:03d}" for number in range(1, count + 1)]
    made = []
    quiet = count == 1 or as_json
    with click.progressbar(numbers, label="Making devices", file=sys.stderr, hidden=quiet) as bar:
        for number in bar:
            try:
                made.append(
                    asyncio.run(
                        workshop.make(
                            PRODUCTS[kind],
                            data=data,
                            out=out.with_name(out.name + number),
                            serial=serial + number if serial else "",
                            hailing=hail,
                        )
                    )
                )
            except MeshError as error:
                raise Failed(str(error)) from error
    shown = [
        {
            "udf": one.udf,
            "publication_id": one.publication_id,
            "kind": one.kind,
            "serial": one.serial,
            "maker": one.maker,
            "folder": str(one.folder),
            "label": str(one.folder / "label.png"),
        }
        for one in made
    ]
    if as_json:
        click.echo(json.dumps(shown[0] if count == 1 else shown, indent=2))
        return
    for one in shown:
        click.echo(
            f"{one['kind']} {one['udf']}\n  label {one['label']}\n  flash {one['folder']}/{workshop.FLASH}"
        )


@main.command(name="list")
@data_option
@json_option
def list_made(data: Path, as_json: bool) -> None:
    """List the devices that were made for this hub."""
    made = list(ledger.entries(data / publish.COPIES / workshop.LEDGER))
    if as_json:
        click.echo(json.dumps(made, indent=2))
        return
    for entry in made:
        click.echo(f"{entry['made']}  {entry['kind']:8} {entry['udf']}  {entry['serial']}")


main.add_command(simulate.main, name="simulate")

if __name__ == "__main__":
    main()
