"""This machine's copies of the stores, kept equal to the service's.

The copies are also what this machine remembers of the service: number of frames and tree digest of each
store. A service that states less, or something else, was set back to an old state (or lies), and nothing
of what it says is taken in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from mathmesh.dare.protection import binary
from mathmesh.errors import LocalProtocolError, ProtocolError, VerificationError
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.connection import AccountHostAssignment
from mathmesh.schema.key_data import AGREEMENT, SIGNING, same_udf
from mathmesh.schema.profile import ProfileAccount, ProfileService
from mathmesh.schema.signed import check_signed_by, object_in
from mathmesh.schema.validation import verify_profile_service
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal, Transport, transact
from mathmesh.stores.sync import Diverged, Missing, StoreStatus, missing, same_apex
from meshclient.account_stores import AccountStores
from meshclient.changes import Change


class Replica:
    """Copies of one account's stores. Not for two tasks at once: the context holds a lock.

    `wanted` says which stores this device has the right to read; others are not copied.
    """

    def __init__(
        self, stores: AccountStores, profile: ProfileAccount, wanted: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._stores = stores
        self._profile = profile
        self._wanted = wanted
        self._host_key: PublicKey | None = None
        self.service: ProfileService | None = None
        """The verified profile of the account's service; known after the first `sync`."""

    @property
    def host_key(self) -> PublicKey:
        """The key with which the host reads MMM_Access and MMM_Publication; known after the first `sync`."""
        if self._host_key is None:
            raise LocalProtocolError("the service has not been asked for its key yet; call sync first")
        return self._host_key

    async def sync(self, transport: Transport, device_digest: str | None = None) -> wire.StatusResponse:
        """Fetch what the copies lack, and check that both sides then have the same tree digests.

        The answer to Status is returned: it has the device's CatalogedDevice when that is not the one with
        the digest `device_digest`. Raises Diverged when the two cannot be states of one history,
        VerificationError when the service is not the one that the account's profile names.
        """
        request = wire.StatusRequest(cataloged_device_digest=device_digest)
        status = await transact(transport, request, wire.StatusResponse)
        if self._host_key is None:
            self._host_key = await self._learn_host(transport, status)
        theirs = {
            one.container: StoreStatus(count=one.index or 0, apex=one.digest)
            for one in status.container_status
            if one.container and self._wanted(one.container)
        }
        ours = self._stores.status()
        for name in ours:
            if name not in theirs and self._wanted(name):
                await self._check_unlisted(name, ours[name].count, transport)
        for gap in missing(ours, theirs, self._service_name):
            await self._fetch(gap, transport)
        return status

    @property
    def _service_name(self) -> str:
        return f"the service {self._profile.service_udf} of {self._profile.account_address}"

    async def _check_unlisted(self, name: str, known: int, transport: Transport) -> None:
        """A store that the service does not list is one that this device may not read any more, or gone."""
        select = wire.ConstraintsSelect(container=name, index_min=0, index_max=0)
        try:
            await transact(transport, wire.DownloadRequest(select=(select,)), wire.DownloadResponse)
        except ServiceRefusal as refusal:
            if refusal.status_extended == wire.ABSENT:
                raise Diverged(name, known, 0, self._service_name) from refusal

    async def apply(self, changes: Sequence[Change], received: datetime | None) -> None:
        """Append what the service has taken, and take it into the catalogs and spools."""
        for change in changes:
            await asyncio.to_thread(self._write, change, received)
            for number, envelope in enumerate(change.envelopes):
                self._stores.fold(change.name, change.index + number, envelope)

    def _write(self, change: Change, received: datetime | None) -> None:
        if change.begins:
            self._stores.create(change.name)
        if change.envelopes:
            self._stores.append(change.name, change.envelopes, received)

    async def _fetch(self, gap: Missing, transport: Transport) -> None:
        position = gap.start
        while position < gap.stop:
            select = wire.ConstraintsSelect(container=gap.store, index_min=position, index_max=gap.stop)
            request = wire.DownloadRequest(select=(select,))
            response = await transact(transport, request, wire.DownloadResponse)
            envelopes = [one for update in response.updates for one in update.envelopes]
            if not envelopes or len(envelopes) > gap.stop - position:
                raise ProtocolError(f"the service did not send the frames of {gap.store} that were asked for")
            change = Change.fetched(gap.store, position, envelopes)
            position += len(envelopes)
            whole = position == gap.stop
            stated = gap.apex if whole else binary(envelopes[-1].merged(), "TreeDigest")
            if not same_apex(self._stores.apex_with(gap.store, change.envelopes), stated):
                raise Diverged(gap.store, gap.start, gap.stop, self._service_name)
            await self.apply([change], None)

    async def _learn_host(self, transport: Transport, status: wire.StatusResponse) -> PublicKey:
        hello = await transact(transport, wire.HelloRequest(), wire.MeshHelloResponse)
        statement = status.enveloped_account_host_assignment
        if hello.enveloped_profile_service is None or statement is None:
            raise ProtocolError("the service states no profile or no host for this account")
        service = verify_profile_service(hello.enveloped_profile_service)
        if not same_udf(service.udf, self._profile.service_udf) or service.service_signature is None:
            raise VerificationError(
                f"this is service {service.udf}, the account belongs to {self._profile.service_udf}"
            )
        self.service = service
        check_signed_by(statement, service.service_signature.public_key(SIGNING), "AccountHostAssignment")
        assignment = object_in(statement, AccountHostAssignment)
        if (assignment.account_addess or "").lower() != self._profile.account_address:
            raise VerificationError("the service's host assignment is for another account")
        if assignment.access_encrypt is None:
            raise VerificationError("the service's host assignment states no key")
        return assignment.access_encrypt.public_key(AGREEMENT)
