"""The command `add`: follow an adoption and ask whether the right device blinks."""

import base64
import os
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from meshhub.cli_client import HubClient, Refused
from meshhub.cli_output import client, common_options, place, print_json

MAX_PICTURE_OCTETS = 10 * 1024 * 1024
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif"})
POLL_SECONDS = 0.2
MARKS = {"done": "[green]✓[/green]", "failed": "[red]✗[/red]"}


@click.command(short_help="Add a device by the code on its label, or a picture of it.")
@click.argument("code", nargs=-1, metavar="CODE|IMAGE")
@click.option("--at", metavar="HOST:PORT", help="Address of the device, when it is not found by itself.")
@click.option("--yes", is_flag=True, help="Answer the question whether the right device blinks with yes.")
@click.option("--name", help="Name of the device.")
@click.option("--room", help="Room of the device.")
@common_options
def add(
    code: tuple[str, ...],
    at: str | None,
    yes: bool,
    name: str | None,
    room: str | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Add a device by the code on its label, or by a picture of the label.

    CODE is the 26 characters under the label's code or its whole mcu:// text; spaces, dashes and case do not
    matter. Without CODE it is asked for, with "-" it is read from standard input: then it is seen by no other
    user of this machine.
    """
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("Without a terminal to ask on, give --yes.")
    hub = client(data)
    label = _label(" ".join(code).strip())
    adoption = hub.post("/api/add", **label, at=at, yes=yes or None, name=name, room=room)
    quiet = as_json and not sys.stderr.isatty()  # standard error is for the error's JSON alone then
    adoption = _follow(hub, adoption, Console(stderr=True, highlight=False, quiet=quiet))
    if adoption["state"] == "failed":
        raise Refused({**adoption, "kind": adoption.get("kind", "not-added")})
    if as_json:
        print_json(adoption)
        return
    device = hub.get(f"/api/devices/{adoption['device']}") if adoption.get("device") else None
    click.echo(f"Added {place(device)}." if device else "Added.")


def _label(given: str) -> dict[str, str]:
    """The code or the picture, as the API takes it."""
    if not given:
        if not sys.stdin.isatty():
            raise click.UsageError("Give the code or a picture, or - to read the code from standard input.")
        return {"code": str(click.prompt("Code on the label", err=True))}
    if given == "-":
        code = sys.stdin.readline().strip()
        if not code:
            raise click.UsageError("No code came on standard input.")
        return {"code": code}
    path = Path(given)
    meant = os.sep in given or path.suffix.lower() in PICTURES
    if given.lower().startswith("mcu:") or not (meant or path.is_file()):
        return {"code": given}
    if not path.is_file():
        reason = "is a folder: name the picture in it" if path.is_dir() else "is not there"
        raise Refused({"error": f"{given} {reason}.", "kind": "no-file"})
    try:
        if path.stat().st_size > MAX_PICTURE_OCTETS:
            raise Refused({"error": f"{given} is larger than 10 MB.", "kind": "image-too-large"})
        return {"image": base64.b64encode(path.read_bytes()).decode()}
    except OSError as failed:
        raise Refused({"error": f"{given} cannot be read: {failed.strerror}.", "kind": "no-file"}) from None


def _follow(hub: HubClient, adoption: dict[str, Any], screen: Console) -> dict[str, Any]:
    """Show the steps until the adoption ends."""
    shown = 0
    with screen.status("") as status:
        while True:
            while shown < len(adoption["steps"]) and adoption["steps"][shown]["state"] in MARKS:
                step = adoption["steps"][shown]
                screen.print(MARKS[step["state"]], escape(step["text"]))
                shown += 1
            if adoption["state"] in ("done", "failed"):
                return adoption
            if adoption["state"] == "confirm":
                status.stop()
                adoption = _ask(hub, adoption)
                status.start()
                continue
            running = [step["text"] for step in adoption["steps"] if step["state"] == "running"]
            status.update(running[0] if running else "")
            time.sleep(POLL_SECONDS)
            adoption = hub.get(f"/api/adoptions/{adoption['id']}")


def _ask(hub: HubClient, adoption: dict[str, Any]) -> dict[str, Any]:
    path = f"/api/adoptions/{adoption['id']}/confirm"
    try:
        seen = click.confirm(adoption["question"], err=True)
    except click.Abort:
        hub.post(path, seen=False)
        raise
    return hub.post(path, seen=seen)
