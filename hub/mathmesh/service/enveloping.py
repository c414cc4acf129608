"""Requests and answers in envelopes (protocol book, "Enveloped requests").

A request is a DARE envelope, encrypted to the service's ServiceEncryption key and signed by the caller. Its
body, a ServiceRequest in JSON-B, names caller, service, time and a nonce beside the request itself, and the
key that signed: so nothing of it can be sent elsewhere, later, again, or as another's. The answer, a
ServiceResponse, is encrypted to the caller's encryption key, signed by the service or its host, and echoes
the nonce. The media type of both is `application/dare`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, open_envelope, seal
from mathmesh.errors import ProtocolError, VerificationError
from mathmesh.keys import ids
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.key_data import AGREEMENT, SIGNING, KeyData, same_udf
from mathmesh.schema.mesh_object import MeshObject, mesh_type
from mathmesh.schema.profile import ProfileService
from mathmesh.schema.signed import object_in
from mathmesh.schema.validation import verify_profile_service
from mathmesh.schema.validity import key_in_use
from mathmesh.schema.verify.host import connected_host_signature
from mathmesh.service import messages as wire
from mathmesh.service.credentials import Credentials
from mathmesh.types import Entropy

MEDIA_TYPE = "application/dare"
WINDOW = timedelta(minutes=5)
"""How far the time of a request may be from the service's."""
VALUES_MOST = 4096
"""Values in an enveloped request, the request itself aside: it is read before its sender is known."""


@mesh_type
class ServiceRequest(MeshObject):
    """The body of an enveloped request; `request` is the encoded request.

    A caller without account states its own keys: `signature` and `encryption`. `key_id` is the UDF of the
    key that signed.
    """

    account: str | None = None
    service_udf: str | None = None
    request_id: str | None = None
    created: datetime | None = None
    key_id: str | None = None
    signature: KeyData | None = None
    encryption: KeyData | None = None
    enveloped_profile_account: Envelope | None = None
    enveloped_connection_device: Envelope | None = None
    enveloped_profile_service: Envelope | None = None
    request: bytes | None = None


@mesh_type
class ServiceResponse(MeshObject):
    """The body of an enveloped answer; `response` is the encoded answer."""

    request_id: str | None = None
    created: datetime | None = None
    response: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKeys:
    """What a caller knows of a service: its verified profile, and whose signature its answers may bear."""

    profile: ProfileService
    encryption: PublicKey
    signers: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A request on its way: the octets to send, and what its answer is known by."""

    octets: bytes
    request_id: str
    encryption: PrivateKey


def service_keys(hello: wire.MeshHelloResponse, now: datetime, expected: str | None = None) -> ServiceKeys:
    """The keys of the service that said hello.

    Raises VerificationError when its profile or the connection of its host does not verify, or when it is
    not the service with the UDF `expected`.
    """
    if hello.enveloped_profile_service is None:
        raise ProtocolError("the service states no profile")
    profile = verify_profile_service(hello.enveloped_profile_service, now=now)
    if expected is not None and not same_udf(expected, profile.udf):
        raise VerificationError(f"this is service {profile.udf}, the account belongs to {expected}")
    signers = [key_in_use(profile.service_signature, "ServiceSignature", now)]
    if hello.enveloped_connection_host is not None:
        signers.append(connected_host_signature(hello.enveloped_connection_host, service=profile, now=now))
    return ServiceKeys(
        profile=profile,
        encryption=key_in_use(profile.service_encryption, "ServiceEncryption", now),
        signers=tuple(signers),
    )


def seal_request(
    request: bytes, service: ServiceKeys, credentials: Credentials, *, entropy: Entropy, now: datetime
) -> Sealed:
    """`request` in an envelope for `service` by an account or one of its devices."""
    return _sealed(
        ServiceRequest(
            account=credentials.account,
            enveloped_profile_account=credentials.profile,
            enveloped_connection_device=credentials.connection,
            request=request,
        ),
        service,
        credentials.signature,
        credentials.encryption,
        entropy,
        now,
    )


def seal_as_stranger(
    request: bytes,
    service: ServiceKeys,
    signature: PrivateKey,
    encryption: PrivateKey,
    *,
    entropy: Entropy,
    now: datetime,
) -> Sealed:
    """`request` in an envelope by nobody known: `signature` (Ed448) and `encryption` (X448) are fresh."""
    stated = ServiceRequest(
        signature=KeyData.of_public(signature.public),
        encryption=KeyData.of_public(encryption.public),
        request=request,
    )
    return _sealed(stated, service, signature, encryption, entropy, now)


def seal_as_service(
    request: bytes,
    service: ServiceKeys,
    profile: Envelope,
    signature: PrivateKey,
    encryption: PrivateKey,
    *,
    entropy: Entropy,
    now: datetime,
) -> Sealed:
    """`request` in an envelope by the service with this `profile`: its ServiceSignature and
    ServiceEncryption keys.
    """
    stated = ServiceRequest(enveloped_profile_service=profile, request=request)
    return _sealed(stated, service, signature, encryption, entropy, now)


def open_response(octets: bytes, sent: Sealed, service: ServiceKeys) -> bytes:
    """The encoded answer in an envelope.

    Raises VerificationError unless it is for this request and signed by the service or its host, and what
    `open_envelope` raises.
    """
    envelope = Envelope.from_bytes(octets)
    keyring = MemoryKeyring([sent.encryption])
    opened = open_envelope(envelope, keyring=keyring, signers=service.signers, require_signature=True)
    response = ServiceResponse.decode(opened.plaintext)
    if not same_udf(response.request_id, sent.request_id):
        raise VerificationError("the service answered another request than this one")
    if response.response is None:
        raise ProtocolError("the service's envelope holds no answer")
    return response.response


def seal_response(
    response: bytes,
    request_id: str,
    recipient: PublicKey,
    signer: PrivateKey,
    *,
    entropy: Entropy,
    now: datetime,
) -> bytes:
    """`response` in an envelope for the caller with the key `recipient`, signed by the service or host."""
    body = ServiceResponse(request_id=request_id, created=now, response=response)
    return _seal(body, recipient, signer, entropy).to_json_b()


def read_request(envelope: Envelope, keyring: MemoryKeyring) -> ServiceRequest:
    """The body of an enveloped request; who signed it is not checked here."""
    return object_in(envelope, ServiceRequest, keyring=keyring, most=VALUES_MOST)


def stated_keys(request: ServiceRequest) -> tuple[PublicKey, PublicKey]:
    """The keys for signature and encryption that a caller without account states."""
    if request.signature is None or request.encryption is None:
        raise VerificationError("the request names no account and no keys")
    return request.signature.public_key(SIGNING), request.encryption.public_key(AGREEMENT)


def _sealed(
    stated: ServiceRequest,
    service: ServiceKeys,
    signature: PrivateKey,
    encryption: PrivateKey,
    entropy: Entropy,
    now: datetime,
) -> Sealed:
    request_id = ids.nonce_id(entropy)
    body = replace(
        stated,
        service_udf=service.profile.udf,
        request_id=request_id,
        created=now,
        key_id=signature.public.udf,
    )
    octets = _seal(body, service.encryption, signature, entropy).to_json_b()
    return Sealed(octets=octets, request_id=request_id, encryption=encryption)


def _seal(body: MeshObject, recipient: PublicKey, signer: PrivateKey, entropy: Entropy) -> Envelope:
    return seal(
        body.encode_json_b(),
        entropy=entropy,
        recipients=[recipient],
        signer=signer,
        content_meta=ContentMeta(message_type=body.tag),
    )
