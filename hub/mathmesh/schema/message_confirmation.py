"""Messages of confirmation: a question and the signed answer to it (mesh-schema §10)."""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.mesh_object import mesh_type
from mathmesh.schema.message import Message


@mesh_type
class RequestConfirmation(Message):
    """The question, in words for a person."""

    text: str | None = None


@mesh_type
class ResponseConfirmation(Message):
    """The answer; ``request`` is the question as it was received."""

    request: Envelope | None = None
    accept: bool | None = None
