"""Capabilities: what a key or a person may ask of the service (mesh-schema §7)."""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.mesh_object import MeshObject, mesh_type


@mesh_type
class Capability(MeshObject):
    """What all capabilities share; one that is not ``active`` grants nothing."""

    id: str | None = None
    active: bool | None = None
    issued: int | None = None
    mode: str | None = None
    udf: str | None = None
    witness: str | None = None


@mesh_type
class NullCapability(Capability):
    """What stands where a capability was revoked."""


@mesh_type
class AccessCapability(Capability):
    """The access of one device; ``id`` is the UDF of its activated authentication key."""

    rights: tuple[str, ...] | None = None
    enveloped_cataloged_device: Envelope | None = None
    cataloged_device_digest: str | None = None
