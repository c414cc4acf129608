"""Grants: what each role gives, and that the shares of a threshold device are no keys."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mathmesh.errors import MeshError, PolicyError
from mathmesh.keys import derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from mathmesh.messaging.granting import ENTRY_NAMES, canonical_roles, grant
from mathmesh.schema.build.capability import Service
from mathmesh.schema.build.profile import ACCOUNT
from mathmesh.schema.capability import CapabilityDecryptServiced
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.signed import object_in
from mathmesh.threshold.split import join_direct

DEVICE = "MBDE-VICE-AAAA-AAAA-AAAA-AAAA-AAAA"


def _granted(someone: Any, *roles: str) -> tuple[Any, Any]:
    host = generate("X448", os.urandom)
    service = Service(
        address=someone.sender.address,
        host_key=host.public,
        administrator=derive.derive_key(someone.seed, ACCOUNT + "AdminSign"),
    )
    made = grant(
        someone.granter,
        roles,
        device_key_id=DEVICE,
        service=service,
        entropy=os.urandom,
        now=someone.sender.now,
    )
    return made, host


@pytest.mark.parametrize(
    ("role", "store", "other"),
    [
        ("device", "MMM_Network", "MMM_Contact"),
        ("message", "MMM_Contact", "MMM_Credential"),
        ("web", "MMM_Credential", "MMM_Device"),
        ("admin", "MMM_Local", "MMM_Access"),
        ("super", "MMM_Access", "MMM_Member"),
    ],
)
def test_roles_give_stores(party: Callable[[str], Any], role: str, store: str, other: str) -> None:
    made, _ = _granted(party("alice@example.com"), role)
    stores = {entry.resource for entry in made.common.entries}
    assert store in stores
    assert other not in stores
    assert not made.access


def test_shares_add_up_only_with_the_service(party: Callable[[str], Any]) -> None:
    alice = party("alice@example.com")
    made, host = _granted(alice, "threshold")
    whole = {entry.resource: alice.granter.store_keys(entry.resource)[0] for entry in made.common.entries}
    assert set(whole) >= {"MMM_Credential", "MMM_Contact", "MMM_Inbound"}
    assert made.common.signature is None
    held = {one.capability.id: one.capability for one in made.access}
    for entry in made.common.entries:
        share = entry.key.key_share()
        key = whole[entry.resource]
        assert share.public_primary == key.public
        assert share.share.scalar != key.scalar
        capability = held[share.key_id]
        assert isinstance(capability, CapabilityDecryptServiced)
        assert capability.grantee_udf == DEVICE
        assert capability.enveloped_key_share is not None
        theirs = object_in(capability.enveloped_key_share, KeyData, keyring=MemoryKeyring([host]))
        joined = join_direct(key.public, [share.share, theirs.key_share().share])
        assert joined.public == key.public
        assert entry.unknown[ENTRY_NAMES]
        with pytest.raises(MeshError):
            object_in(capability.enveloped_key_share, KeyData, keyring=MemoryKeyring([key]))


def test_threshold_goes_with_no_other_role(party: Callable[[str], Any]) -> None:
    with pytest.raises(PolicyError, match="would give the keys"):
        _granted(party("alice@example.com"), "threshold", "web")


def test_nobody_grants_what_it_lacks(party: Callable[[str], Any]) -> None:
    alice = party("alice@example.com")
    poor = replace(alice.granter, account={"encryption": alice.granter.account["encryption"]})
    host = generate("X448", os.urandom)
    service = Service(
        address="alice@example.com",
        host_key=host.public,
        administrator=derive.derive_key(alice.seed, ACCOUNT + "AdminSign"),
    )
    with pytest.raises(PolicyError, match="cannot grant"):
        grant(
            poor, ["admin"], device_key_id=DEVICE, service=service, entropy=os.urandom, now=alice.sender.now
        )


def test_role_names() -> None:
    assert canonical_roles(["Root", "web", "super"]) == ("super", "web")
    assert canonical_roles([]) == ("null",)
    with pytest.raises(PolicyError, match="no role emperor"):
        canonical_roles(["emperor"])
