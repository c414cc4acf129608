"""Entries of the catalogs (mesh-schema §9); the key of each in its catalog is
`mathmesh.schema.primary_key`.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.mesh_object import JsonObject, MeshObject, MeshStruct, mesh_type


@mesh_type
class CatalogedEntry(MeshObject):
    """What all entries share; ``local_name`` is the friendly name."""

    labels: tuple[str, ...] | None = None
    local_name: str | None = None
    uid: str | None = None


@mesh_type
class HubExtension(MeshStruct):
    """Extension member ``MeshHub`` of CatalogedDevice: other programs keep it as an unknown member.

    ``room`` is the room's name, ``description`` the compact description object of a constrained device
    (protocol book).
    """

    room: str | None = None
    description: JsonObject | None = None


@mesh_type
class CatalogedDevice(CatalogedEntry):
    """A device of the account, with everything it needs to act as one."""

    updated: datetime | None = None
    udf: str | None = None
    device_udf: str | None = None
    signature_udf: str | None = None
    enveloped_profile_user: Envelope | None = None
    enveloped_profile_device: Envelope | None = None
    enveloped_connection_service: Envelope | None = None
    enveloped_connection_device: Envelope | None = None
    enveloped_activation_account: Envelope | None = None
    enveloped_activation_common: Envelope | None = None
    application_entries: tuple[MeshObject, ...] | None = None
    mesh_hub: HubExtension | None = None


@mesh_type
class CatalogedPublication(CatalogedEntry):
    """A document for whoever holds a secret; ``authenticator`` lets the service tell who may claim it."""

    id: str | None = None
    authenticator: str | None = None
    enveloped_data: Envelope | None = None
    not_on_or_after: datetime | None = None


@mesh_type
class CatalogedNetwork(CatalogedEntry):
    """A network and its credential; ``service`` is the SSID."""

    protocol: str | None = None
    service: str | None = None
    username: str | None = None
    password: str | None = None


@mesh_type
class CatalogedAccess(CatalogedEntry):
    """A right that the service enforces."""

    capability: MeshObject | None = None
