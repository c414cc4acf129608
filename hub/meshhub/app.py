"""The hub: puts the parts together, starts and stops them in order, and carries a device's events to
where they go.

Start: lock, account and service, sealed stores, broker, link proxy, onboarding. Stop: the reverse, with
everything that waits written to disk and receipted first. A hub that is killed loses nothing that a
device was told is safe.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mathmesh.errors import MeshError
from mathmesh.types import Entropy
from meshclient.context import AccountContext, utc_now
from meshclient.household import Household, open_keys, open_or_create, service_identity
from meshhub import logging, ports, ports_file
from meshhub.activity import STORE as ACTIVITY_STORE
from meshhub.activity import ActivityLog
from meshhub.admission import Admissions
from meshhub.broker.base import Broker
from meshhub.broker.choose import make_broker, settle_port
from meshhub.commands import Commander
from meshhub.config import Config
from meshhub.device_catalog import AccountDevices
from meshhub.disk import DiskReserve
from meshhub.events import Alarm, BrokerChanged, DevicesChanged, EventBus
from meshhub.link_events import LinkEvents
from meshhub.link_suite import HubSuite
from meshhub.links import STORE as LINKS_STORE
from meshhub.links import Link, LinkStore
from meshhub.lock import DataLock
from meshhub.mqtt.proxy import Proxy
from meshhub.notify import notify
from meshhub.presences import Presences
from meshhub.quota import Limits
from meshhub.registry import Named, Registry, full_name
from meshhub.service_listener import HOST as SERVICE_HOST
from meshhub.service_listener import ServiceListener
from meshhub.tasks import outcome
from meshhub.telemetry import Telemetry
from meshhub.telemetry_intake import Intake
from meshhub.wifi import Networks
from meshservice.engines.files import FileEngine
from meshservice.local import LocalTransport

if TYPE_CHECKING:
    from meshhub.onboarding import Onboarding

DRAIN_SECONDS = 1.0
STOP_SECONDS = 10.0
"""How long one part may take to stop; the next one is stopped then all the same."""
AGAIN_SECONDS = 1.0

log = logging.get(__name__)


def milliseconds() -> int:
    """The machine's clock in ms since 1970."""
    return time.time_ns() // 1_000_000


class Hub:
    """One running hub. Its parts are attributes from the end of `start` on."""

    account: AccountContext
    household: Household
    service: FileEngine
    registry: Registry
    telemetry: Telemetry
    presences: Presences
    commands: Commander
    broker: Broker
    links: LinkStore
    networks: Networks
    home: Admissions
    activity: ActivityLog
    onboarding: Onboarding

    def __init__(
        self, config: Config, *, entropy: Entropy = os.urandom, clock: Callable[[], int] = milliseconds
    ):
        self.config = config
        self.events = EventBus()
        self.said: list[str] = []
        self._entropy = entropy
        self._clock = clock
        self._lock = DataLock(config.data)
        self._proxy: Proxy
        self._listener: ServiceListener
        self._link_events: LinkEvents
        self._undo: list[Callable[[], Awaitable[None]]] = []
        self._lifetime: asyncio.Task[None] | None = None

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.config.data

    async def start(self) -> None:
        """Start everything; what was started is stopped again when a part fails.

        Raises HubError, TransportError or another MeshError with what to do.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        notify("READY=1")
        log.info(
            "hub runs", data=str(self.data), account=self.account.address, devices=len(self.links.links())
        )

    async def stop(self) -> None:
        """Write everything that waits, end every task and child process. Safe to call more than once."""
        notify("STOPPING=1")
        while self._undo:
            step = asyncio.ensure_future(self._undo.pop()())
            done, _ = await asyncio.wait({step}, timeout=STOP_SECONDS)
            if not done:
                step.cancel()
                log.error("a part did not stop in time")
            elif isinstance(error := step.exception(), MeshError | OSError):
                log.error("a part did not stop cleanly", error=error)
            elif error is not None:
                raise error

    async def forget(self, device: Named, *, who: str = "owner") -> None:
        """Take a device out of the home; told to the device when it is online, done in any case."""
        told = await self._proxy.send(device.udf, "forget", {})
        if told:
            await self._proxy.client.drain(DRAIN_SECONDS)
        await self.home.forget(device)
        await self.activity.record(who, "forget", device.udf, {"name": full_name(device), "told": told})

    def status(self) -> Mapping[str, object]:
        """How the hub is, for people: nothing secret."""
        return {
            "account": self.account.address,
            "broker": self.broker.kind,
            "broker_port": self.broker.port,
            "broker_running": self.broker.running,
            "broker_restarts": self.broker.restarts,
            "service": f"http://{SERVICE_HOST}:{self._listener.port}/.well-known/mmm/",
            "data": str(self.data),
        }

    # -- starting --------------------------------------------------------------------------------------------
    async def _start(self) -> None:
        await asyncio.to_thread(self._lock.take)
        self._undo.append(self._release_lock)
        await self._open_account()
        await self._open_stores()
        await self._start_broker()
        self._make_proxy()
        await self.home.drop_leftovers()
        for link in self.links.links():
            await self._prepare(link)
        await self.broker.start(self.links.accounts())
        self._undo.append(self.broker.stop)
        self._lifetime = asyncio.create_task(self._live(), name="hub")
        self._undo.append(self._end_life)
        self._make_onboarding()
        self._listener = ServiceListener(self.service, self.config.service_port)
        self._undo.append(self._listener.stop)
        await self._listener.start()

    async def _open_account(self) -> None:
        self.service = await asyncio.to_thread(self._open_service)
        self._undo.append(_later(self.service.close))
        self.household = await open_or_create(
            self.data,
            address=self.config.account,
            hub_name=self.config.name,
            service=LocalTransport(self.service),
            entropy=self._entropy,
            now=datetime.now(UTC),
        )
        self.account = self.household.owner
        self._undo.append(_later(self.household.close))

    def _open_service(self) -> FileEngine:
        key_file = open_keys(
            self.data,
            address=self.config.account,
            hub_name=self.config.name,
            entropy=self._entropy,
            now=datetime.now(UTC),
        )
        return FileEngine(
            self.data / "service", service_identity(key_file.keys), entropy=self._entropy, clock=utc_now
        )

    async def _open_stores(self) -> None:
        key = self.account.store_key(LINKS_STORE)
        folder = self.data / "links"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.links = await asyncio.to_thread(
            LinkStore.open, folder / f"{LINKS_STORE}.dcon", key, self._entropy
        )
        self._undo.append(_later(self.links.close))
        sequence = await asyncio.to_thread(self.account.local_sequence, ACTIVITY_STORE)
        self.activity = ActivityLog(sequence, self.events, self._clock)
        self.telemetry = Telemetry(
            index=self.data / "index" / "telemetry.sqlite",
            open_sequence=self.account.local_sequence,
            events=self.events,
            receipt=self._receipt,
            is_event=lambda *name: self._link_events.is_event(*name),
            clock=self._clock,
            batch_seconds=self.config.batch_seconds,
            batch_readings=self.config.batch_readings,
            intake=Intake(
                self.events,
                DiskReserve(self.data, self.config.disk_reserve),
                Limits(readings=self.config.device_readings, octets=self.config.device_octets),
                clock=self._clock,
            ),
        )
        self._undo.append(self.telemetry.close)

    async def _start_broker(self) -> None:
        remembered = ports_file.recall(self.data, "mqtt")
        port, moved = await settle_port(self.config.mqtt_bind, self.config.mqtt_port, remembered)
        if moved:
            text = f"Port {remembered} is taken, so devices cannot find the broker, which now uses {port}."
            self.said.append(text)
            self.events.publish(Alarm(time=self._clock(), kind="broker", text=text))
        elif remembered is None:
            await asyncio.to_thread(ports_file.remember, self.data, "mqtt", port)
        self.broker, said = make_broker(
            self.config.broker,
            folder=self.config.broker_folder,
            bind=self.config.mqtt_bind,
            port=port,
            entropy=self._entropy,
            changed=self._broker_changed,
        )
        self.said.append(said)
        log.info(said, port=port)

    def _make_proxy(self) -> None:
        self._proxy = Proxy(
            login=self.broker.login,
            suite=HubSuite(self._entropy),
            links=self.links,
            handle=self._handle,
            changed=lambda device, online: self.presences.changed(device, online),
            clock=self._clock,
        )
        self.presences = Presences(
            self._proxy.peer,
            lambda: [link.device for link in self.links.links()],
            self.telemetry,
            self.events,
            self._clock,
        )
        self.registry = Registry(
            AccountDevices(self.account),
            presence=self.presences.of,
            latest=self.telemetry.latest,
            renamed=self._renamed,
        )
        self.commands = Commander(
            self._proxy.command, self.activity.record, seconds=self.config.command_seconds
        )
        self.networks = Networks(self.account)
        self._link_events = LinkEvents(self.telemetry, self.commands, self.activity, self.events, self._clock)
        self.home = Admissions(
            self.account,
            self.registry,
            self.links,
            self.events,
            serve=self._serve,
            dismiss=self._dismiss,
            addresses=self._broker_addresses,
            clock=self._clock,
            entropy=self._entropy,
        )

    def _make_onboarding(self) -> None:
        from meshhub.onboarding import Onboarding

        self.onboarding = Onboarding(
            self.home, self.events, default_maker=self.household.maker.address, entropy=self._entropy
        )
        self._undo.append(self.onboarding.stop)

    async def _live(self) -> None:
        """The long-running parts. One that fails takes the other down, and both start again."""
        while True:
            error = await outcome(self._run_parts())
            log.error("a part of the hub failed and is started again", exc_info=error)
            text = "A part of the hub failed and was started again; its log has the details."
            self.events.publish(Alarm(time=self._clock(), kind="hub", text=text))
            await asyncio.sleep(AGAIN_SECONDS)

    async def _run_parts(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._proxy.run(), name="proxy")
            tasks.create_task(self.telemetry.run(), name="telemetry")
            tasks.create_task(self.presences.run(), name="presences")

    async def _end_life(self) -> None:
        await self.telemetry.flush()
        await self.presences.note()
        await self._proxy.client.drain(DRAIN_SECONDS)
        assert self._lifetime is not None
        self._lifetime.cancel()
        with suppress(asyncio.CancelledError):
            await self._lifetime
        self.events.close()

    async def _release_lock(self) -> None:
        self._lock.release()

    # -- devices ---------------------------------------------------------------------------------------------
    async def _serve(self, link: Link) -> None:
        await self._prepare(link)
        await self.broker.set_accounts(self.links.accounts())

    async def _prepare(self, link: Link) -> None:
        description = self.registry.get(link.device).description
        self._link_events.know(link.device, description)
        try:
            await self.telemetry.open(link.device)
        except MeshError as error:
            text = f"Readings of this device cannot be kept: {error}"
            self.events.publish(Alarm(time=self._clock(), kind="storage", text=text, device=link.device))
            log.error("a telemetry store cannot be opened", device=link.device, error=error)
        await self._proxy.add(link, description)

    async def _dismiss(self, device: str) -> None:
        self._proxy.remove(device)
        await self.broker.set_accounts(self.links.accounts())
        await self.telemetry.release(device)
        self._link_events.forget(device)

    def _broker_addresses(self) -> list[str]:
        host = self.config.mqtt_host or self.config.mqtt_bind
        if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            host = ports.lan_address()
        return [f"mqtt://{host}:{self.broker.port}"]

    async def _receipt(self, device: str, boot: int, s: int) -> None:
        await self._proxy.receipt(device, boot, s)

    # -- what happens ----------------------------------------------------------------------------------------
    async def _handle(self, device: str, name: str, value: Any) -> None:
        await self._link_events.handle(device, name, value)

    def _broker_changed(self, running: bool) -> None:
        self.events.publish(BrokerChanged(time=self._clock(), running=running, kind=self.broker.kind))

    def _renamed(self, device: str) -> None:
        self.events.publish(DevicesChanged(time=self._clock(), device=device, change="renamed"))


def _later(close: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    async def step() -> None:
        await asyncio.to_thread(close)

    return step
