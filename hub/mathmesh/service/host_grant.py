"""How a service takes in a host (protocol book, "Hosts"): a profile goes one way, a grant comes back.

The grant holds the activation and the connection of the host, and, sealed to its base encryption key, the
keys with which every host of the service does its work: they are those that the ProfileService names, and the
one that reads what accounts let the service read. The service's seed, and with it the key that signs its
profile, stays where it is.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys import derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.schema.activated import ENCRYPT
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.build.profile import HOST
from mathmesh.schema.key_data import AGREEMENT, SIGNING, KeyData
from mathmesh.schema.mesh_object import MeshObject, mesh_type
from mathmesh.schema.profile_validation import verify_profile_host, verify_profile_service
from mathmesh.schema.signed import check_signed_by, object_in
from mathmesh.schema.validity import key_in_use
from mathmesh.service.host import HostIdentity, connect_host
from mathmesh.service.identity import ServiceIdentity
from mathmesh.types import Entropy


@mesh_type
class HostKeys(MeshObject):
    """The private keys of the service; `invitations` is the secret that its invitations are made with."""

    signature: KeyData | None = None
    encryption: KeyData | None = None
    access_encrypt: KeyData | None = None
    invitations: bytes | None = None


@mesh_type
class HostGrant(MeshObject):
    """What a service gives to a host."""

    enveloped_profile_service: Envelope | None = None
    enveloped_profile_host: Envelope | None = None
    enveloped_activation_host: Envelope | None = None
    enveloped_connection_host: Envelope | None = None
    enveloped_host_keys: Envelope | None = None


def grant_host(
    service: ServiceIdentity,
    profile_host: Envelope,
    *,
    invitations: bytes,
    entropy: Entropy,
    now: datetime,
    expires: datetime | None = None,
) -> HostGrant:
    """Make the host with this profile one of the service's, until `expires`."""
    activation, connection = connect_host(
        service.profile_envelope,
        profile_host,
        signer=service.signature,
        entropy=entropy,
        now=now,
        expires=expires,
    )
    keys = HostKeys(
        signature=KeyData.of_private(service.signature),
        encryption=KeyData.of_private(service.encryption),
        access_encrypt=KeyData.of_private(service.access_encrypt),
        invitations=invitations,
    )
    recipient = (verify_profile_host(profile_host, now=now).encryption or KeyData()).public_key(AGREEMENT)
    return HostGrant(
        enveloped_profile_service=service.profile_envelope,
        enveloped_profile_host=profile_host,
        enveloped_activation_host=activation,
        enveloped_connection_host=connection,
        enveloped_host_keys=enveloped(
            keys, entropy=entropy, now=now, signer=service.signature, recipients=[recipient]
        ),
    )


def granted_identity(
    grant: HostGrant, host_seed: str, created: datetime, domains: frozenset[str], now: datetime
) -> tuple[ServiceIdentity, bytes]:
    """The service as the host with `host_seed` (type 0x0100) speaks for it, and the secret of invitations.

    Raises VerificationError when the grant is not for this host, not whole, or not valid at `now`.
    """
    profile_envelope = _present(grant.enveloped_profile_service)
    profile = verify_profile_service(profile_envelope, now=now)
    host = HostIdentity.from_seed(
        host_seed,
        created,
        _present(grant.enveloped_activation_host),
        _present(grant.enveloped_connection_host),
        service=profile,
        now=now,
    )
    sealed = _present(grant.enveloped_host_keys)
    signer = key_in_use(profile.service_signature, "ServiceSignature", now)
    check_signed_by(sealed, signer, "HostKeys")
    keyring = MemoryKeyring([derive.derive_key(host_seed, HOST + ENCRYPT)])
    keys = object_in(sealed, HostKeys, keyring=keyring)
    signature = (keys.signature or KeyData()).private_key(SIGNING)
    encryption = (keys.encryption or KeyData()).private_key(AGREEMENT)
    stated = key_in_use(profile.service_encryption, "ServiceEncryption", now)
    if signature.public != signer or encryption.public != stated or keys.invitations is None:
        raise VerificationError("the keys in the grant are not those of the service")
    identity = ServiceIdentity(
        domains=frozenset(domain.lower() for domain in domains),
        profile_envelope=profile_envelope,
        profile=profile,
        signature=signature,
        access_encrypt=(keys.access_encrypt or KeyData()).private_key(AGREEMENT),
        encryption=encryption,
        host=host,
    )
    return identity, keys.invitations


def _present(envelope: Envelope | None) -> Envelope:
    if envelope is None:
        raise VerificationError("the grant is not whole")
    return envelope
