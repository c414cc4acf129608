"""Every message of the link: its members, their order and their form (protocol book, "Messages").

A message is a JSON object with the member `t`. Binary members are base64url text without padding on the
wire and bytes here. Members that a table does not name are ignored when read and refused when written.
"""

from mathmesh.codec import b64, base32
from mathmesh.errors import EncodingError, ProtocolError
from meshlink import json_text
from meshlink.record import LinkError as LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION, NOT_NOW, FORMAT, UNKNOWN_SESSION, BUSY, TOO_LARGE, RATE = 1, 2, 3, 4, 6, 7, 8
ACTIVATION, KEY, PROOF, STORAGE = 16, 17, 18, 19
NO_NETWORK, WIFI_PASSWORD, NO_ADDRESS, HUB_UNREACHABLE, BROKER = 32, 33, 34, 35, 36
EXPIRED, NO_TIME, SUPERSEDED, UNKNOWN_PROPERTY, VALUE, POLICY, FAILED = 48, 49, 50, 51, 52, 53, 54
SIGNATURE, OLD_VERSION, HASH, SPACE = 64, 65, 66, 67

ERRORS = {
    VERSION: "version not supported",
    NOT_NOW: "not now",
    FORMAT: "malformed message",
    UNKNOWN_SESSION: "unknown session",
    BUSY: "busy with another",
    TOO_LARGE: "too large",
    RATE: "too many requests",
    ACTIVATION: "the activation cannot be used",
    KEY: "the key cannot be used",
    PROOF: "the proof does not hold",
    STORAGE: "the device could not store it",
    NO_NETWORK: "the Wi-Fi network was not found",
    WIFI_PASSWORD: "the Wi-Fi password was refused",
    NO_ADDRESS: "the network gave no address",
    HUB_UNREACHABLE: "the hub cannot be reached",
    BROKER: "the broker refused the device",
    EXPIRED: "expired",
    NO_TIME: "the device does not know the time",
    SUPERSEDED: "superseded by a later command",
    UNKNOWN_PROPERTY: "unknown property",
    VALUE: "value not allowed",
    POLICY: "refused by policy",
    FAILED: "failed",
    SIGNATURE: "the signature does not hold",
    OLD_VERSION: "the version is not newer",
    HASH: "the hash differs",
    SPACE: "no space left",
}

MAXIMUM_ENTRY = 1000

# Forms of members. A number is binary with that many octets.
_BINARY, _TEXT, _COUNT, _FLAG, _OBJECT, _LIST, _PAIR, _PAIRS, _TEXTS, _ANY, _ENTRIES = (
    -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11,
)  # fmt: skip
_MAXIMUM_COUNT = (1 << 53) - 1

_MEMBERS = {
    "begin": (),
    "hello": (
        ("udf", 64), ("desc", _OBJECT), ("board", _TEXT), ("fw", _TEXT), ("fwh", 32), ("boot", _COUNT),
        ("led", _FLAG), ("both", _FLAG), ("st", _TEXT), ("err", _COUNT),
    ),
    "adopt": (("acct", _TEXT), ("audf", 64), ("key", 57), ("act", _BINARY)),
    "proof": (("mac", 32),),
    "blink": (("s", _COUNT),),
    "secrets": (
        ("mac", 32), ("id", 10), ("wifi", _PAIRS), ("hub", _TEXTS), ("ca", _TEXT), ("mq", _PAIR),
        ("name", _TEXT), ("now", _COUNT), ("ent", 32),
    ),
    "stored": (),
    "commit": (),
    "ready": (("st", _TEXT), ("up", _COUNT), ("ring", _LIST)),
    "tel": (("b", _COUNT), ("s", _COUNT), ("r", _ENTRIES)),
    "gap": (("b", _COUNT), ("from", _COUNT), ("to", _COUNT)),
    "rcpt": (("b", _COUNT), ("s", _COUNT)),
    "cmd": (("id", 8), ("n", _COUNT), ("x", _COUNT), ("node", _TEXT), ("prop", _TEXT), ("v", _ANY)),
    "res": (("id", 8), ("c", _COUNT), ("v", _ANY)),
    "ask": (("id", 8), ("ch", 8)),
    "go": (("id", 8), ("ch", 8)),
    "err": (("c", _COUNT), ("m", _TEXT)),
    "time": (),
    "forget": (),
    "rehome": (
        ("id", 10), ("run", 32), ("repair", 32), ("hub", _TEXTS), ("ca", _TEXT), ("mq", _PAIR), ("ent", 32),
    ),
    "cfg": (("set", _OBJECT),),
}  # fmt: skip

_OPTIONAL = {"time": (("now", _COUNT),)}


def topic(topic_id: bytes, leaf: str) -> str:
    """MQTT topic of a device; leaf is `up`, `dn` or `p`, topic_id the 10 octets of `secrets`."""
    return "mh/1/" + base32.encode(topic_id).lower() + "/" + leaf


def encode(t: str, members: "dict[str, Any] | None" = None) -> bytes:
    """The message `t` in JSON, its members in the order of the tables.

    Raises ProtocolError for a member that is missing, not known or of another form: our own mistake.
    """
    given = dict(members or {})
    pieces = ['{"t":' + json_text.text(t)]
    for name, form in _members(t):
        if name not in given:
            raise ProtocolError("message " + t + " lacks " + name)
        value = given.pop(name)
        if not _fits(value, form):
            raise ProtocolError("message " + t + " cannot carry this " + name)
        pieces.append(json_text.text(name) + ":" + json_text.text(value))
    for name, form in _OPTIONAL.get(t, ()):
        if name in given and _fits(given[name], form):
            pieces.append(json_text.text(name) + ":" + json_text.text(given.pop(name)))
    if given:
        raise ProtocolError("message " + t + " has no member " + ", ".join(given))
    return (",".join(pieces) + "}").encode()


def decode(plaintext: bytes) -> "dict[str, Any] | None":
    """Members of a message with their `t`; None for a message of an unknown kind, which is ignored.

    Raises LinkError 3 for bad JSON, nesting above 8, a member that is missing, twice there or of another
    form.
    """
    try:
        message = json_text.loads(plaintext)
    except EncodingError as error:
        raise LinkError(FORMAT, str(error)) from None
    t = message.get("t")
    if not isinstance(t, str):
        raise LinkError(FORMAT, "message has no kind")
    if t not in _MEMBERS:
        return None
    out: dict[str, Any] = {"t": t}
    for name, form in _members(t):
        if name not in message:
            raise LinkError(FORMAT, "message " + t + " lacks " + name)
        out[name] = _read(t, name, message[name], form)
    for name, form in _OPTIONAL.get(t, ()):
        if name in message:
            out[name] = _read(t, name, message[name], form)
    return out


def handshake_payload(payload: bytes) -> "dict[str, Any] | None":
    """Members `b` and `n` of a running Init; None when they are not two counts below 2^32."""
    try:
        value: dict[str, Any] = json_text.loads(payload)
    except EncodingError:
        return None
    for name in ("b", "n"):
        if not _fits(value.get(name), _COUNT) or value[name] >> 32:
            return None
    return value


def reading(node: object, prop: object, value: object) -> object:
    """The value of a reading as it is sent: null for a number that is not finite.

    Raises ProtocolError for one that no record carries: of another form, or above 1000 octets.
    """
    if isinstance(value, float) and value - value != 0:
        value = None
    fits = isinstance(node, str) and isinstance(prop, str) and _fits(value, _ANY)
    if not fits or len(json_text.text([node, prop, value]).encode()) > MAXIMUM_ENTRY:
        raise ProtocolError("a reading that cannot be sent: its value is no short text, number or flag")
    return value


def is_ring_entry(item: object) -> bool:
    """Whether `item` is [boot, lowest number, highest number, t0] of `ready`: counts, t0 may be null."""
    if not isinstance(item, (list, tuple)) or len(item) != 4:
        return False
    return all([_fits(number, _COUNT) for number in item[:3]]) and (item[3] is None or _fits(item[3], _COUNT))


def init_payload(boot: int, number: int) -> bytes:
    """Payload of a running Init: number of this boot and of the try within it."""
    return ('{"b":' + str(boot) + ',"n":' + str(number) + "}").encode()


def reply(now: int, entropy: bytes) -> bytes:
    """Payload of a running Reply: the hub's time in ms and 32 random octets."""
    return ('{"now":' + str(now) + ',"ent":' + json_text.text(entropy) + "}").encode()


def reply_payload(payload: bytes) -> "dict[str, Any] | None":
    """Members `now` (ms) and `ent` (32 octets) of a running Reply; None when they are not there."""
    try:
        value = json_text.loads(payload)
        return {
            "now": _read("", "now", value.get("now"), _COUNT),
            "ent": _read("", "ent", value.get("ent"), 32),
        }
    except (EncodingError, LinkError):
        return None


def _members(t: str) -> "tuple[tuple[str, int], ...]":
    members = _MEMBERS.get(t)
    if members is None:
        raise ProtocolError("there is no message " + t)
    return members


def _read(t: str, name: str, value: object, form: int) -> object:
    """The value of a received member; binary members become bytes, flags bool."""
    if form == _BINARY or form > 0:
        if not isinstance(value, str):
            raise LinkError(FORMAT, "message " + t + ": " + name + " is not binary")
        try:
            value = b64.decode(value)
        except EncodingError:
            raise LinkError(FORMAT, "message " + t + ": " + name + " is not base64url") from None
    if form == _FLAG and value in (0, 1):
        return bool(value)
    if not _fits(value, form):
        raise LinkError(FORMAT, "message " + t + ": " + name + " has another form")
    return value


def _fits(value: object, form: int) -> bool:
    if form > 0:
        return isinstance(value, (bytes, bytearray)) and len(value) == form
    if form == _BINARY:
        return isinstance(value, (bytes, bytearray))
    if form == _TEXT:
        return isinstance(value, str)
    if form == _FLAG:
        return isinstance(value, bool)
    if form == _COUNT:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAXIMUM_COUNT
    if form == _OBJECT:
        return isinstance(value, dict)
    if form == _ANY:
        return value is None or isinstance(value, (bool, int, float, str))
    return isinstance(value, (list, tuple)) and _fits_list(value, form)


def _fits_list(value: "list[Any] | tuple[Any, ...]", form: int) -> bool:
    if form == _LIST:
        return True
    if form == _PAIR:
        return len(value) == 2 and _fits_list(value, _TEXTS)
    if form == _TEXTS:
        return all([isinstance(item, str) for item in value])
    if form == _PAIRS:
        return all([isinstance(item, (list, tuple)) and _fits_list(item, _PAIR) for item in value])
    return bool(value) and all([isinstance(item, (list, tuple)) and _is_entry(item) for item in value])


def _is_entry(item: "list[Any] | tuple[Any, ...]") -> bool:
    return (
        len(item) == 4
        and _fits(item[0], _COUNT)
        and isinstance(item[1], str)
        and isinstance(item[2], str)
        and _fits(item[3], _ANY)
    )
