"""Whom an account hears and to whom it writes: what its service lets through (protocol book, "Messages
between accounts").

An account says so with ContactAccess messages in its Local spool. Of and to whom it has said nothing it
takes and sends requests for contact only.
"""

from __future__ import annotations

from collections.abc import Callable

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope
from mathmesh.schema.build.enveloped import CONTENT_TYPE
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.message_access import ContactAccess

STRANGERS = ContactAccess(
    receive=("MessageContact",), send=("MessageContact",), content_types=(CONTENT_TYPE,)
)
"""What is exchanged with strangers."""


class ContactRules:
    """Fold of the ContactAccess messages of one account, each opened by `read` when it is needed."""

    def __init__(self, read: Callable[[Envelope], ContactAccess | None]) -> None:
        self._read = read
        self._noted: list[Envelope] = []
        self._by_contact: dict[str, ContactAccess] = {}

    def note(self, envelope: Envelope) -> None:
        """Take in one message; the newest about a contact counts."""
        self._noted.append(envelope)

    def is_stranger(self, contact: str, contact_udf: str | None) -> bool:
        """Whether the account has said nothing of this one."""
        return self._rule(contact, contact_udf) is STRANGERS

    def takes(self, envelope: Envelope, sender: str, sender_udf: str) -> bool:
        """Whether a message by the account `sender` with the profile `sender_udf` is let in."""
        rule = self._rule(sender, sender_udf)
        return _allows(rule.receive, rule.content_types, envelope.content_meta)

    def sends(self, envelope: Envelope, recipient: str) -> bool:
        """Whether a message to `recipient` is let out."""
        rule = self._rule(recipient, None)
        return _allows(rule.send, rule.content_types, envelope.content_meta)

    def _rule(self, contact: str, contact_udf: str | None) -> ContactAccess:
        self._read_noted()
        rule = self._by_contact.get(contact.lower(), STRANGERS)
        if rule.receive == () or rule.contact_udf is None or contact_udf is None:
            return rule
        return rule if same_udf(rule.contact_udf, contact_udf) else STRANGERS

    def _read_noted(self) -> None:
        noted, self._noted = self._noted, []
        for envelope in noted:
            message = self._read(envelope)
            contact = (message.contact or "").lower() if message is not None else ""
            if message is None or not contact:
                continue
            if message.active is False:
                self._by_contact.pop(contact, None)
            else:
                self._by_contact[contact] = message


def _allows(types: tuple[str, ...] | None, content_types: tuple[str, ...] | None, meta: ContentMeta) -> bool:
    fits = types is None or meta.message_type in types
    return fits and (content_types is None or meta.cty in content_types)
