"""Writes our own vectors of the link into tests/vectors/link: `python -m tests.conformance.pin_link`.

Every input is drawn from a label, so that a second run writes the same bytes. Noise with AES-256-CCM has no
published vectors: these are they. The library's AESCCM must agree with each of them (see link.py).
"""

import json
from typing import Any

from tests.conformance.folders import OWN
from tests.conformance.link import NAMES, PROLOGUE
from tests.conformance.pin_core import draw, seed

from mathmesh.dare import envelope
from mathmesh.keys import derive, earl
from mathmesh.keys.pair import PrivateKey, generate
from mathmesh.threshold import cogeneration
from meshhub.link_suite import HubSuite
from meshlink import agreement, label, messages, noise, record
from meshlink.ccm import Ccm, CcmCipher
from meshlink.hkdf import lp
from meshlink.session import Session

Case = dict[str, Any]

_SUITE = HubSuite()
_NOW = 1795346000000
_SIZES = (0, 1, 15, 16, 17, 31, 32, 255, 256, 257, 512, 600)
_ASSOCIATED = (0, 1, 13, 14, 30, 32)


def noise_vectors() -> Case:
    """Noise_NNpsk0_25519_AESCCM_SHA256, in the form of the published sets."""
    return {
        "note": "Made by our own code; the cipher name AESCCM is ours: AEAD_AES_256_CCM with the nonce "
        "4 zero octets || n in 8 octets, big-endian",
        "vectors": [_noise_vector(index) for index in range(4)],
    }


def _noise_vector(index: int) -> Case:
    prologue = draw(f"prologue {index}", 20 + index)
    psk = draw(f"psk {index}", 32)
    payloads = [draw(f"payload {index} {i}", 40 * index + i) for i in range(6)]
    keys = [draw(f"ephemeral {index} {side}", 32) for side in ("init", "resp")]
    ends = [noise.Handshake(_SUITE, prologue, psk) for _ in range(2)]
    one = ends[0].write_first(payloads[0], keys[0])
    ends[1].read_first(one)
    two = ends[1].write_second(payloads[1], keys[1]) or b""
    ends[0].read_second(two)
    ciphers = [CcmCipher(_SUITE, key) for key in ends[0].split()]
    texts = [one, two] + [ciphers[i % 2].seal(i // 2, b"", payload) for i, payload in enumerate(payloads[2:])]
    return {
        "protocol_name": noise.NAME.decode(),
        "init_prologue": prologue.hex(),
        "init_psks": [psk.hex()],
        "init_ephemeral": keys[0].hex(),
        "resp_prologue": prologue.hex(),
        "resp_psks": [psk.hex()],
        "resp_ephemeral": keys[1].hex(),
        "handshake_hash": ends[0].h.hex(),
        "messages": [
            {"payload": payload.hex(), "ciphertext": text.hex()}
            for payload, text in zip(payloads, texts, strict=True)
        ],
    }


def ccm_vectors() -> Case:
    """AEAD_AES_256_CCM around the edges of blocks and of our pieces of 256 octets."""
    vectors = []
    for index, size in enumerate(_SIZES):
        for associated in _ASSOCIATED[index % 2 :: 2]:
            name = f"ccm {size} {associated}"
            case = {
                "key": draw(name + " key", 32),
                "nonce": draw(name + " nonce", 12),
                "associated": draw(name + " ad", associated),
                "plaintext": draw(name, size),
            }
            sealed = Ccm(_SUITE, case["key"]).seal(case["nonce"], case["associated"], case["plaintext"])
            vectors.append({name: value.hex() for name, value in case.items()} | {"sealed": sealed.hex()})
    refused = []
    for place in (0, 5, 16, 20, 36):
        case = dict(vectors[-1] if place == 36 else vectors[6])
        case.pop("plaintext")
        sealed = bytearray.fromhex(case["sealed"])
        sealed[-1 if place == 36 else place % len(sealed)] ^= 1 << (place % 8)
        refused.append(case | {"sealed": bytes(sealed).hex(), "repaired": case["sealed"]})
    note = "Made by our own code, equal with another implementation; must_refuse: one bit of sealed flipped"
    return {"note": note, "vectors": vectors, "must_refuse": refused}


def trace() -> Case:
    """A whole onboarding and the first records of a run, with every value between."""
    fixture, act, keys = _fixture()
    device_udf, account_udf = (_octets(fixture, name) for name in ("device_udf", "account_udf"))
    on = _handshake("onboarding", fixture, _octets(fixture, "psk_on"), _octets(fixture, "lid"), b"", b"")
    agreed, values = _agree(fixture, on, act, keys)
    topic_id = draw("topic id", 10)
    agreed |= {"topic_id": topic_id.hex(), "topic": messages.topic(topic_id, "up")}
    told = messages.reply(_NOW, draw("reply entropy", 32))
    first = messages.init_payload(1, 1)
    run = _handshake("run", fixture, values.psk_run or b"", topic_id, first, told)
    k = bytes.fromhex(fixture["k_hex"])
    sealed = draw("seal key", 32), draw("seal nonce", 12), b"reading"
    whole = {
        "what": "Trace of the link, made by our own code; all values hex unless said",
        "name": noise.NAME.decode(),
        "device_udf": device_udf.hex(),
        "account_udf": account_udf.hex(),
        "onboarding": on,
        "onboarding_messages": _sealed(on, "A", _onboarding(fixture, values, topic_id, act)),
        "agreement": agreed,
        "run": run,
        "run_messages": _sealed(run, "D", _running()),
        "factory": {
            "k": k.hex(),
            "publication_id": fixture["publication_id"],
            "psk_on": fixture["psk_on_hex"],
            "softap_passphrase": label.passphrase(_SUITE, k),
            "lid": fixture["lid_hex"],
            "advertised": label.advertised(_octets(fixture, "lid")).hex(),
            "ssid": label.ssid(_octets(fixture, "lid")),
        },
        "seal_without_associated_data": {
            "key": sealed[0].hex(),
            "nonce": sealed[1].hex(),
            "plaintext": sealed[2].hex(),
            "sealed": Ccm(_SUITE, sealed[0]).seal(sealed[1], b"", sealed[2]).hex(),
        },
        "fixture": fixture,
    }
    whole["must_refuse"] = _refusals(whole)
    return whole


def _octets(fixture: Case, name: str) -> bytes:
    return bytes.fromhex(fixture.get(f"{name}_bytes_hex") or fixture[f"{name}_hex"])


def _fixture() -> tuple[Case, bytes, tuple[PrivateKey, PrivateKey, PrivateKey]]:
    """The device, its account and activation; keys: device base, activation and adopter authentication."""
    device, activation, account = (seed(alg, f"link {alg}") for alg in (256, 259, 258))
    maker = "maker@example.net"
    k = earl.connect_secret(device, maker)
    base = {name: derive.derive_key(device, "BaseDevice" + name) for name in ("Encrypt", "Authenticate")}
    profile = derive.derive_key(device, "BaseDeviceProfile").public
    owner = derive.derive_key(account, "CompleteAccountProfile").public
    contribution = derive.derive_key(activation, "ActivationDeviceAuthenticate")
    adopter = generate("X448", lambda count: draw("adopter", count))
    content = {"ActivationAccount": {"ActivationKey": activation, "AccountUdf": owner.udf}}
    counter = iter(range(1000))
    act = envelope.seal(
        json.dumps(content, separators=(",", ":")).encode(),
        entropy=lambda count: draw(f"act {next(counter)}", count),
        recipients=[base["Encrypt"].public],
        signer=derive.derive_key(account, "CompleteAccountAdminSign"),
    ).to_json()
    fixture = {
        "seed": device,
        "maker": maker,
        "connect_uri": earl.connect_uri(k, maker),
        "k_hex": k.hex(),
        "publication_id": earl.publication_id(k),
        "psk_on_hex": label.psk_on(_SUITE, k).hex(),
        "lid_hex": label.lid(_SUITE, earl.publication_id(k)).hex(),
        "device_udf": profile.udf,
        "device_udf_bytes_hex": profile.udf_bytes.hex(),
        "enc_scalar_hex": base["Encrypt"].scalar.to_bytes(56, "little").hex(),
        "auth_scalar_hex": base["Authenticate"].scalar.to_bytes(56, "little").hex(),
        "enc_public_hex": base["Encrypt"].signed_public.hex(),
        "auth_public_hex": base["Authenticate"].signed_public.hex(),
        "account": "household@example.net",
        "account_udf": owner.udf,
        "account_udf_bytes_hex": owner.udf_bytes.hex(),
        "adopter_auth_public_hex": adopter.signed_public.hex(),
        "activation_seed": activation,
        "activation_hex": act.hex(),
    }
    return fixture, act, (base["Authenticate"], contribution, adopter)


def _handshake(
    kind: str, fixture: Case, psk: bytes, identifier: bytes, payload1: bytes, payload2: bytes
) -> Case:
    number = record.INIT_ONBOARD if kind == "onboarding" else record.INIT_RUN
    sid = draw(f"sid {kind}", 4)
    first = record.pack(number, sid, 0, identifier)
    account = b"" if kind == "onboarding" else _octets(fixture, "account_udf")
    prologue = PROLOGUE + first + lp(_octets(fixture, "device_udf")) + lp(account)
    privates = [draw(f"{kind} {side}", 32) for side in ("initiator", "responder")]
    publics = [_SUITE.x25519_base(private) for private in privates]
    ee = _SUITE.x25519(privates[0], publics[1])
    one = noise.Handshake(_SUITE, b"", psk)
    one.h = one.ck
    steps: list[Case] = []

    def note(after: str) -> None:
        k = one.k.hex() if one.k else None
        steps.append({"after": after, "h": one.h.hex(), "ck": one.ck.hex(), "k": k})

    note("init")
    one.mix_hash(prologue)
    note("prologue")
    one.mix_psk(psk)
    note("psk")
    one.mix_ephemeral(publics[0])
    note("e1")
    sealed1 = one.encrypt(payload1)
    note("payload1")
    one.mix_ephemeral(publics[1])
    note("e2")
    one.mix_key(ee)
    note("ee")
    sealed2 = one.encrypt(payload2)
    note("payload2")
    keys = one.split()
    note("split")
    return {
        "type": f"{number:02x}",
        "psk": psk.hex(),
        "sid": sid.hex(),
        "id": identifier.hex(),
        "init_first_23": first.hex(),
        "prologue": prologue.hex(),
        "initiator_ephemeral_private": privates[0].hex(),
        "initiator_ephemeral_public": publics[0].hex(),
        "responder_ephemeral_private": privates[1].hex(),
        "responder_ephemeral_public": publics[1].hex(),
        "ee": ee.hex(),
        "payload1": payload1.hex(),
        "payload2": payload2.hex(),
        "steps": steps,
        "init_record": (first + publics[0] + sealed1).hex(),
        "reply_record": record.pack(record.REPLY, sid, 0, publics[1] + sealed2).hex(),
        "final_ck": one.ck.hex(),
        "final_h": one.h.hex(),
        "xp": one.export().hex(),
        "key_initiator_to_responder": keys[0].hex(),
        "key_responder_to_initiator": keys[1].hex(),
    }


def _agree(
    fixture: Case, on: Case, act: bytes, keys: tuple[PrivateKey, PrivateKey, PrivateKey]
) -> tuple[Case, agreement.Agreement]:
    base, contribution, adopter = keys
    s = (base.scalar + contribution.scalar) % agreement.ORDER_448
    k = 4 * (s * pow(4, -1, agreement.ORDER_448) % agreement.ORDER_448)
    ladder = agreement.ladder_scalar(s.to_bytes(56, "little"))
    combined = cogeneration.combine_public(base.public, contribution.public)
    z = adopter.agree(combined)
    result = agreement.Agreement(
        _SUITE,
        bytes.fromhex(on["final_h"]),
        bytes.fromhex(on["xp"]),
        _octets(fixture, "device_udf"),
        _octets(fixture, "account_udf"),
        base.signed_public,
        adopter.signed_public,
        act,
        z,
    )
    agreed = {
        "activation_seed": fixture.pop("activation_seed"),
        "activation_scalar_le": contribution.scalar.to_bytes(56, "little").hex(),
        "base_scalar_le": base.scalar.to_bytes(56, "little").hex(),
        "device_s_le": s.to_bytes(56, "little").hex(),
        "device_k_prime_le": k.to_bytes(56, "little").hex(),
        "device_ladder_scalar_le": ladder.hex(),
        "negated": k != int.from_bytes(ladder, "little"),
        "P_Authentication_57": base.signed_public.hex(),
        "K_auth_57": combined.octets.hex(),
        "key_57": adopter.signed_public.hex(),
        "act": act.hex(),
        "Z": z.hex(),
        "T": result.t.hex(),
        "PRK": (result.prk or b"").hex(),
    }
    for name in ("proof_mac", "secrets_mac", "psk_run", "psk_repair", "own"):
        agreed[name] = getattr(result, name).hex()
    return agreed, result


def _onboarding(
    fixture: Case, values: agreement.Agreement, topic_id: bytes, act: bytes
) -> list[tuple[str, str, Case]]:
    nodes = {"light": {"k": "light", "p": {"on": ["b", "w"], "level": ["i", "w", "0:100", "%"]}}}
    hello = {
        "udf": _octets(fixture, "device_udf"),
        "desc": {"d": 1, "v": 1, "m": "mesh/lamp1", "n": nodes},
        "board": "simulator",
        "fw": "1.0",
        "fwh": draw("firmware", 32),
        "boot": 1,
        "led": True,
        "both": False,
        "st": "FREE",
        "err": 0,
    }
    adopt = {
        "acct": fixture["account"],
        "audf": _octets(fixture, "account_udf"),
        "key": _octets(fixture, "adopter_auth_public"),
        "act": act,
    }
    secrets = {
        "mac": values.secrets_mac,
        "id": topic_id,
        "wifi": [["example", "not a real one"]],
        "hub": ["mqtt://192.0.2.1:1883"],
        "ca": "",
        "mq": ["lamp", "not a real one"],
        "name": "Kitchen lamp",
        "now": _NOW,
        "ent": draw("entropy", 32),
    }
    return [
        ("A", "begin", {}),
        ("D", "hello", hello),
        ("A", "adopt", adopt),
        ("D", "proof", {"mac": values.proof_mac}),
        ("A", "blink", {"s": 10}),
        ("A", "secrets", secrets),
        ("D", "stored", {}),
        ("A", "commit", {}),
    ]


def _running() -> list[tuple[str, str, Case]]:
    command = draw("command", 8)
    row = [5200, "light", "level", 0]
    target = {"node": "light", "prop": "level", "v": 40}
    return [
        ("D", "ready", {"st": "PENDING", "up": 5200, "ring": []}),
        ("D", "tel", {"b": 1, "s": 1, "r": [row, [5200, "light", "on", False]]}),
        ("H", "rcpt", {"b": 1, "s": 2}),
        ("H", "cmd", {"id": command, "n": 1, "x": _NOW + 20000} | target),
        ("D", "res", {"id": command, "c": 0, "v": 40}),
        ("D", "gap", {"b": 1, "from": 3, "to": 9}),
    ]


def _sealed(part: Case, initiator: str, sent: list[tuple[str, str, Case]]) -> list[Case]:
    out = []
    counters: dict[str, int] = {}
    for sender, t, members in sent:
        side = "initiator_to_responder" if sender == initiator else "responder_to_initiator"
        key = bytes.fromhex(part[f"key_{side}"])
        session = Session(_SUITE, bytes.fromhex(part["sid"]), key, key, 0)
        session.next_counter = counters.get(side, 0)
        counters[side] = session.next_counter + 1
        plaintext = messages.encode(t, members)
        sealed = session.seal(plaintext, 0)
        out.append(
            {
                "sender": sender,
                "t": t,
                "key": key.hex(),
                "ctr": counters[side] - 1,
                "nonce": (bytes(4) + sealed[5:13]).hex(),
                "ad": sealed[:13].hex(),
                "plaintext_utf8": plaintext.decode(),
                "record": sealed.hex(),
                "frame_length": record.frame(sealed)[:2].hex(),
            }
        )
    return out


def _refusals(whole: Case) -> list[Case]:
    """Records that look right; each is refused by both ends."""
    first = bytes.fromhex(whole["run_messages"][0]["record"])
    other = bytes.fromhex(whole["onboarding"]["sid"])
    init, reply = (bytes.fromhex(whole["run"][name]) for name in ("init_record", "reply_record"))
    changed = {
        "flipped tag bit": first[:-1] + bytes([first[-1] ^ 1]),
        "flipped bit of the text": first[:13] + bytes([first[13] ^ 0x80]) + first[14:],
        "counter raised": first[:12] + b"\x01" + first[13:],
        "counter beyond the last": first[:5] + (65536).to_bytes(8, "big") + first[13:],
        "another session": first[:1] + other + first[5:],
        "cut short": first[:-1],
        "replayed": first,
        "Init with another id": init[:22] + bytes([init[22] ^ 1]) + init[23:],
        "Init with another session id": init[:4] + bytes([init[4] ^ 1]) + init[5:],
        "Init with a flipped tag bit": init[:-1] + bytes([init[-1] ^ 0x40]),
        "Reply with a flipped tag bit": reply[:-1] + bytes([reply[-1] ^ 0x01]),
        "Reply with a point of small order": reply[:13] + bytes(32) + reply[45:],
    }
    return [{"name": name, "record": octets.hex()} for name, octets in changed.items()]


def main() -> None:
    """Writes all files."""
    folder = OWN / "link"
    folder.mkdir(parents=True, exist_ok=True)
    files = {"noise_aesccm.json": noise_vectors(), "ccm.json": ccm_vectors(), "trace.json": trace()}
    for name, content in files.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (folder / name).write_text(text, encoding="utf-8")
    assert set(NAMES) == {"onboarding", "run"}


if __name__ == "__main__":
    main()
