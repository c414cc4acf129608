"""Taking a device into the home and out of it: every record that this touches, in an order that survives
a crash.

In: link secrets, then catalog entry and access at the service, then broker account. A link without a
catalog entry is a leftover of a crash and is dropped at the next start. Out (protocol book,
"Revocation"): `forget` to the device when it is reachable, then link secrets and broker account, then
access and catalog entry. Out needs no device.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from mathmesh.errors import MeshError
from mathmesh.schema.build import make_access_capability
from mathmesh.schema.capability import AccessCapability
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedDevice
from mathmesh.types import Entropy
from meshclient.context import AccountContext
from meshhub import logging
from meshhub.broker.accounts import hash_password
from meshhub.errors import DeviceError
from meshhub.events import DeviceOnline, DevicesChanged, EventBus
from meshhub.links import Link, LinkStore
from meshhub.onboarding.home import Admission
from meshhub.registry import CATALOG, Named, Registry
from meshhub.wifi import Networks

ACCESS = "MMM_Access"

Serve = Callable[[Link], Awaitable[None]]
"""Begins to serve a device: broker account, proxy, telemetry."""

Dismiss = Callable[[str], Awaitable[None]]
"""Ends serving a device by its UDF."""

log = logging.get(__name__)


class Admissions:
    """The hub as the home of its devices; what an adoption works with."""

    def __init__(
        self,
        account: AccountContext,
        registry: Registry,
        links: LinkStore,
        events: EventBus,
        *,
        serve: Serve,
        dismiss: Dismiss,
        addresses: Callable[[], list[str]],
        clock: Callable[[], int],
        entropy: Entropy,
    ):
        self._account = account
        self._registry = registry
        self._links = links
        self._events = events
        self._serve = serve
        self._dismiss = dismiss
        self._addresses = addresses
        self._clock = clock
        self._entropy = entropy

    @property
    def account(self) -> AccountContext:
        """The household's account, as its administrator."""
        return self._account

    def name_of(self, udf: str) -> str | None:
        """Room and name of the active device with this UDF, else None."""
        try:
            return self._registry.get(udf).full_name
        except DeviceError:
            return None

    def was_removed(self, udf: str) -> bool:
        """Whether this UDF has been in the home and was forgotten."""
        return self._links.is_forgotten(udf)

    def broker_addresses(self) -> list[str]:
        """`mqtt://host:port` of the broker as a device can reach it, best first."""
        return self._addresses()

    def networks(self) -> list[list[str]]:
        """[[ssid, passphrase]] of the home's Wi-Fi networks; empty where none is known."""
        return Networks(self._account).given()

    def propose_name(self, kind: str) -> str:
        """A friendly name that is still free, made from the kind of the device."""
        return self._registry.propose_name(kind)

    async def admit(self, admission: Admission) -> None:
        """Make the device one of the home; everything is on disk when this returns. Raises and leaves
        nothing.
        """
        link = Link(
            device=admission.udf,
            device_udf=admission.device_udf,
            account_udf=self._account_udf(),
            topic_octets=admission.topic_id,
            psk_run=admission.psk_run,
            psk_repair=admission.psk_repair,
            own=admission.own,
            user=admission.broker.user,
            password_hash=hash_password(admission.broker.password, self._entropy),
            publication_id=admission.publication_id,
        )
        access = make_access_capability(
            admission.cataloged, self._entropy, datetime.now(UTC), administrator=self._account.administrator
        )
        before = self._links.is_forgotten(link.device)
        await self._links.put(link)
        try:
            await self._account.transact(updates={CATALOG: [admission.cataloged], ACCESS: [access]})
            await self._serve(link)
        except BaseException:
            await self._undo(link.device, remember=before)
            raise
        self._tell(link.device, "added")

    async def withdraw(self, udf: str) -> None:
        """Undo `admit`: the device never came."""
        link = self._links.get(udf)
        await self._undo(udf, remember=False)
        if link is not None and link.publication_id:
            await self._release(link.publication_id)
        self._tell(udf, "withdrawn")

    async def forget(self, device: Named) -> None:
        """Take a device out of the home for good; the device itself may be away or broken."""
        link = self._links.get(device.udf)
        await self._undo(device.udf, remember=True)
        if link is not None and link.publication_id:
            await self._release(link.publication_id)
        self._tell(device.udf, "forgotten")

    async def first_session(self, udf: str) -> None:
        """Return once the device has a confirmed session."""
        with self._events.subscribe() as events:
            if self._is_online(udf):
                return
            async for event in events:
                if isinstance(event, DeviceOnline) and event.device == udf and event.online:
                    return

    async def drop_leftovers(self) -> None:
        """Drop links without a catalog entry: adoptions that a crash cut short."""
        for link in self._links.links():
            if self.name_of(link.device) is None:
                log.warning("an unfinished adoption is undone", device=link.device)
                await self._links.remove(link.device, remember=None)

    def _is_online(self, udf: str) -> bool:
        try:
            return self._registry.get(udf).online
        except DeviceError:
            return False

    async def _undo(self, udf: str, *, remember: bool) -> None:
        await self._links.remove(udf, remember=self._clock() if remember else None)
        await self._dismiss(udf)
        entry = self._account.catalog(CATALOG).get(udf)
        revoked = self._revoked(entry) if isinstance(entry, CatalogedDevice) else []
        if entry is not None or revoked:
            await self._account.transact(updates={ACCESS: revoked}, deletes={CATALOG: [udf]})

    def _revoked(self, entry: CatalogedDevice) -> list[CatalogedAccess]:
        """The device's access entry, no longer active; its enclosed catalog entry goes."""
        access = self._account.catalog(ACCESS).get(entry.udf or "")
        if not isinstance(access, CatalogedAccess) or not isinstance(access.capability, AccessCapability):
            return []
        return [
            replace(
                access, capability=replace(access.capability, active=False, enveloped_cataloged_device=None)
            )
        ]

    async def _release(self, publication_id: str) -> None:
        """The maker's claim lock is let go so that the device can be adopted anew; its service may be
        away.
        """
        try:
            await self._account.release_claim(publication_id)
        except MeshError as error:
            log.warning("the claim could not be released", error=error)

    def _account_udf(self) -> bytes:
        signature = self._account.profile_user.profile_signature
        assert signature is not None  # verified with the profile
        return signature.public_key().udf_bytes

    def _tell(self, udf: str, change: str) -> None:
        self._events.publish(DevicesChanged(time=self._clock(), device=udf, change=change))
