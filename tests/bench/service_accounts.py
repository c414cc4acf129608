"""A service full of accounts, for benchmarks: as many as wanted, each with ten devices and some entries.

One device of each account is a real one, which makes the requests. The other nine are in MMM_Access and
MMM_Device with entries of the same size under keys of nobody: the service treats them alike, and making
ten thousand key pairs would take longer than all that is measured.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime

from mathmesh.codec import udf
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.keys import derive
from mathmesh.keys.pair import PublicKey, generate
from mathmesh.schema.build import make_access_capability, make_cataloged_device
from mathmesh.schema.build.capability import Service, make_split_key
from mathmesh.schema.capability import AccessCapability
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedCredential
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.primary_key import primary_key
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.credentials import Credentials
from mathmesh.stores import ACCESS, CREDENTIAL, DEVICE
from mathmesh.stores.first_frame import first_frame
from mathmesh.threshold.operate import KeyAgreementOperation
from meshclient.account_keys import AccountSeed, SeedKeys
from meshclient.session import device_credentials
from meshservice.engines.files import FileEngine

DOMAIN = "example.com"
DEVICES, ENTRIES = 10, 10
PEER = generate("X448", os.urandom).public
ROLES = ("web", "message")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An account as its device sees it: who it is, whose share to ask for, and the key of a store."""

    credentials: Credentials
    address: str
    share: str
    store_key: PublicKey

    def operate(self) -> wire.OperateRequest:
        """A request for one key agreement with the service's share."""
        operation = KeyAgreementOperation(key_id=self.share, public_key=PEER)
        return wire.OperateRequest(account_address=self.address, operations=(operation.to_json(),))

    def transact(self, number: int) -> wire.TransactRequest:
        """A request that appends one password."""
        entry = CatalogedCredential(service=f"site{number}.example", username="user", password="secret" * 3)
        update = wire.ContainerUpdate(container=CREDENTIAL, envelopes=(_sealed(entry, self.store_key),))
        return wire.TransactRequest(updates=(update,))


def make_member(engine: FileEngine, number: int, now: datetime) -> Member:
    """Bind an account and give it its devices, a share of its key and entries."""
    address = f"user{number}@{DOMAIN}"
    seeds = AccountSeed(
        address=address,
        seed=derive.new_seed(derive.PROFILE_ACCOUNT, os.urandom),
        device_seed=derive.new_seed(derive.PROFILE_DEVICE, os.urandom),
        activation=derive.new_seed(derive.ACTIVATION_ACCOUNT, os.urandom),
        created=now,
        service_udf=engine.identity.profile.udf,
        roles=ROLES,
        device_created=now,
    )
    keys = SeedKeys(seeds)
    assert keys.administrator is not None
    bind = wire.BindRequest(account_address=address, enveloped_profile_account=keys.profile_envelope)
    _ask(engine, bind, wire.BindResponse, address)
    host = engine.identity.access_encrypt.public
    device = make_cataloged_device(
        keys.profile_envelope,
        keys.device.profile_envelope,
        keys.administrator,
        ROLES,
        seeds.activation,
        os.urandom,
        now,
    )
    access = make_access_capability(device, os.urandom, now, rights=ROLES)
    split = make_split_key(
        keys.encryption[0],
        Service(address=address, host_key=host, administrator=keys.administrator),
        entropy=os.urandom,
        now=now,
        grantee_udf=device.udf,
    )
    store_key = keys.store_key(CREDENTIAL).public
    names = [generate("X448", os.urandom).public.udf for _ in range(DEVICES - 1)]
    entries: dict[str, list[Envelope]] = {
        ACCESS: [_sealed(one, keys.store_key(ACCESS).public, host) for one in (access, split.access)],
        DEVICE: [_sealed(device, keys.store_key(DEVICE).public)],
        CREDENTIAL: [
            _sealed(
                CatalogedCredential(service=f"{one}.example", username="user", password="x" * 20), store_key
            )
            for one in range(ENTRIES)
        ],
    }
    for name in names:
        assert isinstance(access.capability, AccessCapability)
        other = CatalogedAccess(capability=replace(access.capability, id=name))
        entries[ACCESS].append(_sealed(other, keys.store_key(ACCESS).public, host))
        copy = replace(device, udf=name, device_udf=udf.present(b"\x60" + os.urandom(32)))
        entries[DEVICE].append(_sealed(copy, keys.store_key(DEVICE).public))
    updates = tuple(
        wire.ContainerUpdate(container=store, index=0, envelopes=(first_frame(), *envelopes))
        for store, envelopes in entries.items()
    )
    _ask(engine, wire.TransactRequest(updates=updates), wire.TransactResponse, address)
    credentials = device_credentials(keys, now)
    return Member(
        credentials=credentials, address=address, share=split.share.key_id or "", store_key=store_key
    )


def _sealed(entry: MeshObject, *recipients: PublicKey) -> Envelope:
    meta = ContentMeta(unique_id=primary_key(entry), event="New")
    return seal(entry.encode(), entropy=os.urandom, recipients=recipients, content_meta=meta)


def _ask(engine: FileEngine, request: wire.Request, kind: type[wire.Response], address: str) -> None:
    answer = wire.decode_response(engine.dispatch(request.encode(), Caller(account=address)), kind)
    if not answer.succeeded:
        raise RuntimeError(f"the service refuses to set up the benchmark: {answer.status_description}")
