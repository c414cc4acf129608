"""Messages: what all share, and those of claims and of the state of others (mesh-schema §10).

Those of connection, contacts and confirmation are in modules of their own.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.mesh_object import MeshObject, MeshStruct, mesh_type

READ, UNREAD, OPEN, CLOSED = "Read", "Unread", "Open", "Closed"
"""States of a message, the relationships that a Reference states."""

ACCEPT = "Accept"
RESULTS = (ACCEPT, "Reject", "Pending", "Expired")
"""Answers to a request for connection."""


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
    """The answer to a device: ``result`` is Accept, Reject, Pending or Expired.

    ``pin_proof`` is an extension member: the administrator's proof that it knew the PIN (protocol book).
    """

    result: str | None = None
    cataloged_device: CatalogedDevice | None = None
    pin_proof: bytes | None = None


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


@mesh_type
class MessageError(Message):
    """The report that something asked for by message failed."""

    error_code: str | None = None


@mesh_type
class ProcessResult(Message):
    """The result of a process that a message started."""

    success: bool | None = None
    error_report: str | None = None


@mesh_type
class RequestTask(Message):
    """The request to take on a task; the draft gives it no members."""


@mesh_type
class MessageInvoice(Message):
    """An invoice; the draft gives it no members."""
