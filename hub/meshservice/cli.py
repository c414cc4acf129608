"""`meshservice`: a Mesh service on its own, without a hub around it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from aiohttp import web

from mathmesh.errors import MeshError
from mathmesh.service.identity import ServiceIdentity
from meshclient.earl_folder import add_publications
from meshclient.key_file import KeyFile, Keys
from meshservice.engines.files import FileEngine
from meshservice.http import PATH, owner_app, owner_socket, service_app

KEY_FILE = "keys.json"
SERVICE_FOLDER = "service"
PUBLIC_FOLDER = "public"
SOCKET = "service.sock"


def _now() -> datetime:
    return datetime.now(UTC)


@click.group()
def main() -> None:
    """A Mesh service: keeps the encrypted stores of accounts and delivers their messages."""


@main.command()
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the service."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=15099,
    show_default=True,
    help="TCP port; 0 takes a free one.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen at. It speaks plain HTTP."
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    required=True,
    help="Domain of the accounts served; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one line of JSON.")
def run(data: Path, port: int, host: str, domains: tuple[str, ...], as_json: bool) -> None:
    """Serve until stopped with Ctrl-C.

    Strangers reach the public operations over TCP. All operations are served on the socket DATA/service.sock,
    which only its owner can open; there the header Mesh-Account names the account that is acted on. What is
    published in DATA/public is served below /.well-known/mmm-udf/.
    """
    try:
        asyncio.run(_serve(data, host, port, frozenset(domains), as_json))
    except MeshError as error:
        click.echo(f"meshservice: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"meshservice: {host} port {port}: {error.strerror}; choose another with --port", err=True)
        sys.exit(1)


async def _serve(data: Path, host: str, port: int, domains: frozenset[str], as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    key_file = KeyFile.open_or_create(data / KEY_FILE, lambda: Keys.fresh(os.urandom, _now()))
    identity = ServiceIdentity.from_seed(key_file.keys.service_seed, domains, key_file.keys.created)
    with FileEngine(data / SERVICE_FOLDER, identity, entropy=os.urandom, clock=_now) as engine:
        public = service_app(engine)
        add_publications(public, data / PUBLIC_FOLDER)
        strangers, owner = web.AppRunner(public), web.AppRunner(owner_app(engine))
        try:
            await strangers.setup()
            await owner.setup()
            await web.SockSite(owner, owner_socket(data / SOCKET)).start()
            await web.TCPSite(strangers, host, port).start()
            _announce(strangers, data / SOCKET, identity, as_json)
            await stop.wait()
        finally:
            await strangers.cleanup()
            await owner.cleanup()
            (data / SOCKET).unlink(missing_ok=True)


def _announce(runner: web.AppRunner, socket: Path, identity: ServiceIdentity, as_json: bool) -> None:
    host, port = runner.addresses[0][:2]
    url = f"http://{host}:{port}{PATH}"
    if as_json:
        said = {"url": url, "socket": str(socket), "service": identity.profile.udf}
        click.echo(json.dumps({**said, "domains": sorted(identity.domains)}))
    else:
        click.echo(f"Service {identity.profile.udf} for {', '.join(sorted(identity.domains))}")
        click.echo(f"Public operations: {url}\nAll operations:    {socket}")


if __name__ == "__main__":
    main()
