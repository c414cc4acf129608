"""Frames and records, the same on every carrier (protocol book, "Records").

frame  = length(2) || record
record = type(1) || sid(4) || ctr(8) || body
"""

from mathmesh.errors import ProtocolError

INIT_ONBOARD = 0x11
INIT_RUN = 0x12
INIT_REPAIR = 0x13
REPLY = 0x18
DATA = 0x1D
HINT = 0x1E

TYPES = (INIT_ONBOARD, INIT_RUN, INIT_REPAIR, REPLY, DATA, HINT)

HEADER = 13
IDENTIFIER = 10
MAXIMUM_RECORD = 4125
MAXIMUM_PLAINTEXT = 4096
ANY_SESSION = bytes(4)

_TOO_LARGE = 7
_FORMAT = 3


class LinkError(ProtocolError):
    """A refusal with the code that travels in `err`, `res` or a Hint (messages.ERRORS)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Record:
    """One record taken apart: type, sid (4 octets), ctr, body, and header, its first 13 octets."""

    def __init__(self, octets: bytes) -> None:
        self.type = octets[0]
        self.sid = octets[1:5]
        self.ctr = int.from_bytes(octets[5:HEADER], "big")
        self.header = octets[:HEADER]
        self.body = octets[HEADER:]


def pack(kind: int, sid: bytes, ctr: int, body: bytes) -> bytes:
    """The octets of a record; sid has 4 octets, ctr is below 2^64."""
    return bytes([kind]) + sid + ctr.to_bytes(8, "big") + body


def unpack(octets: bytes) -> Record | None:
    """The record in `octets`, or None when they are none: too short, too long or of an unknown type."""
    if not HEADER < len(octets) <= MAXIMUM_RECORD or octets[0] not in TYPES:
        return None
    record = Record(octets)
    if record.type != DATA and record.ctr:
        return None
    return record


def frame(record: bytes) -> bytes:
    """A record as it travels."""
    return len(record).to_bytes(2, "big") + record


def unframe(payload: bytes) -> bytes | None:
    """The record of a message carrier's payload, which holds exactly one frame; None when it does not."""
    if len(payload) < 2 or int.from_bytes(payload[:2], "big") != len(payload) - 2:
        return None
    return payload[2:] if len(payload) - 2 <= MAXIMUM_RECORD else None


def hint(sid: bytes, code: int) -> bytes:
    """An unauthenticated Hint about the record that had `sid`."""
    return pack(HINT, sid, 0, bytes([code]))


class FrameReader:
    """Cuts the octets of a stream carrier into records; one reader for each connection."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The records that `data` completes.

        Raises LinkError 7 for a record above 4125 octets: the connection is then closed, and nothing more
        is fed.
        """
        self._held.extend(data)
        held = self._held
        records = []
        start = 0
        while len(held) - start >= 2:
            size = held[start] << 8 | held[start + 1]
            if size > MAXIMUM_RECORD:
                raise LinkError(_TOO_LARGE, "a record of " + str(size) + " octets: close this connection")
            if len(held) - start < 2 + size:
                break
            records.append(bytes(held[start + 2 : start + 2 + size]))
            start += 2 + size
        if start:
            self._held = held[start:]
        return records
