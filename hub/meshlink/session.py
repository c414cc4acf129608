"""Two keys, a send counter and a 64-wide receive window (protocol book, "Data").

A session ends with counter 65535 or after 24 h; there is no rekeying. Its initiator starts a new handshake at
60000 records or 23 h.
"""

from meshlink import record as records
from meshlink.ccm import CcmCipher
from meshlink.record import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshlink.record import Record
    from meshlink.suite import Suite

LAST_COUNTER = 65535
RENEW_COUNTER = 60000
LONGEST = 24 * 3600 * 1000
RENEW_AFTER = 23 * 3600 * 1000
WINDOW = 64

_TOO_LARGE = 7
_UNKNOWN_SESSION = 4


class Session:
    """One session; `sid` 4 octets, keys 32 octets each, `now` in ms when it was agreed."""

    def __init__(self, suite: "Suite", sid: bytes, send_key: bytes, receive_key: bytes, now: int) -> None:
        self.sid = sid
        self.since = now
        self.next_counter = 0
        self._highest = -1
        self._seen = 0
        self._keys = send_key + receive_key
        self._out: CcmCipher | None = CcmCipher(suite, send_key)
        self._in: CcmCipher | None = CcmCipher(suite, receive_key)

    def seal(self, plaintext: bytes, now: int) -> bytes:
        """The next Data record; raises LinkError 7 above 4096 octets, LinkError 4 when the session is used
        up.
        """
        if len(plaintext) > records.MAXIMUM_PLAINTEXT:
            raise LinkError(_TOO_LARGE, "a message above 4096 octets: split it")
        if self._out is None or self.next_counter > LAST_COUNTER or now - self.since >= LONGEST:
            raise LinkError(_UNKNOWN_SESSION, "the session is used up: shake hands again")
        counter = self.next_counter
        self.next_counter = counter + 1
        header = records.pack(records.DATA, self.sid, counter, b"")
        return self._out.seal_record(counter, header, plaintext)

    def open(self, record: "Record", now: int) -> bytes | None:
        """Plaintext of a Data record; None when it is old, seen, too late or its tag does not hold."""
        counter = record.ctr
        if (
            self._in is None
            or counter > LAST_COUNTER
            or now - self.since >= LONGEST
            or not self._is_new(counter)
        ):
            return None
        plaintext = self._in.open(counter, record.header, record.body)
        if plaintext is not None:
            self._mark(counter)
        return plaintext

    def renewal_due(self, now: int) -> bool:
        """Whether the initiator should shake hands again."""
        return now >= self.renewal_time()

    def renewal_time(self) -> int:
        """When renewal is due, in ms; a time that is past when the counters ask for it."""
        used = max(self.next_counter, self._highest) >= RENEW_COUNTER
        return self.since if used else self.since + RENEW_AFTER

    def erase(self) -> None:
        """Forget the keys; nothing is sealed or opened any more."""
        self._out = self._in = None
        self._keys = b""

    def state(self) -> bytes:
        """Everything that the session is, 92 octets, keys included."""
        octets = self.sid + self._keys + (self._highest + 1).to_bytes(4, "big")
        octets += self._seen.to_bytes(8, "big") + self.next_counter.to_bytes(4, "big")
        return octets + self.since.to_bytes(8, "big")

    @classmethod
    def from_state(cls, suite: "Suite", octets: bytes) -> "Session":
        """The session that state() came from."""
        session = cls(suite, octets[:4], octets[4:36], octets[36:68], int.from_bytes(octets[84:92], "big"))
        session._highest = int.from_bytes(octets[68:72], "big") - 1
        session._seen = int.from_bytes(octets[72:80], "big")
        session.next_counter = int.from_bytes(octets[80:84], "big")
        return session

    def _is_new(self, counter: int) -> bool:
        behind = self._highest - counter
        return behind < 0 or (behind < WINDOW and not self._seen >> behind & 1)

    def _mark(self, counter: int) -> None:
        ahead = counter - self._highest
        if ahead > 0:
            self._seen = 1 if ahead >= WINDOW else (self._seen << ahead | 1) & ((1 << WINDOW) - 1)
            self._highest = counter
        else:
            self._seen |= 1 << -ahead
