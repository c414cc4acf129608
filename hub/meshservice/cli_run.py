"""`meshservice run`: a service on its own, without a hub around it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from aiohttp import web

from mathmesh.errors import PolicyError, StoreError
from mathmesh.service.admission import INVITED, POLICIES, Admission
from mathmesh.service.host_grant import granted_identity
from mathmesh.service.identity import ServiceIdentity
from meshclient.discovery import Discovery
from meshclient.earl_folder import add_publications
from meshclient.key_file import KeyFile, Keys
from meshservice.delivery import Delivery
from meshservice.engines.files import FileEngine
from meshservice.engines.journal import StoresInUse
from meshservice.folder import KEY_FILE, PUBLIC_FOLDER, SERVICE_FOLDER, SOCKET
from meshservice.host_file import HOST_FILE, HostFile
from meshservice.http import PATH, owner_app, owner_socket, service_app
from meshservice.peers import Peers

STANDBY_SECONDS = 0.5
"""How often a host that stands by looks whether it is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    data: Path
    host: str
    port: int
    domains: frozenset[str]
    accounts: str
    resolver: Path | None
    as_json: bool
    stores: Path
    wait: bool


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
@click.option(
    "--stores",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the accounts' stores, which hosts share.  [default: DATA/service]",
)
@click.option("--wait", is_flag=True, help="Stand by while another host serves the stores, then take over.")
@click.option(
    "--resolver",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="File that names other services by their domains; else MESH_RESOLVER, DATA/resolver.json,"
    " /etc/mesh/resolver.json. What it does not name is looked for in the DNS.",
)
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one line of JSON.")
def run(
    data: Path,
    domains: tuple[str, ...],
    accounts: str,
    port: int,
    host: str,
    stores: Path | None,
    wait: bool,
    resolver: Path | None,
    as_json: bool,
) -> None:
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
        data=data,
        host=host,
        port=port,
        domains=frozenset(domains),
        accounts=accounts,
        resolver=resolver,
        as_json=as_json,
        stores=stores or data / SERVICE_FOLDER,
        wait=wait,
    )
    asyncio.run(_serve(settings))


async def _serve(settings: _Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    data = settings.data
    identity, admission = _identity(settings)
    engine = await _engine(settings, identity, admission, stop)
    if engine is None:
        return
    with engine:
        discovery = Discovery(data, file=settings.resolver)
        peers = Peers(discovery, identity, entropy=os.urandom, clock=_now)
        delivery = asyncio.create_task(Delivery(engine, peers, clock=_now).run())
        delivery.add_done_callback(lambda _: stop.set())
        public = service_app(engine, peers)
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
            delivery.cancel()
            await asyncio.gather(delivery, return_exceptions=True)
            await strangers.cleanup()
            await owner.cleanup()
            await peers.close()
            (data / SOCKET).unlink(missing_ok=True)


def _identity(settings: _Settings) -> tuple[ServiceIdentity, Admission]:
    """Who serves: the service itself by its seed, or a host that it has taken in."""
    data = settings.data
    if not (data / HOST_FILE).exists():
        keys = KeyFile.open_or_create(data / KEY_FILE, lambda: Keys.fresh(os.urandom, _now())).keys
        identity = ServiceIdentity.from_seed(keys.service_seed, settings.domains, keys.created)
        return identity, Admission.of(keys.service_seed, settings.accounts)
    host = HostFile.read(data)
    if host.grant is None:
        raise PolicyError(f"the host in {data} has no grant of a service yet; see `meshservice host --help`")
    identity, secret = granted_identity(host.grant, host.seed, host.created, settings.domains, _now())
    return identity, Admission(policy=settings.accounts, secret=secret)


async def _engine(
    settings: _Settings, identity: ServiceIdentity, admission: Admission, stop: asyncio.Event
) -> FileEngine | None:
    """The engine on the stores; with `wait` when no other host has them any more, None when stopped first."""
    while True:
        try:
            return FileEngine(
                settings.stores, identity, entropy=os.urandom, clock=_now, admission=admission, delivers=True
            )
        except StoresInUse:
            if not settings.wait:
                raise
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), STANDBY_SECONDS)
            return None


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
