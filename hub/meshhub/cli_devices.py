"""Commands about devices that the household has: devices, get, set, rename, forget, history."""

import sys
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from meshhub.cli_client import HubClient, Refused
from meshhub.cli_output import (
    STATES,
    client,
    common_options,
    console,
    named_value,
    place,
    print_json,
    table,
    time_text,
    value_text,
)
from meshhub.plain_text import plain


@click.command()
@common_options
def devices(data: Path | None, as_json: bool) -> None:
    """List the devices with their rooms and present values."""
    answer = client(data).get("/api/devices")
    if as_json:
        print_json(answer)
        return
    if not answer["devices"]:
        click.echo("No devices yet. Add one with `meshhub add CODE`.")
        return
    rows = table("Name", "Room", "State", "Values")
    for device in answer["devices"]:
        values = ", ".join(named_value(p["key"], p["value"], p["unit"]) for p in device["properties"])
        rows.add_row(
            escape(plain(device["name"])),
            escape(plain(device["room"])),
            STATES.get(device["state"], device["state"])
            + (", over its limit" if device["over_limit"] else ""),
            escape(plain(values)),
        )
    console().print(rows)
    for device in answer["devices"]:
        if device["over_limit"]:
            click.echo(f"{place(device)}: {_over(device)}")


@click.command(short_help="Show the values of a device, or one of them.")
@click.argument("name", nargs=-1, required=True, metavar="NAME [PROPERTY]")
@common_options
def get(name: tuple[str, ...], data: Path | None, as_json: bool) -> None:
    """Show the present values of a device, or the value of one property."""
    answer = _get(client(data), name)
    if "asked" not in answer:
        if as_json:
            print_json(answer)
        else:
            _show(answer)
        return
    one = next(p for p in answer["properties"] if f"{p['node']}.{p['name']}" == answer["asked"])
    if as_json:
        print_json(
            {
                **one,
                "property": one["name"],
                "name": answer["name"],
                "room": answer["room"],
                "full_name": answer["full_name"],
                "state": answer["state"],
            }
        )
    else:
        click.echo(value_text(one["value"], one["unit"]))


@click.command("set", short_help="Switch or adjust a device, such as: set lamp on=true")
@click.argument("words", nargs=-1, required=True, metavar="NAME PROPERTY=VALUE...")
@common_options
def set_(words: tuple[str, ...], data: Path | None, as_json: bool) -> None:
    """Switch or adjust a device, such as: meshhub set kitchen lamp on=true level=40"""
    name = [word for word in words if "=" not in word]
    pairs = [word.partition("=") for word in words if "=" in word]
    if not name or not pairs or not all(key for key, _, _ in pairs):
        raise click.UsageError("Give a name and one or more PROPERTY=VALUE.")
    answer = client(data).post(
        "/api/set", name=" ".join(name), values={key: value for key, _, value in pairs}
    )
    if as_json:
        print_json(answer)
        return
    units = {f"{p['node']}.{p['name']}": p["unit"] for p in answer["device"]["properties"]}
    values = ", ".join(
        named_value(path.rpartition(".")[2], v, units.get(path, "")) for path, v in answer["values"].items()
    )
    click.echo(f"{place(answer['device'])}: {values}")


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="NAME NEW")
@click.option("--room", help="Move it to this room; an empty text takes it out of its room.")
@common_options
def rename(words: tuple[str, ...], room: str | None, data: Path | None, as_json: bool) -> None:
    """Give a device another name, another room, or both.

    With --room alone, NEW may be left out. Put names of several words in quotes.
    """
    if not all(word.strip() for word in words):
        raise click.UsageError("A name cannot be empty.")
    hub = client(data)
    old, new = _old_and_new(hub, words, room)
    answer = hub.post("/api/rename", name=old, to=new, room=room)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"Now {place(answer)}.")


@click.command(short_help="Take a device out of the household.")
@click.argument("name", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def forget(name: tuple[str, ...], yes: bool, data: Path | None, as_json: bool) -> None:
    """Take a device out of the household; its keys and its account at the broker are deleted."""
    hub = client(data)
    device = hub.get("/api/get", name=" ".join(name))
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Without a terminal to ask on, give --yes.")
        click.confirm(f"Forget {place(device)}? It must be added again to be used", abort=True, err=True)
    answer = hub.post("/api/forget", name=device["udf"])
    if as_json:
        print_json(answer)
        return
    click.echo(f"Forgot {place(device)}.")
    known = "press its button once" if device["online"] else "hold its button for 10 seconds"
    click.echo(f"To add it again, {known} first: that opens it for 15 minutes.", err=True)


@click.command()
@click.argument("name", nargs=-1, required=True)
@click.option(
    "--since", default="1h", show_default=True, help="A span (15m, 1h, 2d) or a time (2026-01-31T08:00)."
)
@click.option("--property", "only", help="Only this property.")
@common_options
def history(name: tuple[str, ...], since: str, only: str | None, data: Path | None, as_json: bool) -> None:
    """Print the stored readings of a device, oldest first."""
    query = {"name": " ".join(name), "since": since} | ({"property": only} if only else {})
    answer = client(data).get("/api/history", **query)
    if as_json:
        print_json(answer)
        return
    if not answer["readings"]:
        click.echo("No readings in that time.")
        return
    rows = table("Time", "Property", "Value")
    for reading in answer["readings"]:
        rows.add_row(
            time_text(reading["time"]),
            escape(plain(reading["property"])),
            escape(value_text(reading["value"])),
        )
    console().print(rows)
    if answer["truncated"]:
        click.echo("There are older ones; only the newest are shown.", err=True)


def _get(hub: HubClient, words: tuple[str, ...]) -> dict[str, Any]:
    """All words as a name; failing that, the last one as a property."""
    try:
        return hub.get("/api/get", name=" ".join(words))
    except Refused as refused:
        if refused.answer.get("kind") != "unknown-device" or len(words) < 2:
            raise
        whole = refused
    try:
        return hub.get("/api/get", name=" ".join(words[:-1]), property=words[-1])
    except Refused as refused:
        raise (whole if refused.answer.get("kind") == "unknown-device" else refused) from None


def _show(device: dict[str, Any]) -> None:
    state = STATES.get(device["state"], device["state"])
    seen = device["last_seen"]
    when = "not seen yet" if seen is None else f"last seen {time_text(seen)}"
    click.echo(f"{place(device)}: {state}, {when}")
    if device["over_limit"]:
        click.echo(_over(device))
    rows = table("Property", "Value", "Since")
    for one in device["properties"]:
        rows.add_row(
            escape(plain(one["key"])), escape(value_text(one["value"], one["unit"])), time_text(one["time"])
        )
    console().print(rows)


def _over(device: dict[str, Any]) -> str:
    many = device["over_limit"]
    return f"{many} readings are over its limit and not stored; the device repeats what it keeps."


def _old_and_new(hub: HubClient, words: tuple[str, ...], room: str | None) -> tuple[str, str | None]:
    if len(words) == 2 and not (room is not None and _known(hub, " ".join(words))):
        return words[0], words[1]
    if room is not None and (len(words) == 1 or _known(hub, " ".join(words))):
        return " ".join(words), None
    if len(words) == 1:
        raise click.UsageError("Give the new name, or --room.")
    splits = [at for at in range(1, len(words)) if _known(hub, " ".join(words[:at]))]
    if len(splits) != 1:
        reason = "Several devices fit" if splits else "No device is called so"
        raise click.UsageError(f"{reason}: put the old name and the new name in quotes.")
    return " ".join(words[: splits[0]]), " ".join(words[splits[0] :])


def _known(hub: HubClient, name: str) -> bool:
    try:
        hub.get("/api/get", name=name)
    except Refused as refused:
        if refused.answer.get("kind") == "unknown-device":
            return False
        if refused.answer.get("kind") != "ambiguous-device":
            raise
    return True
