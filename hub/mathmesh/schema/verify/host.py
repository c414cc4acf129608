"""Verification of the hosts of a service (draft-hallambaker-mesh-schema §6).

AccountHostAssignment, after 1 and 2 of `mathmesh.schema.validation`
  88. it is signed by the ServiceSignature key, valid now, of the service that the account's profile names
      (`allow_unsigned`: or not at all, as by the reference);
  89. it is for the account's address;
  90. AccessEncrypt is a public X448 key that bears its UDF, within NotBefore and NotOnOrAfter.
Connection of a host (ConnectionHost, or the ConnectionService that the edition of 2022 writes)
  91. it is signed by the service's ServiceSignature key, valid now;
  92. Authority is the UDF of the service, Subject that of Authentication, which passes 3, 4, 5 and 25;
  93. where the host's profile is given, Authentication is its key, plus the activation where there is one.
ActivationHost
  94. it is signed as in 91, before it is decrypted;
  95. it holds a seed of the type for service activations.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys import derive
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.activated import HOST_ACTIVATION, activated_authentication
from mathmesh.schema.activation import ActivationHost
from mathmesh.schema.connection import AccountHostAssignment, Connection, ConnectionHost, ConnectionService
from mathmesh.schema.key_data import AGREEMENT, SIGNING, same_udf
from mathmesh.schema.profile import ProfileAccount, ProfileHost, ProfileService
from mathmesh.schema.signed import (
    check_public_keys,
    check_signed_by,
    check_signed_or_clear,
    exactly,
    is_unsigned,
    object_in,
)
from mathmesh.schema.validity import check_keys_valid, key_in_use
from mathmesh.schema.verify.connection_request import service_key
from mathmesh.schema.verify.message import check_address


def verify_account_host_assignment(
    envelope: Envelope,
    *,
    account: ProfileAccount,
    service: ProfileService | None,
    now: datetime,
    allow_unsigned: bool = False,
) -> AccountHostAssignment:
    """The assignment in `envelope` of a host to the verified `account`, after checks 88 to 90.

    `service` is the verified profile of the account's service; None will do for unsigned ones only.
    """
    lax = allow_unsigned and is_unsigned(envelope)
    if not lax:
        check_signed_by(envelope, service_key(service, account, now), "AccountHostAssignment")
    found = object_in(envelope, AccountHostAssignment, require_digest=not lax)
    check_address(found.account_addess, account.account_address, "AccountHostAssignment.AccountAddess")
    check_public_keys(found, {"access_encrypt": AGREEMENT})
    check_keys_valid(found, now)
    return found


def verify_connection_host(
    envelope: Envelope,
    *,
    service: ProfileService,
    now: datetime,
    host: ProfileHost | None = None,
    activation: ActivationHost | None = None,
) -> Connection:
    """The connection in `envelope` of a host to the verified `service`, after checks 91 to 93.

    `host` is the verified profile of the host, `activation` its verified activation.
    """
    check_signed_by(envelope, _signer(service, now), "ConnectionHost")
    connection = object_in(envelope, Connection)
    if type(connection) not in (ConnectionHost, ConnectionService):
        raise VerificationError(f"a {connection.tag} is no connection of a host")
    key = check_public_keys(connection, {"authentication": AGREEMENT})["authentication"]
    check_keys_valid(connection, now)
    if not same_udf(connection.authority, service.udf) or not same_udf(connection.subject, key.udf):
        raise VerificationError(f"the connection is of {connection.subject} to {connection.authority}")
    if host is not None:
        expected = key_in_use(host.authentication, "Authentication in the host's profile", now)
        if activation is not None:
            seed = activation.activation_key or ""
            expected = activated_authentication(host, seed, activation=HOST_ACTIVATION)
        if key != expected:
            raise VerificationError("the connected key is not that of the host")
    return connection


def connected_host_signature(envelope: Envelope, *, service: ProfileService, now: datetime) -> PublicKey:
    """The key with which a host signs for the verified `service`, after checks 91 and 92."""
    connection = verify_connection_host(envelope, service=service, now=now)
    signature = connection.signature if isinstance(connection, ConnectionHost) else None
    key_in_use(signature, "Signature in the connection of the host", now)
    return check_public_keys(connection, {"authentication": AGREEMENT, "signature": SIGNING})["signature"]


def verify_activation_host(
    envelope: Envelope,
    *,
    service: ProfileService,
    keyring: Keyring,
    now: datetime,
    allow_unsigned: bool = False,
) -> ActivationHost:
    """The activation in `envelope`, opened with the host's base encryption key, after checks 94 and 95."""
    check_signed_or_clear(envelope, _signer(service, now), "ActivationHost", allow_unsigned=allow_unsigned)
    lax = allow_unsigned and is_unsigned(envelope)
    found = object_in(envelope, ActivationHost, keyring=keyring, require_digest=not lax)
    activation = exactly(found, ActivationHost)
    check_keys_valid(activation, now)
    if derive.seed_type(activation.activation_key or "") != derive.ACTIVATION_SERVICE:
        raise VerificationError("the activation key is not a seed for service activations")
    return activation


def _signer(service: ProfileService, now: datetime) -> PublicKey:
    return key_in_use(service.service_signature, "ServiceSignature", now)
