"""Vectors of the link: Noise, AEAD_AES_256_CCM, and the trace of a whole onboarding and first run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, ChaCha20Poly1305
from tests.conformance.report import Outcome, Runner, Vector, check, load
from tests.conformance.udf import Compared

from mathmesh.codec import b64, udf
from mathmesh.keys import derive, earl
from mathmesh.threshold import cogeneration
from meshdevice.activation import open_activation
from meshdevice.crypto import DeviceSuite
from meshhub.link_suite import HubSuite
from meshlink import agreement, json_text, label, messages, noise, record
from meshlink.ccm import Ccm, CcmCipher
from meshlink.hkdf import lp
from meshlink.onboard import AdopterLink, DeviceLink
from meshlink.session import Session

PROLOGUE = b"meshlink 1"
NAMES = {"onboarding": "onboarding_messages", "run": "run_messages"}


def runners() -> dict[str, Runner]:
    """Runner of each file pattern."""
    return {"link/noise_*.json": _run_noise, "link/ccm*.json": _run_ccm, "link/trace*.json": _run_trace}


class ChaChaPoly:
    """The cipher of the published vectors: nonce = 4 zero octets || little-endian n."""

    def __init__(self, suite: object, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)

    def seal(self, n: int, associated: bytes, plaintext: bytes) -> bytes:
        return self._aead.encrypt(bytes(4) + n.to_bytes(8, "little"), plaintext, associated)

    def open(self, n: int, associated: bytes, sealed: bytes) -> bytes | None:
        try:
            return self._aead.decrypt(bytes(4) + n.to_bytes(8, "little"), sealed, associated)
        except InvalidTag:
            return None


CIPHERS: dict[str, Any] = {"ChaChaPoly": ChaChaPoly, "AESCCM": CcmCipher}


def suites() -> Iterator[tuple[str, Any]]:
    """Both suites; their results must be the same."""
    yield "hub", HubSuite()
    yield "device", DeviceSuite(bytes(range(32)), 1)


def _hex(text: str) -> bytes:
    return bytes.fromhex(text)


# Noise


def _run_noise(path: Path) -> Iterator[Outcome]:
    for index, case in enumerate(map(Vector, load(path)["vectors"])):
        pattern, _, cipher = case["protocol_name"].removeprefix("Noise_").partition("_25519_")
        name = f"{path.name}[{index}] {case['protocol_name']}"
        if pattern not in ("NN", "NNpsk0") or cipher.removesuffix("_SHA256") not in CIPHERS:
            yield Outcome(name, "failed", "unknown protocol")
            continue
        for suite_name, suite in suites():
            yield check(f"{name} {suite_name}", lambda case=case, suite=suite: _noise(case, suite))


def _noise(case: dict[str, Any], suite: Any) -> Compared:
    """Both ends; a handshake of two messages, then transport messages in turn."""
    name = case["protocol_name"]
    cipher = CIPHERS[name.split("_")[3]]
    psks = [(case.get(f"{side}_psks") or [None])[0] for side in ("init", "resp")]
    ends = [
        noise.Handshake(
            suite, _hex(case.get(f"{side}_prologue", "")), psk and _hex(psk), name.encode(), cipher
        )
        for side, psk in zip(("init", "resp"), psks, strict=True)
    ]
    first, second, *transport = case["messages"]
    sent = ends[0].write_first(_hex(first["payload"]), _hex(case["init_ephemeral"]))
    yield "message 1", sent.hex(), first["ciphertext"]
    yield "payload 1", ends[1].read_first(_hex(first["ciphertext"])), _hex(first["payload"])
    answer = ends[1].write_second(_hex(second["payload"]), _hex(case["resp_ephemeral"]))
    yield "message 2", (answer or b"").hex(), second["ciphertext"]
    yield "payload 2", ends[0].read_second(_hex(second["ciphertext"])), _hex(second["payload"])
    for end in ends:
        yield "handshake_hash", end.h.hex(), case["handshake_hash"]
    keys = [cipher(suite, key) for key in ends[0].split()]
    yield "keys", ends[1].split(), ends[0].split()
    for index, message in enumerate(transport):
        one, n = keys[index % 2], index // 2
        yield "transport", one.seal(n, b"", _hex(message["payload"])).hex(), message["ciphertext"]
        yield "transport back", one.open(n, b"", _hex(message["ciphertext"])), _hex(message["payload"])


# CCM


def _run_ccm(path: Path) -> Iterator[Outcome]:
    vectors = load(path)
    for suite_name, suite in suites():
        for index, case in enumerate(vectors.get("vectors", [])):
            yield check(f"ccm[{index}] {suite_name}", lambda case=case, suite=suite: _ccm(case, suite))
        for index, case in enumerate(vectors.get("must_refuse", [])):
            name = f"ccm must_refuse[{index}] {suite_name}"
            yield check(name, lambda case=case, suite=suite: _ccm_refused(case, suite))


def _ccm(case: dict[str, Any], suite: Any) -> Compared:
    key, nonce, associated, plaintext = (
        _hex(case[name]) for name in ("key", "nonce", "associated", "plaintext")
    )
    ours = Ccm(suite, key)
    yield "sealed", ours.seal(nonce, associated, plaintext).hex(), case["sealed"]
    yield "opened", ours.open(nonce, associated, _hex(case["sealed"])), plaintext
    library = AESCCM(key, tag_length=16).encrypt(nonce, plaintext, associated or None)
    yield "sealed by another implementation", library.hex(), case["sealed"]


def _ccm_refused(case: dict[str, Any], suite: Any) -> Compared:
    opened = Ccm(suite, _hex(case["key"])).open(
        _hex(case["nonce"]), _hex(case["associated"]), _hex(case["sealed"])
    )
    yield "opened", opened, None
    repaired = Ccm(suite, _hex(case["key"])).open(
        _hex(case["nonce"]), _hex(case["associated"]), _hex(case["repaired"])
    )
    yield "opened after repair", repaired is not None, True


# The trace


def _run_trace(path: Path) -> Iterator[Outcome]:
    trace = load(path)
    cases: list[tuple[str, Callable[[dict[str, Any], Any], Compared], str]] = [
        ("factory", _factory, "factory fixture"),
        ("onboarding handshake", lambda trace, suite: _handshake(trace, "onboarding", suite), "onboarding"),
        ("run handshake", lambda trace, suite: _handshake(trace, "run", suite), "run"),
        (
            "onboarding messages",
            lambda trace, suite: _messages(trace, "onboarding", suite),
            "onboarding onboarding_messages",
        ),
        ("run messages", lambda trace, suite: _messages(trace, "run", suite), "run run_messages"),
        ("agreement", _agreement, "agreement fixture onboarding run"),
        ("onboarding by both state machines", _machines, "agreement fixture onboarding onboarding_messages"),
        ("seal without associated data", _seal, "seal_without_associated_data"),
    ]
    for suite_name, suite in suites():
        for name, case, members in cases:
            if set(members.split()) <= set(trace):
                yield check(f"{name} {suite_name}", lambda case=case, suite=suite: case(trace, suite))
        for item in trace.get("must_refuse", []):
            name = f"must refuse {item['name']} {suite_name}"
            yield check(name, lambda item=item, suite=suite: _refused(trace, item, suite))


def _factory(trace: dict[str, Any], suite: Any) -> Compared:
    factory, fixture = trace["factory"], trace["fixture"]
    k = earl.connect_secret(fixture["seed"], fixture["maker"])
    yield "k", k.hex(), factory["k"]
    yield "k_hex", k.hex(), fixture["k_hex"]
    yield "connect_uri", earl.connect_uri(k, fixture["maker"]), fixture["connect_uri"]
    for part in (factory, fixture):
        yield "publication_id", earl.publication_id(k), part["publication_id"]
    yield "psk_on", label.psk_on(suite, k).hex(), factory["psk_on"]
    yield "psk_on_hex", label.psk_on(suite, k).hex(), fixture["psk_on_hex"]
    yield "softap_passphrase", label.passphrase(suite, k), factory["softap_passphrase"]
    lid = label.lid(suite, factory["publication_id"])
    yield "lid", lid.hex(), factory["lid"]
    yield "lid_hex", lid.hex(), fixture["lid_hex"]
    yield "advertised", label.advertised(lid).hex(), factory["advertised"]
    yield "ssid", label.ssid(lid), factory["ssid"]
    profile = derive.derive_key(fixture["seed"], "BaseDeviceProfile")
    yield "device_udf", profile.public.udf, fixture["device_udf"]
    yield "device_udf_bytes_hex", profile.public.udf_bytes.hex(), fixture["device_udf_bytes_hex"]
    yield "trace device_udf", trace["device_udf"], fixture["device_udf_bytes_hex"]
    for field, operation in (("enc", "Encrypt"), ("auth", "Authenticate")):
        key = derive.derive_key(fixture["seed"], "BaseDevice" + operation)
        yield f"{field}_scalar_hex", key.scalar.to_bytes(56, "little").hex(), fixture[f"{field}_scalar_hex"]
        yield f"{field}_public_hex", key.signed_public.hex(), fixture[f"{field}_public_hex"]
    account = _hex(fixture["account_udf_bytes_hex"])
    yield "account_udf", udf.present(account, 140), fixture["account_udf"]
    yield "trace account_udf", trace["account_udf"], fixture["account_udf_bytes_hex"]


def _sides(trace: dict[str, Any], kind: str) -> tuple[bytes, bytes]:
    """(first 23 octets of Init, prologue), from the trace's own names."""
    part = trace[kind]
    first = record.pack(int(part["type"], 16), _hex(part["sid"]), 0, _hex(part["id"]))
    account = b"" if kind == "onboarding" else _hex(trace["account_udf"])
    return first, PROLOGUE + first + lp(_hex(trace["device_udf"])) + lp(account)


def _handshake(trace: dict[str, Any], kind: str, suite: Any) -> Compared:
    part = trace[kind]
    first, prologue = _sides(trace, kind)
    yield "name", noise.NAME.decode(), trace["name"]
    yield "init_first_23", first.hex(), part["init_first_23"]
    yield "prologue", prologue.hex(), part["prologue"]
    privates = [_hex(part[f"{side}_ephemeral_private"]) for side in ("initiator", "responder")]
    publics = [suite.x25519_base(private) for private in privates]
    for side, public in zip(("initiator", "responder"), publics, strict=True):
        yield f"{side}_ephemeral_public", public.hex(), part[f"{side}_ephemeral_public"]
    ee = suite.x25519(privates[0], publics[1])
    yield "ee", ee.hex(), part["ee"]
    yield "ee of the responder", suite.x25519(privates[1], publics[0]).hex(), part["ee"]
    yield from _steps(part, prologue, publics, ee, suite)
    ends = [noise.Handshake(suite, prologue, _hex(part["psk"])) for _ in range(2)]
    sent = first + ends[0].write_first(_hex(part["payload1"]), privates[0])
    yield "init_record", sent.hex(), part["init_record"]
    yield "payload1", ends[1].read_first(sent[23:]), _hex(part["payload1"])
    message = ends[1].write_second(_hex(part["payload2"]), privates[1]) or b""
    reply = record.pack(record.REPLY, _hex(part["sid"]), 0, message)
    yield "reply_record", reply.hex(), part["reply_record"]
    yield "payload2", ends[0].read_second(message), _hex(part["payload2"])
    for end in ends:
        yield "final_ck", end.ck.hex(), part["final_ck"]
        yield "final_h", end.h.hex(), part["final_h"]
        yield "xp", end.export().hex(), part["xp"]
        keys = [key.hex() for key in end.split()]
        yield "keys", keys, [part["key_initiator_to_responder"], part["key_responder_to_initiator"]]
    if kind == "run":
        payload = messages.handshake_payload(_hex(part["payload1"])) or {}
        again = messages.init_payload(payload["b"], payload["n"])
        yield "payload1 written", again, _hex(part["payload1"])
        told = messages.reply_payload(_hex(part["payload2"])) or {}
        yield "payload2 written", messages.reply(told["now"], told["ent"]), _hex(part["payload2"])


def _steps(part: dict[str, Any], prologue: bytes, publics: list[bytes], ee: bytes, suite: Any) -> Compared:
    """h, ck and k after every step that the trace lists."""
    one = noise.Handshake(suite, b"", _hex(part["psk"]))
    one.h = one.ck
    acts: dict[str, Callable[[], object]] = {
        "init": lambda: None,
        "prologue": lambda: one.mix_hash(prologue),
        "psk": lambda: one.mix_psk(_hex(part["psk"])),
        "e1": lambda: one.mix_ephemeral(publics[0]),
        "payload1": lambda: one.encrypt(_hex(part["payload1"])),
        "e2": lambda: one.mix_ephemeral(publics[1]),
        "ee": lambda: one.mix_key(ee),
        "payload2": lambda: one.encrypt(_hex(part["payload2"])),
        "split": lambda: one.split(),
    }
    for step in part["steps"]:
        acts[step["after"]]()
        name = step["after"]
        yield f"h after {name}", one.h.hex(), step["h"]
        yield f"ck after {name}", one.ck.hex(), step["ck"]
        yield f"k after {name}", one.k.hex() if one.k else None, step["k"]


def _messages(trace: dict[str, Any], kind: str, suite: Any) -> Compared:
    """Every record sealed and opened, every message read and written again."""
    part = trace[kind]
    initiator = "A" if kind == "onboarding" else "D"
    for item in trace[NAMES[kind]]:
        mine = item["sender"] == initiator
        name = "key_initiator_to_responder" if mine else "key_responder_to_initiator"
        yield "key", part[name], item["key"]
        key = _hex(item["key"])
        ends = [Session(suite, _hex(part["sid"]), key, key, 0) for _ in range(2)]
        ends[0].next_counter = item["ctr"]
        plaintext = item["plaintext_utf8"].encode()
        sealed = ends[0].seal(plaintext, 0)
        yield f"record of {item['t']}", sealed.hex(), item["record"]
        yield "ad", sealed[:13].hex(), item["ad"]
        yield "nonce", (bytes(4) + item["ctr"].to_bytes(8, "big")).hex(), item["nonce"]
        yield "frame_length", record.frame(sealed)[:2].hex(), item["frame_length"]
        parsed = record.unpack(_hex(item["record"]))
        assert parsed is not None
        yield "opened", ends[1].open(parsed, 0), plaintext
        yield "opened twice", ends[1].open(parsed, 0), None
        yield "t", json_text.loads(plaintext)["t"], item["t"]
        message = messages.decode(plaintext)
        if message is not None:
            yield "written again", messages.encode(message.pop("t"), message), plaintext


def _agreement(trace: dict[str, Any], suite: Any) -> Compared:
    agreed, fixture, part = trace["agreement"], trace["fixture"], trace["onboarding"]
    act = _hex(fixture["activation_hex"])
    yield "act", act.hex(), agreed["act"]
    scalars = [_hex(fixture[f"{name}_scalar_hex"]) for name in ("enc", "auth")]
    opened = open_activation(suite, act, scalars[0], scalars[1])
    yield "activation_seed", opened["seed"], agreed["activation_seed"]
    yield "account", opened["account"], fixture["account_udf"]
    contribution = derive.derive_key(opened["seed"], "ActivationDeviceAuthenticate")
    scalar = contribution.scalar.to_bytes(56, "little")
    yield "activation_scalar_le", scalar.hex(), agreed["activation_scalar_le"]
    yield "base_scalar_le", fixture["auth_scalar_hex"], agreed["base_scalar_le"]
    s = opened["authentication"]
    yield "device_s_le", s.hex(), agreed["device_s_le"]
    ladder = agreement.ladder_scalar(s)
    yield "device_ladder_scalar_le", ladder.hex(), agreed["device_ladder_scalar_le"]
    k = 4 * (int.from_bytes(s, "little") * pow(4, -1, agreement.ORDER_448) % agreement.ORDER_448)
    yield "device_k_prime_le", k.to_bytes(56, "little").hex(), agreed["device_k_prime_le"]
    yield "negated", k != int.from_bytes(ladder, "little"), agreed["negated"]
    base = derive.derive_key(fixture["seed"], "BaseDeviceAuthenticate")
    yield "P_Authentication_57", base.signed_public.hex(), agreed["P_Authentication_57"]
    combined = cogeneration.combine_public(base.public, contribution.public)
    yield "K_auth_57", combined.octets.hex(), agreed["K_auth_57"]
    yield "key_57", fixture["adopter_auth_public_hex"], agreed["key_57"]
    z = suite.x448(ladder, _hex(agreed["key_57"])[:56])
    yield "Z", z.hex(), agreed["Z"]
    parts = [_hex(trace["device_udf"]), _hex(trace["account_udf"]), base.signed_public]
    result = agreement.Agreement(
        suite, _hex(part["final_h"]), _hex(part["xp"]), *parts, _hex(agreed["key_57"]), act, z
    )
    yield "T", result.t.hex(), agreed["T"]
    for field, name in (("PRK", "prk"), *((name, name) for name in _AGREED)):
        yield field, getattr(result, name).hex(), agreed[field]
    yield "topic", messages.topic(_hex(agreed["topic_id"]), "up"), agreed["topic"]
    yield "topic_id", agreed["topic_id"], trace["run"]["id"]
    yield "psk_run of the run", agreed["psk_run"], trace["run"]["psk"]
    yield "psk_on of onboarding", fixture["psk_on_hex"], part["psk"]
    yield "lid of onboarding", fixture["lid_hex"], part["id"]


_AGREED = ("proof_mac", "secrets_mac", "psk_run", "psk_repair", "own")


class _Scripted:
    """A suite whose random octets are those of the trace, in their order."""

    def __init__(self, suite: Any, draws: list[bytes]) -> None:
        self._suite = suite
        self._draws = draws

    def __getattr__(self, name: str) -> Any:
        return getattr(self._suite, name)

    def random(self, count: int) -> bytes:
        drawn = self._draws.pop(0)
        assert len(drawn) == count
        return drawn


class _Unit:
    """The device of the trace, as DeviceLink wants it."""

    def __init__(self, trace: dict[str, Any], suite: Any) -> None:
        fixture = trace["fixture"]
        hello = _said(trace, "hello")
        self.udf = _hex(trace["device_udf"])
        self.lid = _hex(fixture["lid_hex"])
        self.psk_on = _hex(fixture["psk_on_hex"])
        self.authentication = _hex(fixture["auth_public_hex"])
        self.description = hello["desc"]
        self.board, self.fw, self.fwh = hello["board"], hello["fw"], hello["fwh"]
        self.boot, self.led, self.both = hello["boot"], hello["led"], False
        self._suite = suite
        self._scalars = [_hex(fixture[f"{name}_scalar_hex"]) for name in ("enc", "auth")]

    def activate(self, act: bytes) -> dict[str, bytes]:
        return {"authentication": open_activation(self._suite, act, *self._scalars)["authentication"]}


def _said(trace: dict[str, Any], name: str) -> dict[str, Any]:
    """The message of onboarding that bears this name."""
    told = next(item["plaintext_utf8"] for item in trace["onboarding_messages"] if item["t"] == name)
    return messages.decode(told.encode()) or {}


def _machines(trace: dict[str, Any], suite: Any) -> Compared:
    """AdopterLink and DeviceLink against each other give the records of the trace, octet for octet."""
    part, fixture, agreed = trace["onboarding"], trace["fixture"], trace["agreement"]
    adopt, blink, secrets = (_said(trace, name) for name in ("adopt", "blink", "secrets"))
    adopter = AdopterLink(
        _Scripted(suite, [_hex(part["sid"]), _hex(part["initiator_ephemeral_private"]), secrets["ent"]]),
        psk_on=_hex(part["psk"]),
        lid=_hex(part["id"]),
        device_udf=_hex(trace["device_udf"]),
        authentication=_hex(agreed["P_Authentication_57"]),
        account_udf=_hex(trace["account_udf"]),
        account_address=adopt["acct"],
    )
    scripted = _Scripted(suite, [_hex(part["responder_ephemeral_private"])])
    device = DeviceLink(scripted, _Unit(trace, suite), state="FREE", now=0)
    device.open_window(0)
    sent: list[str] = []
    stored: list[Any] = []

    def pump(effects: list[Any], to_device: bool) -> None:
        for effect in effects:
            if effect[0] == "store":
                stored.append(effect[1:])
            if effect[0] == "send":
                sent.append(effect[1].hex())
                back = device.receive(effect[1], 0, "peer") if to_device else adopter.receive(effect[1], 0)
                pump(back, not to_device)

    pump(adopter.start(0), True)
    pump(adopter.adopt(adopt["act"], adopt["key"], _hex(agreed["Z"]), 0), True)
    pump(adopter.blink(blink["s"], 0), True)
    adopter.seen()
    values = {name: secrets[name] for name in ("id", "wifi", "hub", "ca", "mq", "name", "now")}
    pump(adopter.secrets(values, 0), True)
    pump(adopter.commit(0), True)
    expected = [part["init_record"], part["reply_record"]]
    yield "records", sent, expected + [item["record"] for item in trace["onboarding_messages"]]
    yield "stored", [name for name, _ in stored], ["pending", "claimed"]
    for name in ("psk_run", "psk_repair", "own"):
        yield f"{name} of the device", stored[0][1][name].hex(), agreed[name]
        yield f"{name} of the adopter", adopter.keys[name].hex(), agreed[name]
    yield "scalar of the device", stored[0][1]["scalars"]["authentication"].hex(), agreed["device_s_le"]
    yield "fixture acct", adopt["acct"], fixture["account"]
    yield "audf", b64.encode(_hex(trace["account_udf"])), b64.encode(adopt["audf"])


def _seal(trace: dict[str, Any], suite: Any) -> Compared:
    case = trace["seal_without_associated_data"]
    sealed = Ccm(suite, _hex(case["key"])).seal(_hex(case["nonce"]), b"", _hex(case["plaintext"]))
    yield "sealed", sealed.hex(), case["sealed"]
    opened = Ccm(suite, _hex(case["key"])).open(_hex(case["nonce"]), b"", _hex(case["sealed"]))
    yield "opened", opened, _hex(case["plaintext"])


def _refused(trace: dict[str, Any], item: dict[str, Any], suite: Any) -> Compared:
    """The record is accepted by no session of the trace and by neither handshake.

    A record that the trace holds itself stands for its replay: there the sessions have seen all others.
    """
    octets = _hex(item["record"])
    replayed = any(item["record"] == sent["record"] for name in NAMES.values() for sent in trace[name])
    accepted = []
    parsed = record.unpack(octets)
    for kind, name in NAMES.items():
        part = trace[kind]
        for key in ("key_initiator_to_responder", "key_responder_to_initiator"):
            session = Session(suite, _hex(part["sid"]), _hex(part[key]), _hex(part[key]), 0)
            if replayed:
                for sent in trace[name]:
                    earlier = record.unpack(_hex(sent["record"]))
                    if earlier is not None and earlier.sid == session.sid:
                        session.open(earlier, 0)
            if parsed is not None and parsed.type == record.DATA and parsed.sid == session.sid:
                accepted.append(session.open(parsed, 0))
        accepted += _handshake_accepts(trace, kind, octets, suite)
    yield "accepted", [one for one in accepted if one is not None], []


def _handshake_accepts(trace: dict[str, Any], kind: str, octets: bytes, suite: Any) -> list[bytes | None]:
    part = trace[kind]
    parsed = record.unpack(octets)
    if parsed is None:
        return []
    account = b"" if kind == "onboarding" else _hex(trace["account_udf"])
    if parsed.type == int(part["type"], 16):
        prologue = PROLOGUE + octets[:23] + lp(_hex(trace["device_udf"])) + lp(account)
        return [noise.Handshake(suite, prologue, _hex(part["psk"])).read_first(octets[23:])]
    if parsed.type == record.REPLY and parsed.sid == _hex(part["sid"]):
        end = noise.Handshake(suite, _hex(part["prologue"]), _hex(part["psk"]))
        end.write_first(_hex(part["payload1"]), _hex(part["initiator_ephemeral_private"]))
        return [end.read_second(parsed.body)]
    return []
