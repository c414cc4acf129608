"""`meshservice run`: a service on its own, without a hub around it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from aiohttp import web

from mathmesh.errors import StoreError
from mathmesh.service.admission import INVITED, POLICIES, Admission
from mathmesh.service.identity import ServiceIdentity
from meshclient.earl_folder import add_publications
from meshclient.key_file import KeyFile, Keys
from meshservice.engines.files import FileEngine
from meshservice.folder import KEY_FILE, PUBLIC_FOLDER, SERVICE_FOLDER, SOCKET
from meshservice.http import PATH, owner_app, owner_socket, service_app


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    data: Path
    host: str
    port: int
    domains: frozenset[str]
    accounts: str
    as_json: bool


def _now() -> datetime:
    return datetime.now(UTC)


@click.command()
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the service."
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    required=True,
    help="Domain of the accounts served; may be repeated.",
)
@click.option(
    "--accounts",
    type=click.Choice(POLICIES),
    default=INVITED,
    show_default=True,
    help="Whose accounts are taken in over the network: everybody's, those of people whom you gave an"
    " invitation (see `meshservice invite`), nobody's.",
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
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one line of JSON.")
def run(data: Path, domains: tuple[str, ...], accounts: str, port: int, host: str, as_json: bool) -> None:
    """Serve until stopped with Ctrl-C.

    Requests in envelopes are served over TCP, each as the rights of its caller reach; requests in clear
    where they are public operations. On the socket DATA/service.sock, which only its owner can open, the
    header Mesh-Account names the account that is acted on. What is published in DATA/public is served below
    /.well-known/mmm-udf/.

    \b
    Example:
      meshservice run --data ~/mesh-service --domain example.com
    """
    settings = _Settings(
        data=data, host=host, port=port, domains=frozenset(domains), accounts=accounts, as_json=as_json
    )
    asyncio.run(_serve(settings))


async def _serve(settings: _Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    data = settings.data
    keys = KeyFile.open_or_create(data / KEY_FILE, lambda: Keys.fresh(os.urandom, _now())).keys
    identity = ServiceIdentity.from_seed(keys.service_seed, settings.domains, keys.created)
    admission = Admission.of(keys.service_seed, settings.accounts)
    with FileEngine(
        data / SERVICE_FOLDER, identity, entropy=os.urandom, clock=_now, admission=admission
    ) as engine:
        public = service_app(engine)
        add_publications(public, data / PUBLIC_FOLDER)
        strangers, owner = web.AppRunner(public), web.AppRunner(owner_app(engine))
        try:
            await strangers.setup()
            await owner.setup()
            await web.SockSite(owner, owner_socket(data / SOCKET)).start()
            await _listen(strangers, settings)
            _announce(strangers, settings, identity)
            await stop.wait()
        finally:
            await strangers.cleanup()
            await owner.cleanup()
            (data / SOCKET).unlink(missing_ok=True)


async def _listen(runner: web.AppRunner, settings: _Settings) -> None:
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        where = f"{settings.host} port {settings.port}"
        raise StoreError(f"{where}: {error.strerror}; choose another with --port") from error


def _announce(runner: web.AppRunner, settings: _Settings, identity: ServiceIdentity) -> None:
    host, port = runner.addresses[0][:2]
    url, socket = f"http://{host}:{port}{PATH}", settings.data / SOCKET
    domains = sorted(identity.domains)
    if settings.as_json:
        said = {"url": url, "socket": str(socket), "service": identity.profile.udf}
        click.echo(json.dumps({**said, "domains": domains, "accounts": settings.accounts}))
    else:
        click.echo(f"Service {identity.profile.udf} for {', '.join(domains)}")
        click.echo(f"Network:      {url} (accounts: {settings.accounts})\nThis machine: {socket}")
