"""Commands about the hub itself: run, link, status."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from meshhub.cli_output import client, common_options, console, data_option, print_json, table, time_text
from meshhub.config import Config

if TYPE_CHECKING:
    from meshhub.app import Hub
    from meshhub.dashboard.server import Dashboard

DEMO_SECONDS = 45.0
"""How long the page's address waits for the simulated devices."""


@click.command()
@data_option
@click.option("--config", "file", type=click.Path(dir_okay=False, path_type=Path), help="Settings file.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port of the dashboard; the next free one is taken."
)
@click.option("--broker", type=click.Choice(["auto", "mosquitto", "amqtt"]), help="Which broker to use.")
@click.option("--name", help="Name of the hub, the host part of its account.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="What to log; by default warnings on a terminal, else info, as lines of JSON.",
)
@click.option("--demo", is_flag=True, help="Bring two simulated devices: a lamp, and a sensor to be added.")
def run(data: Path | None, file: Path | None, port: int | None, demo: bool, **settings: Any) -> None:
    """Run the hub until Ctrl-C; prints the address of the dashboard."""
    config = Config.load(data, file=file, dashboard_port=port, **settings)
    asyncio.run(_run(config, demo))


@click.command()
@common_options
def link(data: Path | None, as_json: bool) -> None:
    """Print a new link that signs one browser in to the dashboard."""
    answer = client(data).post("/api/link")
    if as_json:
        print_json(answer)
    else:
        click.echo(answer["url"])


@click.command()
@common_options
def status(data: Path | None, as_json: bool) -> None:
    """Show whether the hub runs and what it does."""
    answer = client(data).get("/api/status")
    if as_json:
        print_json(answer)
        return
    alarms = answer.pop("alarms")
    rows = table("", "")
    rows.show_header = False
    for name, value in answer.items():
        shown = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        rows.add_row(name.replace("_", " "), escape(shown))
    console().print(rows)
    for alarm in alarms:
        click.echo(f"{time_text(alarm['time'])} {alarm['text']}")


async def _run(config: Config, demo: bool) -> None:
    # The parts of the running hub are loaded here only, so that the other commands start fast.
    from meshhub import logging
    from meshhub.app import Hub
    from meshhub.dashboard.server import Dashboard
    from meshservice.http import add_service

    logging.configure(config.log_level)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # keys are in memory: a crash leaves no copy of it
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as running:
        hub = Hub(config)
        await hub.start()
        running.push_async_callback(hub.stop)
        for line in hub.said:
            click.echo(line)
        dashboard = Dashboard(
            hub,
            config.data,
            port=config.dashboard_port,
            add_local=lambda local: add_service(local, hub.service, public_only=False),
        )
        running.push_async_callback(dashboard.stop)
        await dashboard.start()
        if demo:
            await _start_demo(hub, running, stop)
        if not stop.is_set():
            _tell_address(dashboard)
        await stop.wait()


def _tell_address(dashboard: Dashboard) -> None:
    """Print the address with a sign-in link, but none into the system's log, where others may read it."""
    output = os.fstat(1)
    if os.environ.get("JOURNAL_STREAM") == f"{output.st_dev}:{output.st_ino}":
        click.echo(f"Dashboard: {dashboard.url} (`meshhub link` prints a link that signs a browser in)")
    else:
        click.echo(f"Dashboard: {dashboard.new_link()}")


async def _start_demo(hub: Hub, running: AsyncExitStack, stop: asyncio.Event) -> None:
    """Bring up the simulated devices; the hub goes on without them when that fails or takes too long."""
    from meshhub.demo import Demo

    devices = Demo(hub.data, hub.onboarding, lambda udf: hub.home.name_of(udf) is not None)
    running.push_async_callback(devices.stop)
    starting = asyncio.create_task(devices.start(click.echo))
    stopping = asyncio.create_task(stop.wait())
    running.push_async_callback(_ended, starting, stopping)
    await asyncio.wait({starting, stopping}, timeout=DEMO_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if starting.done() and (failed := starting.exception()) is not None:
        click.echo(f"The simulated devices could not be started: {failed}", err=True)


async def _ended(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
