"""Preconfiguration of a device by its maker (mesh-schema §8.4)."""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.mesh_object import JsonObject, MeshObject, mesh_type


@mesh_type
class DevicePreconfigurationPublic(MeshObject):
    """What the maker publishes under the secret of the label; ``hailing`` holds URIs of local transports."""

    enveloped_profile_device: Envelope | None = None
    hailing: tuple[str, ...] | None = None


@mesh_type
class DevicePreconfigurationPrivate(DevicePreconfigurationPublic):
    """What the maker puts into the device; ``private_key`` is a tagged PrivateKeyUDF with the device's
    seed.
    """

    enveloped_connection_device: Envelope | None = None
    enveloped_connection_service: Envelope | None = None
    private_key: JsonObject | None = None
    connect_uri: str | None = None
