"""A real service on real files, with a clock that the test moves, and accounts that speak to it directly."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.keys import derive, earl, ids
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema import primary_key
from mathmesh.schema.build import (
    make_access_capability,
    make_cataloged_device,
    make_message_claim,
    make_profile_device,
    make_profile_user,
    make_publication,
)
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedDevice
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.message import Message
from mathmesh.schema.message_contact import MessageContact
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.validation import verify_profile_user
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.identity import ServiceIdentity
from mathmesh.stores import ACCESS, DEVICE, HOST_READABLE, PUBLICATION
from mathmesh.stores.first_frame import first_frame
from meshservice.engines.files import FileEngine

DOMAIN = "example.com"
START = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
R = TypeVar("R", bound=wire.Response)


class Source:
    """Octets that look random and are the same in every run."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._count = itertools.count()

    def __call__(self, octets: int) -> bytes:
        return hashlib.shake_256(f"{self._label}/{next(self._count)}".encode()).digest(octets)


class Clock:
    """The time, moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Account:
    """An account that holds its seed."""

    def __init__(self, address: str, service_udf: str) -> None:
        self.entropy = Source(address)
        self.seed = derive.new_seed(derive.PROFILE_ACCOUNT, self.entropy)
        self.address = address
        self.envelope = make_profile_user(self.seed, address, service_udf, START)
        self.profile: ProfileUser = verify_profile_user(self.envelope)
        self.administrator = derive.derive_key(self.seed, "CompleteAccountAdminSign")
        self.signature = derive.derive_key(self.seed, "CompleteAccountSign")

    @property
    def root(self) -> Caller:
        assert self.profile.common_authentication is not None
        return Caller(account=self.address, key_id=self.profile.common_authentication.udf)

    def bind_request(self) -> wire.BindRequest:
        return wire.BindRequest(account_address=self.address, enveloped_profile_account=self.envelope)

    def message(
        self,
        recipient: str,
        kind: type[Message] = MessageContact,
        *,
        signer: PrivateKey | None = None,
        size: int = 0,
    ) -> Envelope:
        """A signed message; `size` octets of ballast make it longer."""
        message = kind(
            message_id=ids.nonce_id(self.entropy),
            sender=self.address,
            recipient=recipient,
            unknown={"Ballast": "x" * size} if size else {},
        )
        return enveloped(message, entropy=self.entropy, now=START, signer=signer or self.signature)

    def cataloged(self, label: str, roles: Sequence[str] = ("device",)) -> CatalogedDevice:
        source = Source(label)
        device = make_profile_device(derive.new_seed(derive.PROFILE_DEVICE, source), START)
        activation = derive.new_seed(derive.ACTIVATION_ACCOUNT, source)
        return make_cataloged_device(
            self.envelope, device, self.administrator, roles, activation, source, START
        )

    def access(self, device: CatalogedDevice, roles: Sequence[str] = ("device",)) -> CatalogedAccess:
        return make_access_capability(device, self.entropy, START, rights=roles)

    def claim(self, secret: bytes, recipient: str, *, udf: str | None = None) -> Envelope:
        return make_message_claim(
            secret,
            sender=self.address,
            recipient=recipient,
            claimant_udf=udf or self.profile.udf,
            signer=self.signature,
            entropy=self.entropy,
            now=START,
        )


class World:
    """One service in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        seed = derive.new_seed(derive.PROFILE_SERVICE, Source("service"))
        self.identity = ServiceIdentity.from_seed(seed, frozenset({DOMAIN}), START)
        self.entropy = Source("engine")
        self.engine = self.open()

    def open(self) -> FileEngine:
        return FileEngine(self.folder, self.identity, entropy=self.entropy, clock=self.clock)

    def reopen(self) -> None:
        self.engine.close()
        self.engine = self.open()

    def ask(self, request: wire.Request, kind: type[R], caller: Caller | None = None) -> R:
        return wire.decode_response(self.engine.dispatch(request.encode(), caller), kind)

    def account(self, name: str, *, begin: Iterable[str] = (ACCESS, DEVICE, PUBLICATION)) -> Account:
        made = Account(f"{name}@{DOMAIN}", self.identity.profile.udf)
        assert self.ask(made.bind_request(), wire.BindResponse, made.root).status == 201
        updates = tuple(self.update(made, store, [], begins=True) for store in begin)
        answer = self.ask(wire.TransactRequest(updates=updates), wire.TransactResponse, made.root)
        assert answer.status == 201, answer
        return made

    def envelope(self, account: Account, store: str, entry: MeshObject, event: str = "New") -> Envelope:
        recipients = [derive.derive_key(account.seed, "CompleteAccountEncrypt" + store).public]
        if store in HOST_READABLE:
            recipients.append(self.identity.access_encrypt.public)
        meta = ContentMeta(unique_id=primary_key(entry), event=event)
        return seal(entry.encode(), entropy=account.entropy, recipients=recipients, content_meta=meta)

    def update(
        self, account: Account, store: str, entries: Sequence[MeshObject], *, begins: bool = False
    ) -> wire.ContainerUpdate:
        envelopes = tuple(self.envelope(account, store, entry) for entry in entries)
        status = self.engine.status(account.profile.udf, store)
        if begins:
            return wire.ContainerUpdate(container=store, index=0, envelopes=(first_frame(), *envelopes))
        assert status is not None
        return wire.ContainerUpdate(
            container=store, index=status.count, digest=status.apex, envelopes=envelopes
        )

    def transact(
        self,
        account: Account,
        caller: Caller | None = None,
        *,
        local: Sequence[Envelope] = (),
        begins: bool = False,
        **entries: Sequence[MeshObject],
    ) -> wire.TransactResponse:
        updates = [self.update(account, store, made, begins=begins) for store, made in entries.items()]
        request = wire.TransactRequest(updates=tuple(updates), local=tuple(local))
        return self.ask(request, wire.TransactResponse, caller or account.root)

    def connect(self, account: Account, label: str, roles: Sequence[str] = ("device",)) -> Caller:
        device = account.cataloged(label, roles)
        access = account.access(device, roles)
        answer = self.transact(account, MMM_Device=[device], MMM_Access=[access])
        assert answer.status == 201, answer
        return Caller(account=account.address, key_id=device.udf)

    def publish(self, maker: Account, label: str) -> bytes:
        source = Source(label)
        seed = derive.new_seed(derive.PROFILE_DEVICE, source)
        secret = earl.connect_secret(seed, maker.address)
        device = make_profile_device(seed, START)
        entry = make_publication(secret, None, device, ["mmm-tcp://192.0.2.1:7"], source, START)
        assert self.transact(maker, MMM_Publication=[entry]).status == 201
        return secret

    def counts(self, account: Account) -> dict[str, int]:
        udf = account.profile.udf
        statuses = {store: self.engine.status(udf, store) for store in self.engine.stores(udf)}
        return {store: status.count for store, status in statuses.items() if status}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "service")
    yield made
    made.engine.close()
