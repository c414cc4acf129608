"""A host of a service: its own keys, and the connection by which the service vouches for them.

A host has a profile of its own (mesh-schema §6). The service gives it an activation, which is added to its
keys, and a connection that states the sums. With the activated signature key the host signs its answers:
callers that have pinned the service accept every host that it has connected.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys import derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.activated import AUTHENTICATE, ENCRYPT, HOST_ACTIVATION, SIGN
from mathmesh.schema.build.enveloped import enveloped, no_entropy, seconds
from mathmesh.schema.build.host import make_activation_host
from mathmesh.schema.build.profile import HOST, make_profile_host
from mathmesh.schema.connection import ConnectionHost
from mathmesh.schema.key_data import AGREEMENT, SIGNING, KeyData
from mathmesh.schema.profile import ProfileService
from mathmesh.schema.profile_validation import verify_profile_host, verify_profile_service
from mathmesh.schema.verify.host import (
    connected_host_signature,
    verify_activation_host,
    verify_connection_host,
)
from mathmesh.threshold.cogeneration import combine_private, combine_public
from mathmesh.types import Entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class HostIdentity:
    """A connected host: what it shows to callers, and the key with which it signs its answers."""

    profile_envelope: Envelope
    connection_envelope: Envelope
    signature: PrivateKey = field(repr=False)

    @classmethod
    def from_seed(
        cls,
        host_seed: str,
        created: datetime,
        activation: Envelope,
        connection: Envelope,
        *,
        service: ProfileService,
        now: datetime,
    ) -> HostIdentity:
        """The host with `host_seed` (type 0x0100) under the activation and connection that `service` made.

        `created` is the time in its profile. Raises VerificationError when they are not for this host.
        """
        profile = make_profile_host(host_seed, created)
        base = MemoryKeyring([derive.derive_key(host_seed, HOST + ENCRYPT)])
        activated = verify_activation_host(activation, service=service, keyring=base, now=now)
        host = verify_profile_host(profile, now=now)
        verify_connection_host(connection, service=service, now=now, host=host, activation=activated)
        signature = combine_private(
            derive.derive_key(host_seed, HOST + SIGN),
            derive.derive_key(activated.activation_key or "", HOST_ACTIVATION + SIGN),
        )
        stated = connected_host_signature(connection, service=service, now=now)
        if stated != signature.public:
            raise VerificationError("the connection of this host states another signature key than its own")
        return cls(profile_envelope=profile, connection_envelope=connection, signature=signature)


def connect_host(
    profile_service: Envelope,
    profile_host: Envelope,
    *,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
    expires: datetime | None = None,
) -> tuple[Envelope, Envelope]:
    """The ActivationHost and the ConnectionHost that make a host one of the service's, until `expires`.

    `signer` is the ServiceSignature key. Both profiles are verified first.
    """
    service = verify_profile_service(profile_service, now=now)
    host = verify_profile_host(profile_host, now=now)
    seed = derive.new_seed(derive.ACTIVATION_SERVICE, entropy)
    activation = make_activation_host(
        profile_service, profile_host, seed, signer=signer, entropy=entropy, now=now
    )
    authentication = _activated(host.authentication, seed, AUTHENTICATE, AGREEMENT)
    connection = ConnectionHost(
        updated=seconds(now),
        subject=authentication.udf,
        authority=service.udf,
        authentication=_until(KeyData.of_public(authentication), expires),
        signature=_until(KeyData.of_public(_activated(host.signature, seed, SIGN, SIGNING)), expires),
    )
    return activation, enveloped(connection, entropy=no_entropy, now=now, signer=signer, json_b=True)


def _until(key: KeyData, expires: datetime | None) -> KeyData:
    return key if expires is None else replace(key, not_on_or_after=seconds(expires))


def _activated(base: KeyData | None, seed: str, operation: str, curve: str) -> PublicKey:
    if base is None:
        raise VerificationError("the profile of the host lacks a base key")
    return combine_public(base.public_key(curve), derive.derive_key(seed, HOST_ACTIVATION + operation).public)
