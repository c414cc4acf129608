"""Entries of the catalogs (mesh-schema §9); the key of each in its catalog is
`mathmesh.schema.primary_key`.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.key_data import KeyData
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


SHARED = "Shared"
"""Label of a publication for many readers, such as a contact: no claim locks it (protocol book)."""


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


@mesh_type
class CatalogedCredential(CatalogedEntry):
    """A user name and password, or keys, for a service; two users at one service have the same key."""

    protocol: str | None = None
    service: str | None = None
    username: str | None = None
    password: str | None = None
    client_authentication: tuple[KeyData, ...] | None = None
    host_authentication: tuple[KeyData, ...] | None = None


@mesh_type
class CatalogedContact(CatalogedEntry):
    """A contact; ``is_self`` marks the account's own (``Self`` on the wire)."""

    key: str | None = None
    is_self: bool | None = None
    contact: MeshObject | None = None


@mesh_type
class CatalogedBookmark(CatalogedEntry):
    """A page to find again."""

    uri: str | None = None
    title: str | None = None
    comments: tuple[str, ...] | None = None


@mesh_type
class CatalogedTask(CatalogedEntry):
    """A task or an appointment: its Engagement in an envelope."""

    enveloped_task: Envelope | None = None
    title: str | None = None
    key: str | None = None


@mesh_type
class CatalogedMember(CatalogedEntry):
    """A member of a group: the ids of its own capability and of that of the group's service."""

    contact_address: str | None = None
    member_capability_id: str | None = None
    service_capability_id: str | None = None


@mesh_type
class CatalogedReceipt(CatalogedEntry):
    """A receipt; the draft gives it no members."""


@mesh_type
class CatalogedTicket(CatalogedEntry):
    """A ticket; the draft gives it no members."""
