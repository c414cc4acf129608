"""Which envelopes the service takes at all, whoever sends them."""

from __future__ import annotations

from mathmesh.codec import jsonbcd
from mathmesh.dare.envelope import Envelope
from mathmesh.dare.protection import check_payload_digest, is_encrypted
from mathmesh.errors import VerificationError
from mathmesh.service import messages as wire
from mathmesh.service.refusal import Refusal
from mathmesh.stores.catalog import EVENTS

UPDATE_OCTETS = 1024 * 1024
"""Largest content of one envelope, in octets as transported."""
HEADER_OCTETS = 60 * 1024
"""Largest header and trailer together: a frame adds its own members and may have 64 KiB."""
MESSAGE_OCTETS = 32 * 1024
"""Largest message to another account, in octets of its envelope as JSON."""
PLACED = frozenset({"SequenceInfo", "Received", "ChainDigest", "TreeDigest", "FrameMac"})
"""Members of an envelope that tell of its place in a sequence."""


def check_envelope(envelope: Envelope) -> None:
    """Refuse an envelope that a store could not hold or a reader not read: too large, changed, malformed."""
    if len(envelope.body) > UPDATE_OCTETS or len(jsonbcd.dumps(envelope.merged())) > HEADER_OCTETS:
        raise Refusal(
            wire.BAD_REQUEST, wire.TOO_LARGE, f"an envelope has at most {UPDATE_OCTETS} octets of content"
        )
    if is_encrypted(envelope.header) and not envelope.kids:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "an encrypted envelope names its recipients")
    if envelope.content_meta.event not in (None, *EVENTS):
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "an entry is New, Update or Delete")
    try:
        check_payload_digest(envelope.merged(), envelope.body)
    except VerificationError as error:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, str(error)) from None


def check_message(envelope: Envelope) -> None:
    """Refuse an envelope that is no message to another account: as `check_envelope`, and larger than these
    may be.
    """
    check_envelope(envelope)
    members = {name: value for name, value in envelope.merged().items() if name not in PLACED}
    if len(jsonbcd.dumps([members, envelope.body])) > MESSAGE_OCTETS:
        text = f"a message has at most {MESSAGE_OCTETS} octets; send the place of what is larger"
        raise Refusal(wire.BAD_REQUEST, wire.TOO_LARGE, text)
