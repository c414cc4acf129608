"""The command `meshfactory`: make devices, run simulated ones, list what was made."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from pathlib import Path

import click

from mathmesh.errors import MeshError
from meshfactory import board, bundle, ledger, publish, simulate, workshop
from meshfactory.product import PRODUCTS

APP_FOLDER = "mesh-hub"
SERIAL_LENGTH = 24
"""Characters that fit on the label."""
HAIL = re.compile(r"mmm-tcp://[^\s/:]+:\d{1,5}")


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


def _check_serial(_context: click.Context, _option: click.Parameter, serial: str) -> str:
    if len(serial) > SERIAL_LENGTH or not serial.isprintable():
        raise click.BadParameter(f"at most {SERIAL_LENGTH} characters that can be printed fit on the label.")
    return serial


def _check_hail(_context: click.Context, _option: click.Parameter, hail: tuple[str, ...]) -> tuple[str, ...]:
    for uri in hail:
        if not HAIL.fullmatch(uri):
            raise click.BadParameter(f"{uri!r} is not of the form mmm-tcp://HOST:PORT.")
    return hail


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mesh-hub", prog_name="meshfactory")
def main() -> None:
    """Make devices for a Mesh hub: identity, publication, label and firmware."""


@main.command(short_help="Make devices: identity, publication and label of each.")
@click.option("--kind", type=click.Choice(sorted(PRODUCTS)), required=True, help="What to make.")
@click.option("--count", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make (with --count: its beginning).")
@click.option(
    "--serial",
    default="",
    callback=_check_serial,
    help="Text printed on the label (with --count: its beginning).",
)
@click.option(
    "--hail",
    multiple=True,
    metavar="URI",
    callback=_check_hail,
    help="How the device is found, such as mmm-tcp://HOST:PORT.",
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
    if not data.is_dir():
        raise Failed(f"There is no hub's data folder {data}: name it with --data.")
    made = list(ledger.entries(data / publish.COPIES / workshop.LEDGER))
    if as_json:
        click.echo(json.dumps(made, indent=2))
        return
    if not made:
        click.echo("No devices were made for this hub. Make one with `meshfactory mint`.")
    for entry in made:
        click.echo(f"{entry['made']}  {entry['kind']:8} {entry['udf']}  {entry['serial']}")


@main.command(name="bundle", short_help="Put the firmware of a board into a folder.")
@click.option("--board", "name", type=click.Choice(board.names()), required=True, help="For which board.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make.  [default: BOARD-firmware]")
@click.option("--py", "sources", is_flag=True, help="The .py sources instead of .mpy.")
@json_option
def make_bundle(name: str, out: Path | None, sources: bool, as_json: bool) -> None:
    """Put the firmware of a board into a folder, as it goes onto the board's file system."""
    out = out or Path(f"{name}-firmware")
    try:
        made = bundle.build(name, compiled=not sources)
        shutil.copytree(made.folder, out)
    except FileExistsError:
        raise Failed(f"{out} exists: choose another name with --out.") from None
    except (OSError, bundle.BundleError) as error:
        raise Failed(f"The firmware cannot be put into {out}: {error}") from error
    if as_json:
        click.echo(json.dumps({"board": name, "version": made.version, "folder": str(out)}, indent=2))
        return
    click.echo(f"Firmware {made.version} for {made.board.title} in {out}")


@main.command(short_help="Press the button of a simulated device.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("gesture", type=click.Choice(simulate.GESTURES), default="single")
def press(folder: Path, gesture: str) -> None:
    """Press the button of the simulated device in FOLDER: once, or as GESTURE says.

    A press opens a free device for 15 minutes; hold10 makes a device free again.
    """
    try:
        device = simulate.SimulatedDevice(simulate.flash_of(folder))
    except simulate.SimulationError as error:
        raise Failed(str(error)) from error
    device.press(gesture)


main.add_command(simulate.main, name="simulate")

if __name__ == "__main__":
    main()
