"""Capabilities: what a key or a person may ask of the service (mesh-schema §7)."""

from __future__ import annotations

from datetime import datetime

from mathmesh.codec import udf
from mathmesh.dare.envelope import Envelope
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.mesh_object import MeshObject, mesh_type
from mathmesh.schema.signed import check_digest

DIGEST_OCTETS = 15
"""A CatalogedDeviceDigest carries the type octet and this many octets of the digest: 128 bits."""


@mesh_type
class Capability(MeshObject):
    """What all capabilities share; one that is not ``active`` grants nothing.

    ``issued`` is the time of issue in seconds since 1970 as we write it (the draft gives no unit), ``mode``
    one of Device, Account and PIN. ``expires`` is an extension member: when it ends (protocol book).
    """

    id: str | None = None
    active: bool | None = None
    issued: int | None = None
    mode: str | None = None
    udf: str | None = None
    witness: str | None = None
    expires: datetime | None = None


@mesh_type
class NullCapability(Capability):
    """What stands where a capability was revoked."""


@mesh_type
class AccessCapability(Capability):
    """The access of one device; ``id`` is the UDF of its activated authentication key."""

    rights: tuple[str, ...] | None = None
    enveloped_cataloged_device: Envelope | None = None
    cataloged_device_digest: str | None = None


@mesh_type
class PublicationCapability(Capability):
    """The right to read one document; declared by the draft, made by nobody."""

    identifier: str | None = None
    digest: str | None = None
    data: bytes | None = None


@mesh_type
class CryptographicCapability(Capability):
    """The use of a key, by an account or the key of a device.

    ``key_data`` is the key for the grantee itself, ``enveloped_key_share`` what the service holds for it.
    ``enveloped_key_shares`` is the list that the edition of 2021 has in its place; we do not write it.
    """

    key_data: KeyData | None = None
    grantee_account: str | None = None
    grantee_udf: str | None = None
    enveloped_key_share: Envelope | None = None
    enveloped_key_shares: tuple[Envelope, ...] | None = None


@mesh_type
class CapabilityDecrypt(CryptographicCapability):
    """Decryption with a whole key."""


@mesh_type
class CapabilityDecryptPartial(CapabilityDecrypt):
    """The grantee's share of a decryption key; ``id`` is the UDF of the whole key.

    The service members are those of the edition of 2021; later they are in the KeyShare.
    """

    service_id: str | None = None
    service_address: str | None = None


@mesh_type
class CapabilityDecryptServiced(CapabilityDecrypt):
    """The service's share of a decryption key; ``id`` is the UDF of the grantee's share."""

    authentication_id: str | None = None


@mesh_type
class CapabilitySign(CryptographicCapability):
    """Signature by a shared key."""


@mesh_type
class CapabilityKeyGenerate(CryptographicCapability):
    """Generation of keys by the service."""


@mesh_type
class CapabilityFairExchange(CryptographicCapability):
    """Fair exchange of documents by the service."""


def cataloged_device_digest(envelope: Envelope) -> str:
    """The CatalogedDeviceDigest of the enveloped entry: a digest UDF at 128 bits of its PayloadDigest."""
    return udf.text(udf.DIGEST, check_digest(envelope, "CatalogedDevice")[:DIGEST_OCTETS])
