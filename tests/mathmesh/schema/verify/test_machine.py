"""Checks 96 to 99: what a machine keeps about itself."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, LocalProtocolError, VerificationError
from mathmesh.keys import derive, earl
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.schema import (
    CatalogedMachine,
    CatalogedPending,
    CatalogedPreconfigured,
    CatalogedService,
    CatalogedStandard,
    parse,
    primary_key,
    verify_profile_service,
)
from mathmesh.schema.build import make_cataloged_preconfigured, make_preconfiguration_private
from mathmesh.schema.verify import verify_cataloged_machine


@pytest.fixture(scope="module")
def machines(world: Any, kinds: Any, cataloged: Any) -> dict[str, Any]:
    private = make_preconfiguration_private(
        world.device_seed,
        world.profile_device,
        earl.connect_uri(world.k, "maker@hub.local"),
        [],
        world.now,
    )
    return {
        "standard": CatalogedStandard(
            id=world.account.udf,
            default=True,
            enveloped_profile_account=world.profile_user,
            cataloged_device=cataloged,
        ),
        "pending": CatalogedPending(
            id=world.profile_device_object.udf,
            enveloped_profile_account=world.profile_user,
            device_udf=world.profile_device_object.udf,
            enveloped_profile_device=world.profile_device,
            enveloped_acknowledge_connection=kinds.acknowledgement,
            account_address="alice@hub.local",
        ),
        "preconfigured": make_cataloged_preconfigured(private),
        "service": CatalogedService(
            id="hub",
            enveloped_profile_service=world.profile_service,
            enveloped_profile_host=kinds.profile_host,
            enveloped_activation_host=kinds.activation_host,
            enveloped_connection_service=kinds.connection_host,
        ),
    }


def verify(world: Any, kinds: Any, entry: Any, **options: Any) -> Any:
    defaults = {
        "now": world.now,
        "service": verify_profile_service(world.profile_service),
        "keyring": MemoryKeyring([derive.derive_key(kinds.host_seed, "BaseHostEncrypt")]),
    }
    return verify_cataloged_machine(entry, **(defaults | options))


@pytest.mark.parametrize("state", ["standard", "pending", "preconfigured", "service"])
def test_good_entries_pass(world: Any, kinds: Any, machines: Any, state: str) -> None:
    entry = parse(machines[state].encode())
    assert entry == machines[state]
    assert primary_key(entry) == machines[state].id
    found = verify(world, kinds, entry)
    assert found.entry == entry
    held = {"service": found.host}.get(state, found.profile_device)
    assert held is not None


@pytest.mark.parametrize("state", ["standard", "pending", "preconfigured", "service"])
def test_an_entry_without_id_is_refused(world: Any, kinds: Any, machines: Any, state: str) -> None:
    with pytest.raises(VerificationError, match="has no Id"):
        verify(world, kinds, replace(machines[state], id=None))


def test_a_machine_is_in_one_of_four_states(world: Any, kinds: Any) -> None:
    with pytest.raises(VerificationError, match="no state of a machine"):
        verify(world, kinds, CatalogedMachine(id="M"))


def refused(world: Any, kinds: Any, entry: Any, **members: Any) -> None:
    with pytest.raises((VerificationError, EncodingError)):
        verify(world, kinds, replace(entry, **members))


def test_96_a_connected_machine_has_a_good_entry(
    world: Any, kinds: Any, machines: Any, cataloged: Any
) -> None:
    entry = machines["standard"]
    refused(world, kinds, entry, cataloged_device=None)
    refused(world, kinds, entry, enveloped_profile_account=world.other_user)
    refused(world, kinds, entry, enveloped_profile_account=None)
    refused(world, kinds, entry, cataloged_device=replace(cataloged, device_udf=world.account.udf))


def test_97_a_pending_machine_asked_itself(world: Any, kinds: Any, machines: Any, altered: Any) -> None:
    entry = machines["pending"]
    assert verify(world, kinds, entry).acknowledgement.requested.request.account_address == "alice@hub.local"
    refused(world, kinds, entry, device_udf=world.account.udf)
    refused(world, kinds, entry, enveloped_profile_device=altered(world.profile_device))
    refused(world, kinds, entry, enveloped_profile_account=world.other_user)
    refused(world, kinds, entry, enveloped_acknowledge_connection=None)
    refused(world, kinds, entry, enveloped_acknowledge_connection=altered(kinds.acknowledgement))


def test_98_a_preconfigured_machine_can_check_a_claim(world: Any, kinds: Any, machines: Any) -> None:
    entry = machines["preconfigured"]
    assert isinstance(entry, CatalogedPreconfigured)
    assert entry.publication_id == earl.publication_id(world.k)
    assert entry.device_authenticator == earl.device_authenticator(world.k)
    assert entry.account_address == "maker@hub.local"
    assert udf.text(udf.ENCRYPTION, world.k).encode() not in entry.encode()
    refused(world, kinds, entry, publication_id=None)
    refused(world, kinds, entry, service_authenticator=world.account.udf)
    refused(world, kinds, entry, device_authenticator="?")
    refused(world, kinds, entry, enveloped_profile_device=world.profile_user)


@pytest.mark.parametrize("uri", [None, "mcu://maker@hub.local/" + udf.text(udf.MAC, bytes(15))])
def test_98_a_label_without_secret_preconfigures_nothing(world: Any, uri: str | None) -> None:
    private = make_preconfiguration_private(world.device_seed, world.profile_device, uri, [], world.now)
    with pytest.raises((LocalProtocolError, EncodingError)):
        make_cataloged_preconfigured(private)


def test_99_a_host_has_good_credentials(world: Any, kinds: Any, machines: Any, altered: Any) -> None:
    entry = machines["service"]
    refused(world, kinds, entry, enveloped_profile_host=world.profile_device)
    refused(world, kinds, entry, enveloped_profile_service=altered(world.profile_service))
    refused(world, kinds, entry, enveloped_connection_service=None)
    refused(world, kinds, entry, enveloped_connection_service=altered(kinds.connection_host))
    refused(world, kinds, entry, enveloped_activation_host=None)
    refused(world, kinds, entry, enveloped_activation_host=altered(kinds.activation_host))
    assert verify(world, kinds, entry, keyring=None).host is not None
