"""A spool: messages in the order of arrival, found by EnvelopeId, with the state that later messages give
them.

EnvelopeId is not signed: nothing may be decided on it that the body does not confirm.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mathmesh.dare.envelope import Envelope
from mathmesh.dare.protection import is_encrypted
from mathmesh.errors import MeshError
from mathmesh.schema.mesh_object import MeshObject, parse
from mathmesh.schema.message import MessageComplete, Reference

OPEN, CLOSED = "Open", "Closed"


def clear_message(envelope: Envelope) -> MeshObject | None:
    """The object in an envelope that is not encrypted; None when it is encrypted or holds no Mesh object.

    What an envelope is gets decided by its body alone, never by the MessageType of its header.
    """
    if is_encrypted(envelope.header) or not envelope.body:
        return None
    try:
        return parse(envelope.body, tolerant=True)
    except MeshError:
        return None


def closed_messages(message: MeshObject | None) -> tuple[str, ...]:
    """The message ids that a MessageComplete closes; empty for any other object."""
    if not isinstance(message, MessageComplete):
        return ()
    return tuple(
        one.message_id for one in message.references or () if one.relationship == CLOSED and one.message_id
    )


@dataclass(slots=True)
class Spool:
    """Fold of the frames of one spool."""

    _by_id: dict[str, int] = field(default_factory=dict)
    _states: dict[str, str] = field(default_factory=dict)

    def apply(self, index: int, envelope: Envelope) -> None:
        """Take in frame `index`; of envelopes with one id the newest counts."""
        name = envelope.envelope_id
        if name is not None:
            self._by_id[name] = index
        message = clear_message(envelope)
        if isinstance(message, MessageComplete):
            for reference in message.references or ():
                self._note(reference)

    def _note(self, reference: Reference) -> None:
        if reference.message_id and reference.relationship:
            self._states[reference.message_id] = reference.relationship

    def newest(self, name: str) -> int | None:
        """The number of the newest frame with this EnvelopeId."""
        return self._by_id.get(name)

    def state(self, message_id: str) -> str:
        """The state of a message: what the newest reference to it says, at first Open."""
        return self._states.get(message_id, OPEN)
