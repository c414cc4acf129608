"""How a message that was delivered is known again, so that it is not delivered twice."""

from __future__ import annotations

import hashlib

from mathmesh.dare.envelope import Envelope

KEY_OCTETS = 16


def message_key(envelope: Envelope) -> bytes | None:
    """By what a message that lies in an Inbound spool is known again: its id and who signed it."""
    name = envelope.envelope_id
    kids = [one.get("kid") for one in envelope.merged().get("signatures", ()) if isinstance(one, dict)]
    if name is None or not kids:
        return None
    return hashlib.sha256(f"{name} {kids[0]}".encode()).digest()[:KEY_OCTETS]
