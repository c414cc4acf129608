"""Messages that the connection of a device needs (mesh-schema §10)."""

from __future__ import annotations

from datetime import datetime

from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.mesh_object import MeshObject, MeshStruct, mesh_type


@mesh_type
class Message(MeshObject):
    """What all messages share."""

    message_id: str | None = None
    sender: str | None = None
    recipient: str | None = None


@mesh_type
class MessageClaim(Message):
    """A claim of a publication; the authenticators are MACs over the sender's address.

    ``claimant_udf`` and ``device_proof`` are extension members: the claimant's account UDF and the proof
    that binds it, the address and this message to the publication's secret (protocol book).
    """

    publication_id: str | None = None
    service_authenticate: str | None = None
    device_authenticate: str | None = None
    expires: datetime | None = None
    claimant_udf: str | None = None
    device_proof: bytes | None = None


@mesh_type
class RespondConnection(Message):
    """The answer to a device: ``result`` is Accept, Reject, Pending or Expired."""

    result: str | None = None
    cataloged_device: CatalogedDevice | None = None


@mesh_type
class Reference(MeshStruct):
    """A message and its new state: ``relationship`` is Read, Unread, Open or Closed."""

    message_id: str | None = None
    response_id: str | None = None
    relationship: str | None = None


@mesh_type
class MessageComplete(Message):
    """A change of the state of other messages of the same spool."""

    references: tuple[Reference, ...] | None = None
