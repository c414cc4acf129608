"""Hosts of a service (mesh-schema §6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import LocalProtocolError, PolicyError
from mathmesh.keys import derive
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.activated import HOST_ACTIVATION, activated_authentication
from mathmesh.schema.activation import ActivationHost
from mathmesh.schema.build.enveloped import enveloped, no_entropy, seconds
from mathmesh.schema.connection import AccountHostAssignment, ConnectionService
from mathmesh.schema.key_data import AGREEMENT, KeyData
from mathmesh.schema.profile import ProfileService
from mathmesh.schema.profile_validation import (
    verify_profile_host,
    verify_profile_service,
)
from mathmesh.types import Entropy


def make_account_host_assignment(
    address: str, access_encrypt: PublicKey, *, signer: PrivateKey, now: datetime, hosts: Sequence[str] = ()
) -> Envelope:
    """The assignment of a host to the account at `address`, signed by the derived ServiceSignature key.

    `access_encrypt` is the X448 key of the host, `hosts` are its addresses.
    """
    statement = AccountHostAssignment(
        account_addess=uri.account_address(address),
        host_addresses=tuple(hosts) or None,
        access_encrypt=KeyData.of_public(access_encrypt),
    )
    return enveloped(statement, entropy=no_entropy, now=now, signer=signer)


def make_connection_host(
    profile_service: Envelope,
    profile_host: Envelope,
    *,
    signer: PrivateKey,
    now: datetime,
    activation_seed: str | None = None,
) -> Envelope:
    """The connection of a host to its service, in JSON-B, signed by the derived ServiceSignature key.

    It is a ConnectionService, as the edition of 2022 has it. `activation_seed` (type 0x0105) is that of the
    ActivationHost, where the host has one.
    """
    service = _signing_for(profile_service, signer)
    host = verify_profile_host(profile_host)
    key = (host.authentication or KeyData()).public_key(AGREEMENT)
    if activation_seed is not None:
        key = activated_authentication(host, activation_seed, activation=HOST_ACTIVATION)
    connection = ConnectionService(
        updated=seconds(now),
        subject=key.udf,
        authority=service.udf,
        authentication=KeyData.of_public(key),
    )
    return enveloped(connection, entropy=no_entropy, now=now, signer=signer, json_b=True)


def make_activation_host(
    profile_service: Envelope,
    profile_host: Envelope,
    activation_seed: str,
    *,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
) -> Envelope:
    """The activation of a host by `activation_seed` (type 0x0105), encrypted to its base encryption key and
    signed by the ServiceSignature key.
    """
    service = _signing_for(profile_service, signer)
    host = verify_profile_host(profile_host)
    if derive.seed_type(activation_seed) != derive.ACTIVATION_SERVICE:
        raise LocalProtocolError(f"a seed of type {derive.ACTIVATION_SERVICE:#06x} is wanted here")
    activation = ActivationHost(activation_key=activation_seed, account_udf=service.udf)
    base = (host.encryption or KeyData()).public_key(AGREEMENT)
    return enveloped(activation, entropy=entropy, now=now, signer=signer, recipients=[base])


def _signing_for(profile_service: Envelope, signer: PrivateKey) -> ProfileService:
    service = verify_profile_service(profile_service)
    if service.service_signature is None or service.service_signature.udf != signer.public.udf:
        raise PolicyError(f"key {signer.public.udf} does not sign for service {service.udf}")
    return service
