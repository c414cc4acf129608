"""Checks 88 to 95: hosts of a service."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.errors import LocalProtocolError, MeshError, PolicyError, VerificationError
from mathmesh.keys import derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.schema import (
    AccountHostAssignment,
    ActivationAccount,
    ActivationEntry,
    ActivationHost,
    ConnectionHost,
    ConnectionService,
    ConnectionStripped,
    KeyData,
    verify_activation_account,
    verify_profile_device,
    verify_profile_host,
    verify_profile_service,
)
from mathmesh.schema.build import make_activation_host, make_connection_host, make_profile_host
from mathmesh.schema.signed import object_in
from mathmesh.schema.verify import (
    verify_account_host_assignment,
    verify_activation_host,
    verify_connection_host,
)


@pytest.fixture(scope="module")
def service(world: Any) -> Any:
    return verify_profile_service(world.profile_service)


@pytest.fixture(scope="module")
def keyring(kinds: Any) -> MemoryKeyring:
    return MemoryKeyring([derive.derive_key(kinds.host_seed, "BaseHostEncrypt")])


def test_a_host_is_no_device(world: Any, kinds: Any) -> None:
    assert verify_profile_host(kinds.profile_host, now=world.now).encryption is not None
    with pytest.raises(VerificationError, match="stands in the place of"):
        verify_profile_device(kinds.profile_host)
    with pytest.raises(MeshError):
        verify_profile_host(world.profile_device)


def test_a_good_assignment_passes(world: Any, kinds: Any, service: Any) -> None:
    found = verify_account_host_assignment(
        kinds.assignment, account=world.account, service=service, now=world.now
    )
    assert found.access_encrypt is not None
    assert found.access_encrypt.udf == derive.derive_key(kinds.host_seed, "BaseHostEncrypt").public.udf


def test_88_the_service_assigns(world: Any, kinds: Any, service: Any, sign: Any, unsigned: Any) -> None:
    item = object_in(kinds.assignment, AccountHostAssignment)
    elsewhere = replace(world.account, service_udf=world.other.udf)
    for envelope, account, stated in (
        (sign(item, None), world.account, service),
        (sign(item, world.key("AdminSign")), world.account, service),
        (kinds.assignment, world.account, None),
        (kinds.assignment, elsewhere, service),
        (unsigned(kinds.assignment), world.account, service),
    ):
        with pytest.raises(VerificationError):
            verify_account_host_assignment(envelope, account=account, service=stated, now=world.now)
    found = verify_account_host_assignment(
        unsigned(sign(item, None)), account=world.account, service=None, now=world.now, allow_unsigned=True
    )
    assert found == item


def test_89_the_assignment_of_another_account_is_refused(world: Any, kinds: Any, service: Any) -> None:
    with pytest.raises(VerificationError, match="AccountAddess"):
        verify_account_host_assignment(kinds.assignment, account=world.other, service=service, now=world.now)


def test_90_the_key_of_the_host_is_a_public_agreement_key(
    world: Any, kinds: Any, service: Any, sign: Any
) -> None:
    item = object_in(kinds.assignment, AccountHostAssignment)
    right = item.access_encrypt
    assert right is not None
    for data in (
        None,
        KeyData.of_public(world.key("Sign").public),
        KeyData.of_private(world.key("Encrypt")),
        replace(right, udf=world.account.udf),
        replace(right, not_on_or_after=world.now),
    ):
        envelope = sign(replace(item, access_encrypt=data), world.service_signature)
        with pytest.raises(MeshError):
            verify_account_host_assignment(envelope, account=world.account, service=service, now=world.now)


def verify(world: Any, kinds: Any, envelope: Any, service: Any, **options: Any) -> Any:
    host = verify_profile_host(kinds.profile_host)
    return verify_connection_host(envelope, service=service, now=world.now, host=host, **options)


def test_a_good_connection_passes(world: Any, kinds: Any, service: Any, keyring: Any) -> None:
    activation = verify_activation_host(
        kinds.activation_host, service=service, keyring=keyring, now=world.now
    )
    assert activation.activation_key == kinds.host_activation
    found = verify(world, kinds, kinds.connection_host, service, activation=activation)
    assert type(found) is ConnectionService
    assert kinds.connection_host.body[:2] == b"{\xb4"
    plain = make_connection_host(
        world.profile_service, kinds.profile_host, signer=world.service_signature, now=world.now
    )
    assert verify(world, kinds, plain, service).subject != found.subject


def test_the_other_name_of_the_connection_is_read(world: Any, kinds: Any, service: Any, sign: Any) -> None:
    found = object_in(kinds.connection_host, ConnectionService)
    named = ConnectionHost(
        subject=found.subject, authority=found.authority, authentication=found.authentication
    )
    envelope = sign(named, world.service_signature)
    assert verify_connection_host(envelope, service=service, now=world.now) == named
    stripped = ConnectionStripped(
        subject=found.subject, authority=found.authority, authentication=found.authentication
    )
    with pytest.raises(VerificationError, match="no connection of a host"):
        verify_connection_host(sign(stripped, world.service_signature), service=service, now=world.now)


def test_91_the_service_connects(world: Any, kinds: Any, service: Any, sign: Any) -> None:
    found = object_in(kinds.connection_host, ConnectionService)
    for signer in (None, world.key("AdminSign"), derive.derive_key(world.service_seed, "BaseServiceProfile")):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify_connection_host(sign(found, signer), service=service, now=world.now)


def test_92_the_connection_names_both_ends(world: Any, kinds: Any, service: Any, sign: Any) -> None:
    found = object_in(kinds.connection_host, ConnectionService)
    for members in (
        {"authority": world.account.udf},
        {"authority": None},
        {"subject": world.account.udf},
        {"authentication": None},
        {"authentication": KeyData.of_private(world.key("Authenticate"))},
        {"authentication": replace(found.authentication or KeyData(), not_on_or_after=world.now)},
    ):
        envelope = sign(replace(found, **members), world.service_signature)
        with pytest.raises(VerificationError):
            verify_connection_host(envelope, service=service, now=world.now)


def test_93_the_key_is_that_of_the_host(world: Any, kinds: Any, service: Any) -> None:
    with pytest.raises(VerificationError, match="is not that of the host"):
        verify(world, kinds, kinds.connection_host, service)
    seed = derive.new_seed(derive.ACTIVATION_SERVICE, world.entropy)
    with pytest.raises(VerificationError, match="is not that of the host"):
        verify(world, kinds, kinds.connection_host, service, activation=ActivationHost(activation_key=seed))


def test_94_the_service_activates(world: Any, kinds: Any, service: Any, sign: Any, keyring: Any) -> None:
    activation = object_in(kinds.activation_host, ActivationHost, keyring=keyring)
    base = derive.derive_key(kinds.host_seed, "BaseHostEncrypt").public
    for signer in (None, world.key("AdminSign")):
        envelope = sign(activation, signer, recipients=[base])
        with pytest.raises(VerificationError, match="is not signed by"):
            verify_activation_host(envelope, service=service, keyring=keyring, now=world.now)
    found = verify_activation_host(
        sign(activation, None), service=service, keyring=keyring, now=world.now, allow_unsigned=True
    )
    assert found == activation


@pytest.mark.parametrize("kind", [derive.ACTIVATION_ACCOUNT, derive.PROFILE_SERVICE])
def test_95_a_seed_of_another_type_is_refused(
    world: Any, service: Any, sign: Any, keyring: Any, kind: int
) -> None:
    activation = ActivationHost(activation_key=derive.new_seed(kind, world.entropy))
    with pytest.raises(VerificationError, match="is not a seed for service activations"):
        verify_activation_host(
            sign(activation, world.service_signature), service=service, keyring=keyring, now=world.now
        )


def test_25_holds_for_the_activation_of_a_host(
    world: Any, kinds: Any, service: Any, sign: Any, keyring: Any
) -> None:
    key = replace(KeyData.of_private(world.key("Encrypt")), not_on_or_after=world.now)
    activation = ActivationHost(
        activation_key=kinds.host_activation, entries=(ActivationEntry(resource="S", key=key),)
    )
    with pytest.raises(VerificationError, match="has expired"):
        verify_activation_host(
            sign(activation, world.service_signature), service=service, keyring=keyring, now=world.now
        )


def test_the_activation_of_a_host_is_none_of_an_account(
    world: Any, kinds: Any, service: Any, sign: Any, keyring: Any
) -> None:
    host = ActivationHost(activation_key=world.activation_seed)
    with pytest.raises(VerificationError, match="stands in the place of"):
        verify_activation_account(sign(host, world.key("AdminSign")), world.account, world.base_keyring)
    account = ActivationAccount(activation_key=kinds.host_activation)
    with pytest.raises(MeshError):
        verify_activation_host(
            sign(account, world.service_signature), service=service, keyring=keyring, now=world.now
        )


def test_only_the_service_makes_hosts(world: Any, kinds: Any) -> None:
    with pytest.raises(PolicyError, match="does not sign for service"):
        make_connection_host(
            world.profile_service, kinds.profile_host, signer=world.key("AdminSign"), now=world.now
        )
    with pytest.raises(LocalProtocolError):
        make_activation_host(
            world.profile_service,
            kinds.profile_host,
            world.activation_seed,
            signer=world.service_signature,
            entropy=world.entropy,
            now=world.now,
        )
    with pytest.raises(LocalProtocolError):
        make_profile_host(world.account_seed, world.now)
