"""The device's side of running (protocol book, "Running"): shakes hands, keeps a session, reports, obeys.

`now` is milliseconds since this boot. The hub's time is kept as a difference to it.
"""

from meshlink import messages, record
from meshlink.commands import Gate
from meshlink.hkdf import lp
from meshlink.messages import LinkError
from meshlink.noise import Handshake
from meshlink.session import LONGEST, Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshlink.ring import Ring
    from meshlink.suite import Effects, Suite

PROLOGUE = b"meshlink 1"
RESEND = (5000, 10000)
TRY_LENGTH = 20000
FIRST_PAUSE = 10000
LONGEST_PAUSE = 10 * 60 * 1000
TIME_WITHIN = 10000
HINT_INTERVAL = 10000
OLD_SESSION = 120 * 1000
RECEIPT_WAIT = 60000
MAXIMUM_REPLIES = 4
BATCH_ENTRIES = 16
BATCH_OCTETS = 1200
IN_FLIGHT = 64

_SPREAD = 5  # one fifth: ±20 %


class _Try:
    """One try: its Init, when it began, what of it was sent and answered."""

    def __init__(self, sid: bytes, init: bytes, handshake: Handshake, now: int) -> None:
        self.sid = sid
        self.init = init
        self.handshake = handshake
        self.since = now
        self.resent = 0
        self.replies = 0


class DeviceRun:
    """udf, account_udf 64 octets; topic_id 10; psk: psk_run, 32; state: as stored; ring: meshlink.ring.Ring.

    `online` tells whether a session is confirmed; `try_number` counts the tries of this boot.
    retains: for boards that sleep deeply, ("store", "retained", octets) precedes every Data record.
    """

    def __init__(
        self,
        suite: "Suite",
        *,
        udf: bytes,
        account_udf: bytes,
        topic_id: bytes,
        psk: bytes,
        boot: int,
        description: "dict[str, Any]",
        ring: "Ring",
        state: str,
        now: int,
        retains: bool = False,
    ) -> None:
        self._suite = suite
        self._udf = udf
        self._account_udf = account_udf
        self._topic_id = topic_id
        self._psk = psk
        self._boot = boot
        self._state = state
        self._ring = ring
        self._retains = retains
        self.gate = Gate(suite, description)
        self.try_number = 0
        self._up = False
        self._try: _Try | None = None
        self._next_try: int | None = None
        self._pause = 0
        self._session: Session | None = None
        self._old: Session | None = None
        self._old_until = 0
        self._hinted: int | None = None
        self._origin: int | None = None
        self._asked_time: int | None = None
        self._sent = 0
        self._receipt_due: int | None = None
        self._gap_told = 0

    @property
    def online(self) -> bool:
        """Whether a confirmed session is there."""
        return self._session is not None

    def time(self, now: int) -> int | None:
        """The hub's time in ms since 1970; None while it is not known."""
        return None if self._origin is None else self._origin + now

    # The carrier

    def start(self, now: int) -> "Effects":
        """The carrier is up: shake hands. A session that still holds is kept until the new one confirms."""
        self._up = True
        self._pause = 0
        return self._begin_try(now)

    def stop(self, now: int) -> "Effects":
        """The carrier is lost: no tries until start()."""
        self._up = False
        self._end_try()
        self._next_try = None
        return []

    def resume(self, octets: bytes, now: int) -> bool:
        """After a deep-sleep reset, before start(): go on with the session in retained memory.

        `now` goes on counting over the sleep. False when the memory does not hold a session of this boot:
        erase it, count a cold boot and shake hands.
        """
        from meshlink import retained  # loaded by boards that sleep only

        kept = retained.unpack(self._suite, octets)
        if kept is None or kept.boot != self._boot or now - kept.session.since >= LONGEST:
            return False
        self._session = kept.session
        self._origin = kept.origin
        self.try_number = kept.try_number
        self._state = "CLAIMED"
        self._up = True
        return True

    @property
    def deadline(self) -> int | None:
        """When tick() is due, in ms."""
        due = []
        if self._try is not None:
            waits = RESEND[self._try.resent :] + (TRY_LENGTH,)
            due.append(self._try.since + waits[0])
        if self._next_try is not None:
            due.append(self._next_try)
        if self._session is not None and self._receipt_due is not None:
            due.append(self._receipt_due)
        if self._session is not None and self._try is None and self._next_try is None and self._up:
            due.append(self._session.renewal_time())
        if self._old is not None:
            due.append(self._old_until)
        return min(due) if due else None

    def tick(self, now: int) -> "Effects":
        """What time does: resend, next try, renewal, readings without a receipt once more."""
        if self._old is not None and now >= self._old_until:
            self._old.erase()
            self._old = None
        out: Effects = []
        session = self._session
        if session is not None and self._receipt_due is not None and now >= self._receipt_due:
            self._sent = 0
            self._receipt_due = None
            out += self._report(now)
        if self._try is not None:
            return out + self._tick_try(self._try, now)
        if self._next_try is not None and now >= self._next_try:
            return out + self._begin_try(now)
        if session is not None and self._up and self._next_try is None and session.renewal_due(now):
            return out + [("event", "renew", None)] + self._begin_try(now)
        return out

    def erase(self) -> None:
        """Forget keys and sessions."""
        self._end_try()
        for session in (self._session, self._old):
            if session is not None:
                session.erase()
        self._session = self._old = self._next_try = None
        self._psk = b""

    # What the device says

    def report(self, entries: "list[tuple[str, str, Any]]", now: int) -> "Effects":
        """Readings (node, prop, value) taken now: into the ring, and to the hub when there is a session.

        A number that is not finite is told as null. Raises ProtocolError for a value that no record carries.
        """
        checked = [(node, prop, messages.reading(node, prop, value)) for node, prop, value in entries]
        for node, prop, value in checked:
            self._ring.add(now, node, prop, value)
        return self._report(now)

    def result(self, identifier: bytes, code: int, value: object, now: int) -> "Effects":
        """How the command of event "command" ended: 0 and the value afterwards, or an error code."""
        self.gate.keep(identifier, code, value)
        return self._say("res", {"id": identifier, "c": code, "v": value}, now)

    def ask_time(self, now: int) -> "Effects":
        """Ask the hub for its time; the answer counts within 10 s."""
        self._asked_time = now
        return self._say("time", {}, now)

    # Handshake

    def _begin_try(self, now: int) -> "Effects":
        self._end_try()
        self._next_try = None
        self.try_number += 1
        suite = self._suite
        sid = suite.random(4)
        header = record.pack(record.INIT_RUN, sid, 0, self._topic_id)
        handshake = Handshake(suite, PROLOGUE + header + lp(self._udf) + lp(self._account_udf), self._psk)
        init = header + handshake.write_first(messages.init_payload(self._boot, self.try_number))
        self._try = _Try(sid, init, handshake, now)
        return [("send", init, None)]

    def _tick_try(self, attempt: _Try, now: int) -> "Effects":
        if now - attempt.since >= TRY_LENGTH:
            self._end_try()
            if not self._pause:
                self._pause = FIRST_PAUSE
                return self._begin_try(now)
            self._next_try = now + self._spread(self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            return []
        if attempt.resent < len(RESEND) and now - attempt.since >= RESEND[attempt.resent]:
            attempt.resent += 1
            return [("send", attempt.init, None)]
        return []

    def _spread(self, pause: int) -> int:
        """The pause, at random up to a fifth shorter or longer."""
        fifth = pause // _SPREAD
        return pause - fifth + int.from_bytes(self._suite.random(4), "big") % (2 * fifth + 1)

    def _end_try(self) -> None:
        if self._try is not None:
            self._try.handshake.erase()
            self._try = None

    def _reply(self, body: bytes, now: int) -> "Effects":
        attempt = self._try
        if attempt is None or attempt.replies >= MAXIMUM_REPLIES:
            return []
        attempt.replies += 1
        payload = attempt.handshake.read_second(body)
        if payload is None:
            return []
        told = messages.reply_payload(payload)
        send_key, receive_key = attempt.handshake.split()
        session = Session(self._suite, attempt.sid, send_key, receive_key, now)
        began = attempt.since
        self._end_try()
        self._pause = 0
        self._replace(session, now)
        out: Effects = []
        if told is not None:
            out.append(("event", "ent", told["ent"]))
            if now - began <= TIME_WITHIN:
                out += self._set_time(told["now"], now)
        ring = self._ring.summary(self._origin)
        out += self._say("ready", {"st": self._state, "up": now, "ring": ring}, now)
        if self._origin is None or now - began > TIME_WITHIN:
            out += self.ask_time(now)
        self._state = "CLAIMED"
        return out + [("event", "session", None)]

    def _replace(self, session: Session, now: int) -> None:
        """The new session is the one to send with; the former only receives for a while."""
        if self._old is not None:
            self._old.erase()
        self._old = self._session
        self._old_until = now + OLD_SESSION
        self._session = session
        self._sent = 0
        self._gap_told = 0
        self._receipt_due = None

    def _set_time(self, told: int, now: int) -> "Effects":
        self._origin = told - now
        return [("event", "time", told)]

    # Records

    def receive(self, octets: bytes, now: int) -> "Effects":
        """One record from the hub."""
        parsed = record.unpack(octets)
        if parsed is None:
            return []
        if parsed.type == record.REPLY and self._try is not None and parsed.sid == self._try.sid:
            return self._reply(parsed.body, now)
        if parsed.type == record.HINT:
            return self._hint(parsed, now)
        if parsed.type != record.DATA:
            return []
        for session in (self._session, self._old):
            if session is not None and session.sid == parsed.sid:
                plaintext = session.open(parsed, now)
                return [] if plaintext is None else self._message(plaintext, now)
        return []

    def _hint(self, parsed: record.Record, now: int) -> "Effects":
        """Hint 4 makes for one handshake in 10 s at most; it ends nothing."""
        known = [record.ANY_SESSION]
        if self._session is not None:
            known.append(self._session.sid)
        if parsed.body != bytes([messages.UNKNOWN_SESSION]) or parsed.sid not in known:
            return []
        if self._try is not None or not self._up:
            return []
        if self._hinted is not None and now - self._hinted < HINT_INTERVAL:
            return []
        self._hinted = now
        return self._begin_try(now)

    def _message(self, plaintext: bytes, now: int) -> "Effects":
        try:
            message = messages.decode(plaintext)
        except LinkError as error:
            return self._say("err", {"c": error.code, "m": str(error)}, now)
        t = message["t"] if message else ""
        if message is None or t == "err":
            return [("event", "err", {"c": message["c"], "m": message["m"]})] if message else []
        if t == "cmd":
            return self._judge(message["id"], self.gate.command(message, self.time(now), now), now)
        if t == "go":
            return self._judge(message["id"], self.gate.go(message, now), now)
        if t == "rcpt":
            return self._receipt(message, now)
        if t == "time":
            return self._time_told(message, now)
        if t in ("forget", "rehome", "cfg"):
            del message["t"]
            return [("event", t, message or None)]
        return []

    def _judge(self, identifier: bytes, verdict: "tuple[Any, ...]", now: int) -> "Effects":
        if verdict[0] == "res":
            return self._say("res", {"id": identifier, "c": verdict[1], "v": verdict[2]}, now)
        if verdict[0] == "ask":
            return self._say("ask", {"id": identifier, "ch": verdict[1]}, now)
        if verdict[0] == "wait":
            return []
        prop = verdict[1]
        value = {"id": identifier, "node": prop.node, "prop": prop.name, "v": verdict[2]}
        value["oneshot"] = prop.one_shot
        out: Effects = [("store", "act", identifier)] if prop.one_shot else []
        return out + [("event", "command", value)]

    def _time_told(self, message: "dict[str, Any]", now: int) -> "Effects":
        """Counts as the answer to ask_time() only, and within 10 s of it: a delayed record tells a wrong
        time.
        """
        asked = self._asked_time
        self._asked_time = None
        if asked is None or now - asked > TIME_WITHIN or "now" not in message:
            return []
        return self._set_time(message["now"], now)

    # Telemetry

    def _receipt(self, message: "dict[str, Any]", now: int) -> "Effects":
        self._ring.free(message["b"], message["s"])
        self._receipt_due = now + RECEIPT_WAIT if self._sent >= self._ring.low else None
        return self._report(now)

    def _report(self, now: int) -> "Effects":
        """Everything held that is not under way yet, within what may be under way at once."""
        if self._session is None:
            return []
        out: Effects = []
        gap = self._ring.gap()
        if gap is not None and gap[1] > self._gap_told:
            self._gap_told = gap[1]
            out += self._say("gap", {"b": self._ring.boot, "from": gap[0], "to": gap[1]}, now)
        last = self._ring.low + IN_FLIGHT - 1
        while self._sent < min(self._ring.high, last):
            first, entries = self._ring.batch(self._sent + 1, BATCH_ENTRIES)
            if not entries:
                break
            plaintext, count = self._tel(first, entries)
            out += self._seal(plaintext, now)
            if not self.online:
                return out
            self._sent = first + count - 1
        if out and self._receipt_due is None:
            self._receipt_due = now + RECEIPT_WAIT
        return out

    def _tel(self, first: int, entries: "list[tuple[Any, ...]]") -> tuple[bytes, int]:
        """One `tel` with as many of the entries as keep it small, and their number."""
        count = len(entries)
        while True:
            rows = [list(entry) for entry in entries[:count]]
            plaintext = messages.encode("tel", {"b": self._ring.boot, "s": first, "r": rows})
            if len(plaintext) <= BATCH_OCTETS or count == 1:
                return plaintext, count
            count = count // 2

    def _say(self, t: str, members: "dict[str, Any]", now: int) -> "Effects":
        return self._seal(messages.encode(t, members), now)

    def _seal(self, plaintext: bytes, now: int) -> "Effects":
        """The Data record; a session that is used up is dropped and a new one asked for."""
        if self._session is None:
            return []
        try:
            record_out = self._session.seal(plaintext, now)
        except LinkError as error:
            if error.code != messages.UNKNOWN_SESSION:
                raise
            self._session.erase()
            self._session = None
            return self._begin_try(now) if self._try is None and self._up else []
        out: Effects = []
        if self._retains:
            from meshlink import retained

            kept = retained.Retained(
                self._session, self._origin, self._boot, self.try_number, self._ring.high + 1
            )
            out.append(("store", "retained", retained.pack(self._suite, kept)))
        out.append(("send", record_out, None))
        return out
