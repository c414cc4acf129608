"""The adopter's side of onboarding (protocol book, "Onboarding"): one object for one attempt on one
connection.

States: NEW → INIT → BEGIN → HELLO → ADOPT → PROVED → SECRETS → STORED → COMMITTED; FAILED from any.
No Wi-Fi or broker secret leaves before the device's proof verified and the user saw this very unit blink.
"""

from mathmesh.errors import EncodingError, LocalProtocolError
from meshlink import description, messages, record
from meshlink.agreement import Agreement
from meshlink.hkdf import equal, lp
from meshlink.messages import LinkError
from meshlink.noise import Handshake
from meshlink.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshlink.suite import Effects, Suite

PROLOGUE = b"meshlink 1"
RESEND = (5000, 10000)
REPLY_WAIT = 20000
ANSWER_WAIT = 60000
BLINK_EVERY = 30000
MAXIMUM_REPLIES = 4
MAXIMUM_ERRORS = 5

NEW, INIT, BEGIN, HELLO, ADOPT, PROVED = "NEW", "INIT", "BEGIN", "HELLO", "ADOPT", "PROVED"
SECRETS, STORED, COMMITTED, FAILED = "SECRETS", "STORED", "COMMITTED", "FAILED"

_WAITS = (BEGIN, ADOPT, SECRETS)
_BLINKS = (PROVED, HELLO, ADOPT)

# (state, message) → method; anything else that verifies is a message out of order
_ANSWERS = {
    (BEGIN, "hello"): "_hello",
    (ADOPT, "proof"): "_proof",
    (SECRETS, "stored"): "_stored",
    (BEGIN, "err"): "_fatal",
    (HELLO, "err"): "_refused",
    (ADOPT, "err"): "_refused",
    (PROVED, "err"): "_refused",
    (SECRETS, "err"): "_refused",
}
_ADOPT_AGAIN = (messages.ACTIVATION, messages.KEY, messages.PROOF)
_SECRETS_AGAIN = (
    messages.NO_NETWORK,
    messages.WIFI_PASSWORD,
    messages.NO_ADDRESS,
    messages.HUB_UNREACHABLE,
    messages.BROKER,
)


class AdopterLink:
    """psk_on 32, lid 10, device_udf 64, account_udf 64 octets; authentication: P.Authentication, 57 octets.

    `state` is one of the names above; `keys` is {} until PROVED, then psk_run, psk_repair, own, and topic_id
    after secrets().
    """

    def __init__(
        self,
        suite: "Suite",
        *,
        psk_on: bytes,
        lid: bytes,
        device_udf: bytes,
        authentication: bytes,
        account_udf: bytes,
        account_address: str,
    ) -> None:
        self._suite = suite
        self._psk = psk_on
        self._lid = lid
        self._device_udf = device_udf
        self._authentication = authentication
        self._account_udf = account_udf
        self._account_address = account_address
        self.state = NEW
        self.keys: dict[str, bytes] = {}
        self.seen_by_user = False
        self._sid = b""
        self._init = b""
        self._handshake: Handshake | None = None
        self._session: Session | None = None
        self._agreement: Agreement | None = None
        self._pending: Agreement | None = None
        self._h = self._xp = b""
        self._since = 0
        self._resent = 0
        self._replies = 0
        self._errors = 0
        self._blink_seconds = 0
        self._blinked = 0

    # What the own side asks for

    def start(self, now: int) -> "Effects":
        """Send Init; once."""
        self._expect(NEW)
        suite = self._suite
        self._sid = suite.random(4)
        header = record.pack(record.INIT_ONBOARD, self._sid, 0, self._lid)
        prologue = PROLOGUE + header + lp(self._device_udf) + lp(b"")
        self._handshake = Handshake(suite, prologue, self._psk)
        self._init = header + self._handshake.write_first()
        self._enter(INIT, now)
        return [("send", self._init, None)]

    def adopt(self, act: bytes, key: bytes, z: bytes, now: int) -> "Effects":
        """Send `adopt`; again after event "refused", where it replaces the former.

        act: octets of EnvelopedActivationAccount; key: own X448 authentication public, 57 octets; z: X448
        of the own private key and K_auth = P.Authentication + activation public, 56 octets.
        """
        self._expect(HELLO, PROVED)
        parts = (self._h, self._xp, self._device_udf, self._account_udf, self._authentication)
        self._pending = Agreement(self._suite, *parts, key, act, z)
        self._forget_keys()
        self.seen_by_user = False
        self._enter(ADOPT, now)
        members = {"acct": self._account_address, "audf": self._account_udf, "key": key, "act": act}
        return self._say("adopt", members, now)

    def blink(self, seconds: int, now: int) -> "Effects":
        """Let the light blink, and again every 30 s until seen() or secrets()."""
        self._expect(HELLO, PROVED)
        self._blink_seconds = seconds
        self._blinked = now
        return self._say("blink", {"s": seconds}, now)

    def seen(self) -> None:
        """The user saw this unit blink, or compared its serial text."""
        self._expect(PROVED, SECRETS)
        self.seen_by_user = True
        self._blink_seconds = 0

    def secrets(self, values: "dict[str, Any]", now: int) -> "Effects":
        """Send the secrets: members wifi, hub, ca, mq, name, now and, if not to be drawn, id (10 octets).

        Raises LocalProtocolError before the proof verified and seen() was called. May be called again until
        commit.
        """
        self._expect(PROVED, SECRETS)
        if not self.seen_by_user or self._agreement is None:
            raise LocalProtocolError("the user has not confirmed this unit: call seen() first")
        members = dict(values)
        members["id"] = (
            self.keys.get("topic_id") or members.get("id") or self._suite.random(record.IDENTIFIER)
        )
        members["ent"] = self._suite.random(32)
        members["mac"] = self._agreement.secrets_mac
        self.keys["topic_id"] = members["id"]
        self._enter(SECRETS, now)
        return self._say("secrets", members, now)

    def commit(self, now: int) -> "Effects":
        """Everything is durable here: let the device become CLAIMED. It has no answer; the device closes."""
        self._expect(STORED)
        out = self._say("commit", {}, now)
        self._enter(COMMITTED, now)
        return out

    def closed(self, now: int) -> "Effects":
        """The connection closed. Once `stored` came, the adoption can still be finished: the device goes on
        to the run phase, and its first session stands in for `commit`.
        """
        if self.state in (STORED, COMMITTED, FAILED):
            return []
        return self._fail(0, "the device closed the connection")[:-1]

    # What comes in

    def receive(self, octets: bytes, now: int) -> "Effects":
        """One record from the carrier."""
        parsed = record.unpack(octets)
        if parsed is None or parsed.sid != self._sid or self.state == FAILED:
            return []
        if parsed.type == record.REPLY:
            return self._reply(parsed.body, now)
        if parsed.type == record.HINT:
            return self._hint(parsed.body)
        if parsed.type == record.DATA and self._session is not None:
            plaintext = self._session.open(parsed, now)
            return [] if plaintext is None else self._message(plaintext, now)
        return []

    @property
    def deadline(self) -> int | None:
        """When tick() is due, in ms."""
        if self.state == INIT:
            waits = RESEND[self._resent :] + (REPLY_WAIT,)
            return self._since + waits[0]
        due = [self._since + ANSWER_WAIT] if self.state in _WAITS else []
        if self._blink_seconds and self.state in _BLINKS:
            due.append(self._blinked + BLINK_EVERY)
        return min(due) if due else None

    def tick(self, now: int) -> "Effects":
        """Resend Init, repeat `blink`, or give up: 20 s for Reply, 60 s for an answer."""
        if self.state == INIT:
            if now - self._since >= REPLY_WAIT:
                return self._fail(0, "timeout: the device does not answer, or the code is not its own")
            if self._resent < len(RESEND) and now - self._since >= RESEND[self._resent]:
                self._resent += 1
                return [("send", self._init, None)]
            return []
        if self.state in _WAITS and now - self._since >= ANSWER_WAIT:
            return self._fail(0, "timeout: the device stopped answering")
        if self._blink_seconds and self.state in _BLINKS and now - self._blinked >= BLINK_EVERY:
            self._blinked = now
            return self._say("blink", {"s": self._blink_seconds}, now)
        return []

    def erase(self) -> None:
        """Forget every secret; `keys` becomes empty."""
        if self._session is not None:
            self._session.erase()
        if self._handshake is not None:
            self._handshake.erase()
        self._forget_keys()
        self._pending = self._session = self._handshake = None
        self._psk = self._xp = self._h = b""

    # Steps

    def _reply(self, body: bytes, now: int) -> "Effects":
        handshake = self._handshake
        if self.state != INIT or handshake is None or self._replies >= MAXIMUM_REPLIES:
            return []
        self._replies += 1
        if handshake.read_second(body) is None:
            return []
        send_key, receive_key = handshake.split()
        self._h = handshake.h
        self._xp = handshake.export()
        handshake.erase()
        self._handshake = None
        self._session = Session(self._suite, self._sid, send_key, receive_key, now)
        self._enter(BEGIN, now)
        return self._say("begin", {}, now)

    def _hint(self, body: bytes) -> "Effects":
        """Hints are unauthenticated: they inform and change nothing."""
        if self.state != INIT or len(body) != 1:
            return []
        name = {messages.BUSY: "busy", messages.NOT_NOW: "not now"}.get(body[0], "hint")
        return [("event", name, body[0] if name == "hint" else None)]

    def _message(self, plaintext: bytes, now: int) -> "Effects":
        try:
            message = messages.decode(plaintext)
        except LinkError as error:
            return self._say("err", {"c": error.code, "m": str(error)}, now)
        if message is None:
            return []
        step = _ANSWERS.get((self.state, message["t"]))
        return getattr(self, step)(message, now) if step else []

    def _hello(self, message: "dict[str, Any]", now: int) -> "Effects":
        if not equal(message["udf"], self._device_udf):
            return self._fail(messages.KEY, "another device answered under this label")
        try:
            description.check(message["desc"])
        except (LinkError, EncodingError) as error:
            return self._fail(messages.FORMAT, str(error))
        self._enter(HELLO, now)
        return [("event", "hello", message)]

    def _proof(self, message: "dict[str, Any]", now: int) -> "Effects":
        pending = self._pending
        if pending is None or not equal(message["mac"], pending.proof_mac):
            return self._fail(messages.PROOF, "this unit does not hold the keys of the label: do not use it")
        self._agreement = pending
        self._pending = None
        self.keys = _keys(pending)
        self._enter(PROVED, now)
        return [("event", "proved", None)]

    def _stored(self, message: "dict[str, Any]", now: int) -> "Effects":
        self._enter(STORED, now)
        return [("event", "stored", None)]

    def _refused(self, message: "dict[str, Any]", now: int) -> "Effects":
        """`err` of the device: 16 to 18 lead back to HELLO, 32 to 36 after secrets to PROVED, others end
        it.
        """
        self._errors += 1
        code = message["c"]
        value = {"c": code, "m": message["m"]}
        if self._errors >= MAXIMUM_ERRORS:
            return self._fatal(message, now)
        if code in _ADOPT_AGAIN:
            self._forget_keys()
            self._pending = None
            self._enter(HELLO, now)
            return [("event", "refused", value)]
        if code in _SECRETS_AGAIN and self.state == SECRETS:
            self._enter(PROVED, now)
            return [("event", "trouble", value)]
        if self.state in (HELLO, PROVED):
            return []
        return self._fatal(message, now)

    def _fatal(self, message: "dict[str, Any]", now: int) -> "Effects":
        return self._fail(message["c"], message["m"] or messages.ERRORS.get(message["c"], "refused"))

    def _fail(self, code: int, text: str) -> "Effects":
        self.state = FAILED
        self.erase()
        return [("event", "failed", {"c": code, "m": text}), ("close", None)]

    def _forget_keys(self) -> None:
        if self._agreement is not None:
            self._agreement.erase()
        self._agreement = None
        self.keys = {}

    def _enter(self, state: str, now: int) -> None:
        self.state = state
        self._since = now

    def _say(self, t: str, members: "dict[str, Any]", now: int) -> "Effects":
        if self._session is None:
            raise LocalProtocolError("there is no session with the device")
        return [("send", self._session.seal(messages.encode(t, members), now), None)]

    def _expect(self, *states: str) -> None:
        if self.state not in states:
            raise LocalProtocolError("not possible in state " + self.state + ", only in " + ", ".join(states))


def _keys(agreement: Agreement) -> "dict[str, Any]":
    return {"psk_run": agreement.psk_run, "psk_repair": agreement.psk_repair, "own": agreement.own}
