"""Messages that carry contacts: exchange of contacts and invitation to a group (mesh-schema §10)."""

from __future__ import annotations

from mathmesh.schema.mesh_object import MeshObject, mesh_type
from mathmesh.schema.message import Message
from mathmesh.schema.message_connection import MessagePinValidated


@mesh_type
class MessageContact(MessagePinValidated):
    """The sender's enveloped contact; with ``reply`` the recipient's is asked for, under ``pin``."""

    reply: bool | None = None
    subject: str | None = None
    pin: str | None = None


@mesh_type
class GroupInvitation(Message):
    """The contact of a group, with the recipient's share of its key as a capability."""

    text: str | None = None
    contact: MeshObject | None = None
