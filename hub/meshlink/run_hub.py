"""The hub's side of running, one object for one device (protocol book, "Running"). `now` is ms since 1970.

A Reply makes a candidate; only when Data verifies under it does the candidate become the session, after the
pair (boot, try) was stored. A pair that is not above the highest stored one never becomes a session: when
Data under it verifies, somebody holds a copy of the device's keys or an old state of it, and the alarm is
raised.
"""

from mathmesh.errors import LocalProtocolError
from meshlink import kinds, messages, record
from meshlink.hints import Hints
from meshlink.hkdf import equal, lp
from meshlink.messages import LinkError
from meshlink.noise import Handshake
from meshlink.session import LONGEST, Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshlink.suite import Effects, Suite

PROLOGUE = b"meshlink 1"
MAXIMUM_CANDIDATES = 4
CANDIDATE_LIFE = 60 * 1000
OLD_SESSION = 120 * 1000
ANSWER_WAIT = 60 * 1000
EXPIRES = 10 * 1000

_ENTROPY = 32
_TO_DEVICE = ("time", "forget", "rehome", "cfg")


class _Candidate:
    """An answered Init: its octets, the Reply, the session that may come of it, and its pair."""

    def __init__(
        self, init: bytes, reply: bytes, session: Session, pair: tuple[int, int], stale: bool
    ) -> None:
        self.init = init
        self.reply = reply
        self.session = session
        self.pair = pair
        self.stale = stale


class _Command:
    """A command that waits for its result."""

    def __init__(self, members: "dict[str, Any]", prop: kinds.Property, allow: bool, now: int) -> None:
        self.members = members
        self.prop = prop
        self.allow = allow
        self.since = now
        self.challenge: bytes | None = None


class HubRun:
    """device_udf, account_udf 64 octets; topic_id 10; psk: psk_run, 32; pair: highest (boot, try) stored.

    `online` tells whether a session is confirmed; `pair` is the highest confirmed pair.
    """

    def __init__(
        self,
        suite: "Suite",
        *,
        device_udf: bytes,
        account_udf: bytes,
        topic_id: bytes,
        psk: bytes,
        description: "dict[str, Any]",
        pair: tuple[int, int] = (0, 0),
    ) -> None:
        self._suite = suite
        self._udfs = lp(device_udf) + lp(account_udf)
        self._topic_id = topic_id
        self._psk = psk
        self._description = description
        self.pair = (pair[0], pair[1])
        self._candidates: list[_Candidate] = []
        self._current: _Candidate | None = None
        self._old: Session | None = None
        self._old_until = 0
        self._hints = Hints()
        self._commands: dict[bytes, _Command] = {}
        self._number = 0
        self._origins: dict[int, int | None] = {}
        self._up = 0

    @property
    def online(self) -> bool:
        """Whether a confirmed session is there."""
        return self._current is not None

    # What the hub says

    def wake(self, now: int) -> "Effects":
        """At the hub's start: ask the device for a handshake."""
        return [("send", record.hint(record.ANY_SESSION, messages.UNKNOWN_SESSION), None)]

    def command(
        self,
        node: str,
        prop: str,
        value: object,
        now: int,
        *,
        expires: int = EXPIRES,
        identifier: bytes | None = None,
        allow: bool = True,
    ) -> "tuple[bytes, Effects]":
        """Send a command and return its id (8 octets); the answer comes as event "result" or "expired".

        expires: ms from now on during which the device may act. allow: answer the challenge of a dangerous
        kind with `go`; otherwise event "ask" comes and go() is called by the application. Raises LinkError
        51, 52 or 53 when the device could not take it, LocalProtocolError while the device is offline.
        """
        if self._current is None:
            raise LocalProtocolError("the device is offline")
        known = kinds.property_of(self._description, node, prop)
        if not known.writable:
            raise LinkError(messages.POLICY, node + "." + prop + " cannot be set")
        kinds.check_value(known, value)
        key = identifier or self._suite.random(8)
        self._number = max(self._number + 1, now)
        members = {"id": key, "n": self._number, "x": now + expires, "node": node, "prop": prop, "v": value}
        self._commands[key] = _Command(members, known, allow, now)
        return key, self._say("cmd", members, now)

    def go(self, identifier: bytes, now: int) -> "Effects":
        """The user allows the command of event "ask"."""
        command = self._commands.get(identifier)
        if command is None or command.challenge is None:
            raise LocalProtocolError("the device did not ask for this command")
        return self._say("go", {"id": identifier, "ch": command.challenge}, now)

    def receipt(self, boot: int, s: int, now: int) -> "Effects":
        """The entries of `boot` up to number s are durable here: the device may free them."""
        return self._say("rcpt", {"b": boot, "s": s}, now)

    def send(self, t: str, members: "dict[str, Any]", now: int) -> "Effects":
        """One of time, forget, rehome, cfg; nothing while the device is offline."""
        if t not in _TO_DEVICE:
            raise LocalProtocolError("the application does not send " + t)
        return self._say(t, members, now)

    # Time

    @property
    def deadline(self) -> int | None:
        """When tick() is due, in ms."""
        due = [candidate.session.since + CANDIDATE_LIFE for candidate in self._candidates]
        due += [command.since + ANSWER_WAIT for command in self._commands.values()]
        if self._old is not None:
            due.append(self._old_until)
        return min(due) if due else None

    def tick(self, now: int) -> "Effects":
        """Candidates end after 60 s, the replaced session after 120 s, unanswered commands after 60 s."""
        kept = []
        for candidate in self._candidates:
            if now - candidate.session.since < CANDIDATE_LIFE:
                kept.append(candidate)
            else:
                candidate.session.erase()
        self._candidates = kept
        if self._old is not None and now >= self._old_until:
            self._old.erase()
            self._old = None
        out: Effects = []
        for key in list(self._commands):
            if now - self._commands[key].since >= ANSWER_WAIT:
                del self._commands[key]
                out.append(("event", "expired", {"id": key}))
        return out

    def end_session(self) -> None:
        """Drop the session and the one before it, as when the pair could not be stored: the device is asked
        for a new handshake when it says something next.
        """
        if self._current is not None:
            self._current.session.erase()
        if self._old is not None:
            self._old.erase()
        self._current = self._old = None

    def erase(self) -> None:
        """Forget the key and every session."""
        for candidate in self._candidates:
            candidate.session.erase()
        self.end_session()
        self._candidates = []
        self._psk = b""

    # Records

    def receive(self, octets: bytes, now: int) -> "Effects":
        """One record of the device's topic."""
        self.tick_sessions(now)
        parsed = record.unpack(octets)
        if parsed is None:
            return []
        if parsed.type == record.INIT_RUN:
            return self._init(octets, parsed, now)
        if parsed.type != record.DATA:
            return []
        current = self._current
        if current is not None and current.session.sid == parsed.sid:
            return self._open(current.session, parsed, now)
        if self._old is not None and self._old.sid == parsed.sid:
            return self._open(self._old, parsed, now)
        for candidate in self._candidates:
            if candidate.session.sid == parsed.sid:
                return self._confirm(candidate, parsed, now)
        return self._hints.about(parsed.sid, messages.UNKNOWN_SESSION, None, now)

    def tick_sessions(self, now: int) -> None:
        """Drop what is over by time, so that a late record finds nothing."""
        if self._old is not None and now >= self._old_until:
            self._old.erase()
            self._old = None
        self._candidates = [c for c in self._candidates if now - c.session.since < CANDIDATE_LIFE]
        if self._current is not None and now - self._current.session.since >= LONGEST:
            self._current.session.erase()
            self._current = None

    def _init(self, octets: bytes, parsed: record.Record, now: int) -> "Effects":
        """Checked in this order: identical, id, sid in use, tag, pair; X25519 only after that."""
        known = self._candidates + [self._current] if self._current else self._candidates
        for candidate in known:
            if candidate.init == octets:
                return [("send", candidate.reply, None)]
        if not self._psk or not equal(parsed.body[: record.IDENTIFIER], self._topic_id):
            return []
        in_use = [candidate.session.sid for candidate in known]
        if parsed.sid in in_use or (self._old is not None and self._old.sid == parsed.sid):
            return []
        prologue = PROLOGUE + octets[: record.HEADER + record.IDENTIFIER] + self._udfs
        handshake = Handshake(self._suite, prologue, self._psk)
        payload = handshake.read_first(parsed.body[record.IDENTIFIER :])
        pair = messages.handshake_payload(payload) if payload is not None else None
        if pair is None:
            return []
        return self._answer(handshake, octets, parsed.sid, (pair["b"], pair["n"]), now)

    def _answer(
        self, handshake: Handshake, octets: bytes, sid: bytes, pair: tuple[int, int], now: int
    ) -> "Effects":
        told = messages.reply(now, self._suite.random(_ENTROPY))
        message = handshake.write_second(told)
        if message is None:
            return []
        receive_key, send_key = handshake.split()
        handshake.erase()
        reply = record.pack(record.REPLY, sid, 0, message)
        session = Session(self._suite, sid, send_key, receive_key, now)
        self._make_room()
        self._candidates.append(_Candidate(octets, reply, session, pair, pair <= self.pair))
        return [("send", reply, None)]

    def _make_room(self) -> None:
        """Keep four candidates; replayed Inits make room before fresh ones do."""
        while len(self._candidates) >= MAXIMUM_CANDIDATES:
            stale = [candidate for candidate in self._candidates if candidate.stale]
            gone = (stale or self._candidates)[0]
            gone.session.erase()
            self._candidates.remove(gone)

    def _confirm(self, candidate: _Candidate, parsed: record.Record, now: int) -> "Effects":
        plaintext = candidate.session.open(parsed, now)
        if plaintext is None:
            return []
        self._candidates.remove(candidate)
        boot, number = candidate.pair
        if candidate.pair <= self.pair:
            candidate.session.erase()
            return [("event", "alarm", {"boot": boot, "try": number})]
        self.pair = candidate.pair
        for other in [other for other in self._candidates if other.pair <= self.pair and not other.stale]:
            other.session.erase()
            self._candidates.remove(other)
        if self._old is not None:
            self._old.erase()
        self._old = self._current.session if self._current else None
        self._old_until = now + OLD_SESSION
        self._current = candidate
        out: Effects = [("store", "pair", candidate.pair)]
        out.append(("event", "session", {"boot": boot, "try": number}))
        return out + self._message(plaintext, now) + self._again(now)

    def _open(self, session: Session, parsed: record.Record, now: int) -> "Effects":
        plaintext = session.open(parsed, now)
        return [] if plaintext is None else self._message(plaintext, now)

    def _again(self, now: int) -> "Effects":
        """Commands without a result go out once more under the new session; one-shot acts never do."""
        out: Effects = []
        for key in list(self._commands):
            command = self._commands[key]
            if command.prop.one_shot or command.members["x"] < now:
                del self._commands[key]
                out.append(("event", "expired", {"id": key}))
            else:
                out += self._say("cmd", command.members, now)
        return out

    # Messages

    def _message(self, plaintext: bytes, now: int) -> "Effects":
        try:
            message = messages.decode(plaintext)
        except LinkError as error:
            return self._say("err", {"c": error.code, "m": str(error)}, now)
        if message is None:
            return []
        t = message.pop("t")
        if t == "ready":
            return self._ready(message, now)
        if t == "tel":
            message["t0"] = self._origins.get(message["b"])
            message["up"] = self._up if message["b"] == self.pair[0] else None
            return [("event", "tel", message)]
        if t == "res":
            return self._result(message)
        if t == "ask":
            return self._asked(message, now)
        if t == "time":
            return self._say("time", {"now": now}, now)
        if t in ("gap", "err"):
            return [("event", t, message)]
        return []

    def _ready(self, message: "dict[str, Any]", now: int) -> "Effects":
        """Notes when each boot began, as told, or for this boot by what the device says of its age. Of
        boots of which the device holds nothing any more, nothing is kept.
        """
        boot = self.pair[0]
        origins = {boot: self._origins.get(boot)}
        for item in message["ring"]:
            if not messages.is_ring_entry(item):
                return self._say("err", {"c": messages.FORMAT, "m": "ring is malformed"}, now)
            if item[0] != boot or item[3] is not None:
                origins[item[0]] = item[3]
        if origins[boot] is None:
            origins[boot] = now - message["up"]
        self._origins = origins
        self._up = message["up"]
        return [("event", "ready", message)]

    def _result(self, message: "dict[str, Any]") -> "Effects":
        """Only of commands that wait for one: a result under an old session or twice is none."""
        if self._commands.pop(message["id"], None) is None:
            return []
        return [("event", "result", message)]

    def _asked(self, message: "dict[str, Any]", now: int) -> "Effects":
        command = self._commands.get(message["id"])
        if command is None or not command.prop.needs_go:
            return []
        command.challenge = message["ch"]
        if command.allow:
            return self.go(message["id"], now)
        return [("event", "ask", {"id": message["id"]})]

    def _say(self, t: str, members: "dict[str, Any]", now: int) -> "Effects":
        """The record under the current session; none while there is none, or when it is used up."""
        if self._current is None:
            return []
        plaintext = messages.encode(t, members)
        try:
            return [("send", self._current.session.seal(plaintext, now), None)]
        except LinkError as error:
            if error.code != messages.UNKNOWN_SESSION:
                raise
            sid = self._current.session.sid
            self._current.session.erase()
            self._current = None
            return self._hints.about(sid, messages.UNKNOWN_SESSION, None, now)
