"""The device's side of onboarding (protocol book, "Onboarding"): one object for the device, all carriers.

What is stored moves by one table only, TRANSITIONS. At most one adopter at a time: the first whose `begin`
verifies. Others whose Init verifies get Hint 6; a stranger's Init gets no answer at all.
"""

from mathmesh.errors import LocalProtocolError
from meshlink import messages, record
from meshlink.agreement import Agreement, ladder_scalar
from meshlink.hints import Hints
from meshlink.hkdf import equal, lp
from meshlink.messages import LinkError
from meshlink.noise import Handshake
from meshlink.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshlink.suite import Effects, Identity, Suite

PROLOGUE = b"meshlink 1"
WINDOW = 15 * 60 * 1000
SILENCE = 120 * 1000
PENDING_LIMIT = 10 * 60 * 1000
CANDIDATE_LIFE = 60 * 1000
MAXIMUM_CANDIDATES = 4
MAXIMUM_ERRORS = 5
MAXIMUM_BLINK = 60

FREE, PENDING, CLAIMED = "FREE", "PENDING", "CLAIMED"

# (stored state, event) → stored state; an event that is no key here is not possible
TRANSITIONS = {
    (FREE, "secrets"): PENDING,
    (FREE, "reset"): FREE,
    (PENDING, "secrets"): PENDING,
    (PENDING, "commit"): CLAIMED,
    (PENDING, "session"): CLAIMED,
    (PENDING, "expired"): FREE,
    (PENDING, "reset"): FREE,
    (CLAIMED, "session"): CLAIMED,
    (CLAIMED, "reset"): FREE,
}

# message → (method, phases in which it is taken)
_BEGUN, _AGREED, _TRYING, _HELD = 1, 2, 3, 4
_MESSAGES = {
    "begin": ("_begin", (_BEGUN,)),
    "adopt": ("_adopt", (_BEGUN, _AGREED)),
    "blink": ("_blink", (_BEGUN, _AGREED, _TRYING, _HELD)),
    "secrets": ("_secrets", (_AGREED, _TRYING, _HELD)),
    "commit": ("_commit", (_HELD,)),
}


class _Conversation:
    """A handshake that was answered, and what was agreed under it."""

    def __init__(
        self, peer: object, init: bytes, reply: bytes, session: Session, h: bytes, xp: bytes
    ) -> None:
        self.peer = peer
        self.init = init
        self.reply = reply
        self.session = session
        self.h = h
        self.xp = xp
        self.phase = _BEGUN
        self.errors = 0
        self.heard = session.since
        self.agreement: Agreement | None = None
        self.adopted: dict[str, Any] = {}
        self.secrets: dict[str, Any] = {}

    def erase(self) -> None:
        self.session.erase()
        if self.agreement is not None:
            self.agreement.erase()
        self.agreement = None
        self.h = self.xp = b""
        self.adopted = {}
        self.secrets = {}


class DeviceLink:
    """state: what is stored, FREE, PENDING or CLAIMED; `window` tells whether an adopter is looked for.

    identity: see meshlink.suite.Identity. last_error: reported in `hello`, 0 for none.
    """

    def __init__(
        self, suite: "Suite", identity: "Identity", *, state: str, now: int, last_error: int = 0
    ) -> None:
        self._suite = suite
        self._identity = identity
        self.state = state
        self.last_error = last_error
        self.window = False
        self._window_until = 0
        self._pending_since = now
        self._candidates: list[_Conversation] = []
        self._peer: _Conversation | None = None
        self._hints = Hints()

    # Events of the device

    def open_window(self, now: int) -> "Effects":
        """Power-on or button: a FREE device looks for an adopter during 15 min. Others stay as they are."""
        if self.state != FREE:
            return []
        self.window = True
        self._window_until = now + WINDOW
        return [("event", "window", True)]

    def closed(self, peer: object, now: int) -> "Effects":
        """The connection of `peer` closed."""
        for held in [held for held in self._candidates if held.peer == peer]:
            self._candidates.remove(held)
            held.erase()
        if self._peer is None or self._peer.peer != peer:
            return []
        return self._drop()

    def network(self, code: int, now: int) -> "Effects":
        """Answer to event "join": 0 when the network was joined, else an error of 32 to 36."""
        held = self._peer
        if held is None or held.phase != _TRYING:
            return []
        if code == 0:
            return self._hold(held, now)
        self.last_error = code
        held.phase = _AGREED
        return self._error(held, LinkError(code, messages.ERRORS.get(code, "")), now)

    def store_failed(self, now: int) -> "Effects":
        """The store "pending" could not be carried out, nor what followed it: FREE again, error 19."""
        held = self._peer
        if held is None or held.phase != _HELD:
            raise LocalProtocolError("nothing was to be stored")
        self.state = FREE
        held.phase = _AGREED
        return self._error(held, LinkError(messages.STORAGE, messages.ERRORS[messages.STORAGE]), now)

    def confirmed(self, now: int) -> "Effects":
        """A running session confirmed: what was PENDING is CLAIMED."""
        was = self.state
        self._move("session")
        return [("store", "claimed", None)] if was == PENDING else []

    def reset(self, now: int) -> "Effects":
        """Button held for 10 s, or `forget`: everything but the identity is wiped."""
        out = self._shut(self._drop_all())
        self._move("reset")
        return [("store", "free", None)] + out

    @property
    def peer(self) -> object:
        """Token of the connection whose `begin` verified; None while there is none."""
        return self._peer.peer if self._peer is not None else None

    @property
    def deadline(self) -> int | None:
        """When tick() is due, in ms."""
        due = [held.session.since + CANDIDATE_LIFE for held in self._candidates]
        if self.window:
            due.append(self._window_until)
        if self._peer is not None:
            due.append(self._peer.heard + SILENCE)
        if self.state == PENDING:
            due.append(self._pending_since + PENDING_LIMIT)
        return min(due) if due else None

    def tick(self, now: int) -> "Effects":
        """What time does: the window shuts, silent peers are dropped, PENDING ends."""
        out: Effects = []
        for old in [old for old in self._candidates if now - old.session.since >= CANDIDATE_LIFE]:
            self._candidates.remove(old)
            old.erase()
        held = self._peer
        if held is not None and now - held.heard >= SILENCE:
            out = [("close", held.peer)] + self._drop()
        if self.window and now >= self._window_until and self._peer is None:
            out += self._shut([])
        if self.state == PENDING and now - self._pending_since >= PENDING_LIMIT:
            out += self._drop_all()
            self._move("expired")
            out += self._shut([("store", "free", None)])
        return out

    def erase(self) -> None:
        """Forget every conversation."""
        for held in self._candidates:
            held.erase()
        self._candidates = []
        self._drop()

    # Records

    def receive(self, octets: bytes, now: int, peer: object) -> "Effects":
        """One record that came over the connection `peer`."""
        parsed = record.unpack(octets)
        if parsed is None:
            return []
        if parsed.type == record.INIT_ONBOARD:
            return self._init(octets, parsed, now, peer)
        if parsed.type != record.DATA:
            return []
        for held in self._conversations():
            if held.session.sid == parsed.sid and held.peer == peer:
                plaintext = held.session.open(parsed, now)
                return [] if plaintext is None else self._message(held, plaintext, now)
        return []

    def _init(self, octets: bytes, parsed: record.Record, now: int, peer: object) -> "Effects":
        """Checked in this order: identical, label, state, sid, tag; only then an answer, only then X25519."""
        for held in self._conversations():
            if held.init == octets:
                return [("send", held.reply, peer)] if held.peer == peer else []
        identity = self._identity
        if self.state == PENDING or not equal(parsed.body[: record.IDENTIFIER], identity.lid):
            return []
        prologue = PROLOGUE + octets[: record.HEADER + record.IDENTIFIER] + lp(identity.udf) + lp(b"")
        handshake = Handshake(self._suite, prologue, identity.psk_on)
        if handshake.read_first(parsed.body[record.IDENTIFIER :]) is None:
            return []
        if self.state == CLAIMED or not (self.window or self._peer):
            return self._hints.about(parsed.sid, messages.NOT_NOW, peer, now)
        if self._peer is not None:
            return self._hints.about(parsed.sid, messages.BUSY, peer, now)
        if any([held.session.sid == parsed.sid for held in self._candidates]):
            return []
        return self._answer(handshake, octets, parsed.sid, now, peer)

    def _answer(self, handshake: Handshake, octets: bytes, sid: bytes, now: int, peer: object) -> "Effects":
        message = handshake.write_second()
        if message is None:
            return []
        receive_key, send_key = handshake.split()
        reply = record.pack(record.REPLY, sid, 0, message)
        session = Session(self._suite, sid, send_key, receive_key, now)
        held = _Conversation(peer, octets, reply, session, handshake.h, handshake.export())
        handshake.erase()
        while len(self._candidates) >= MAXIMUM_CANDIDATES:
            self._candidates.pop(0).erase()
        self._candidates.append(held)
        return [("send", reply, peer)]

    # Messages

    def _message(self, held: _Conversation, plaintext: bytes, now: int) -> "Effects":
        held.heard = now
        try:
            message = messages.decode(plaintext)
            if message is None or message["t"] == "err":
                return []
            method, phases = _MESSAGES.get(message["t"], ("", ()))
            if held is not self._peer and message["t"] != "begin":
                raise LinkError(messages.NOT_NOW, "begin comes first")
            if held.phase not in phases:
                raise LinkError(messages.NOT_NOW, "not now: " + message["t"])
            return getattr(self, method)(held, message, now)  # type: ignore[no-any-return]
        except LinkError as error:
            return self._error(held, error, now)

    def _begin(self, held: _Conversation, message: "dict[str, Any]", now: int) -> "Effects":
        if self._peer is not None and held is not self._peer:
            raise LinkError(messages.BUSY, "busy with another adopter")
        if held in self._candidates:
            self._candidates.remove(held)
            for other in self._candidates:
                other.erase()
            self._candidates = []
            self._peer = held
        identity = self._identity
        members = {
            "udf": identity.udf,
            "desc": identity.description,
            "board": identity.board,
            "fw": identity.fw,
            "fwh": identity.fwh,
            "boot": identity.boot,
            "led": bool(identity.led),
            "both": bool(identity.both),
            "st": self.state,
            "err": self.last_error,
        }
        return self._say(held, "hello", members, now)

    def _adopt(self, held: _Conversation, message: "dict[str, Any]", now: int) -> "Effects":
        suite = self._suite
        identity = self._identity
        held.phase = _BEGUN
        held.adopted = {}
        scalars = identity.activate(message["act"])
        key = message["key"]
        z = suite.x448(ladder_scalar(scalars["authentication"]), key[:56])
        parts = (held.h, held.xp, identity.udf, message["audf"], identity.authentication)
        held.agreement = Agreement(suite, *parts, key, message["act"], z)
        held.adopted = {"acct": message["acct"], "audf": message["audf"], "scalars": scalars}
        held.phase = _AGREED
        return self._say(held, "proof", {"mac": held.agreement.proof_mac}, now)

    def _blink(self, held: _Conversation, message: "dict[str, Any]", now: int) -> "Effects":
        return [("event", "blink", min(message["s"], MAXIMUM_BLINK))]

    def _secrets(self, held: _Conversation, message: "dict[str, Any]", now: int) -> "Effects":
        agreement = held.agreement
        if agreement is None or not equal(message["mac"], agreement.secrets_mac):
            raise LinkError(messages.PROOF, "the adopter's proof does not hold")
        if held.phase == _TRYING:
            return []
        if held.phase == _HELD and message["id"] == held.secrets["id"]:
            return self._say(held, "stored", {}, now)
        names = ("id", "wifi", "hub", "ca", "mq", "name", "now")
        held.secrets = {name: message[name] for name in names}
        out: Effects = [("event", "ent", message["ent"])]
        if self._identity.both and message["wifi"]:
            held.phase = _TRYING
            return out + [("event", "join", held.secrets)]
        return out + self._hold(held, now)

    def _hold(self, held: _Conversation, now: int) -> "Effects":
        """Store what was agreed, then say so."""
        agreement = held.agreement
        if agreement is None:
            raise LocalProtocolError("nothing was agreed")
        value = {
            "psk_run": agreement.psk_run,
            "psk_repair": agreement.psk_repair,
            "own": agreement.own,
            "secrets": held.secrets,
        }
        value.update(held.adopted)
        self._move("secrets")
        self._pending_since = now
        held.phase = _HELD
        return [("store", "pending", value)] + self._say(held, "stored", {}, now)

    def _commit(self, held: _Conversation, message: "dict[str, Any]", now: int) -> "Effects":
        self._move("commit")
        peer = held.peer
        return [("store", "claimed", None), ("close", peer)] + self._drop()

    def _error(self, held: _Conversation, error: LinkError, now: int) -> "Effects":
        """Tell the adopter; five errors end the link."""
        held.errors += 1
        out = self._say(held, "err", {"c": error.code, "m": str(error)}, now)
        if held.errors < MAXIMUM_ERRORS:
            return out
        out.append(("close", held.peer))
        if held is self._peer:
            return out + self._drop()
        self._candidates.remove(held)
        held.erase()
        return out

    # Helpers

    def _conversations(self) -> list[_Conversation]:
        return self._candidates + [self._peer] if self._peer else self._candidates

    def _say(self, held: _Conversation, t: str, members: "dict[str, Any]", now: int) -> "Effects":
        return [("send", held.session.seal(messages.encode(t, members), now), held.peer)]

    def _drop(self) -> "Effects":
        """End the one conversation; a device that holds an adoption goes on to the run phase."""
        if self._peer is None:
            return []
        self._peer.erase()
        self._peer = None
        return [] if self.state == FREE else self._shut([("event", "run", None)])

    def _drop_all(self) -> "Effects":
        out: Effects = [("close", self._peer.peer)] if self._peer else []
        for held in self._candidates:
            out.append(("close", held.peer))
        self._peer_erase()
        return out

    def _peer_erase(self) -> None:
        for held in self._conversations():
            held.erase()
        self._candidates = []
        self._peer = None

    def _shut(self, out: "Effects") -> "Effects":
        """Close the window, before what is in `out`."""
        if not self.window:
            return out
        self.window = False
        return [("event", "window", False)] + out

    def _move(self, event: str) -> None:
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise LocalProtocolError("a " + self.state + " device knows no " + event)
        self.state = state
