"""Published Mesh objects: they parse, lose nothing, and every digest, signature and key name in them holds.

Public keys come from the lists ``mesh/keys-*.jsonl`` and from the object itself: a key is found by its UDF,
which is its digest. Decrypted is what the seeds of udf/07, the labels of udf/09 and the keys that a wrapper
of ours names in ``opened_by`` open.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.conformance import folders
from tests.conformance.report import Outcome, Runner, check, load

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare.envelope import Envelope, open_envelope
from mathmesh.dare.suites import S512
from mathmesh.errors import MeshError
from mathmesh.keys import derive, symmetric
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema import editions, parse
from mathmesh.service import messages

UNPUBLISHED = ("MAQX-NI73", "MC3W-C4WT", "MCVM-VUHL")
"""First groups of the signing keys that no source publishes: those of the makers and of one claimant."""

_STORES = "Access Application Bookmark Contact Credential Device Member Network Publication Task Callsign"
_SPOOLS = "Inbound Outbound Local Archive"
_AGREEMENT_KEYS = {
    derive.PROFILE_DEVICE: ("BaseDeviceEncrypt",),
    derive.PROFILE_ACCOUNT: (
        "CompleteAccountEncrypt",
        "CompleteAccountEscrow",
        *(f"CompleteAccountEncryptMMM_{store}" for store in f"{_STORES} {_SPOOLS}".split()),
    ),
}
"""Seed code → names of the keys that may open something."""

Compared = Iterator[tuple[str, object, object]]


def runners() -> Mapping[str, Runner]:
    """Glob pattern relative to the vector folder → what checks such a file."""
    return {"mesh/20*/*.json": check_object}


def check_object(path: Path) -> Iterator[Outcome]:
    """One published object: a wrapper with ``object``, or the object itself."""
    notes: list[str] = []
    outcome = check(f"mesh/{path.parent.name}/{path.stem}", lambda: _compare(path, notes))
    yield Outcome(outcome.name, outcome.state, outcome.detail or "; ".join(notes))


def _compare(path: Path, notes: list[str]) -> Compared:
    wrapper = load(path)
    wrapper = wrapper if isinstance(wrapper, dict) else {"object": wrapper}
    value = wrapper.get("object", wrapper)
    value = value.get("DareEnvelope", value) if isinstance(value, dict) else value
    keys = {**_published_keys(path), **dict(_keys_in(value))}
    keyring = _keyring(path.parents[2], wrapper.get("opened_by") or [])
    if not _is_envelope(value):
        yield from _same(value, parse(value).to_json(), "object")
        yield from _transaction(value)
    yield from _values(value, keys, keyring, notes, "object")


def _transaction(value: dict[str, Any]) -> Compared:
    """A request or response of the service, as its types read and write it: no value is lost."""
    tag, text = next(iter(value)), json.dumps(value).encode()
    for request, response in messages.OPERATIONS.values():
        if tag == request.TAG:
            read: messages.Request | messages.Response = messages.decode_request(text)
        elif tag == response.TAG:
            read = messages.decode_response(text, response)
        else:
            continue
        written = jsonbcd.loads(read.encode())
        yield (
            tag,
            [leaf for leaf in _leaves(written) if leaf != "[]"],
            [leaf for leaf in _leaves(value) if leaf != "[]"],
        )


def _values(
    value: Any, keys: dict[str, PublicKey], keyring: MemoryKeyring, notes: list[str], at: str
) -> Compared:
    """What must hold anywhere in `value`: names of keys, and whatever is enveloped."""
    if _is_envelope(value):
        yield from _envelope(value, keys, keyring, notes, at)
    elif isinstance(value, dict):
        key = _public_key(value.get("PublicParameters"))
        if key is not None and "Udf" in value:
            yield f"{at}.Udf", key.udf, value["Udf"]
        for name, item in value.items():
            yield from _values(item, keys, keyring, notes, f"{at}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(item, keys, keyring, notes, f"{at}[{index}]")


def _envelope(
    value: list[Any], keys: dict[str, PublicKey], keyring: MemoryKeyring, notes: list[str], at: str
) -> Compared:
    envelope = Envelope.from_value(value)
    yield from _same(value, envelope.to_value(), at)
    merged = envelope.merged()
    digest = hashlib.sha512(envelope.body).digest()
    if "PayloadDigest" in merged:
        yield f"{at}.PayloadDigest", b64.encode(digest), _bare(merged["PayloadDigest"])
    yield f"{at}.dig", envelope.header.get("dig") or S512, S512
    plaintext = _plaintext(envelope, keyring)
    content = None if plaintext is None else _content(plaintext)
    if content is not None:
        keys = {**keys, **dict(_keys_in(content))}
    for signature in merged.get("signatures") or []:
        yield from _signature(envelope, signature, keys, notes, at)
    if content is None:
        return
    if not _is_envelope(content) and "DareEnvelope" not in content:
        yield from _same(content, parse(content).to_json(), f"{at}/body")
        told = envelope.content_meta.message_type
        yield f"{at} MessageType", told or next(iter(content)), next(iter(content))
    yield from _values(content, keys, keyring, notes, f"{at}/body")


def _signature(
    envelope: Envelope, signature: dict[str, Any], keys: dict[str, PublicKey], notes: list[str], at: str
) -> Compared:
    kid = signature["kid"]
    if kid not in keys:
        yield f"{at} is signed by a published key", kid.startswith(UNPUBLISHED), True
        notes.append(f"signature of {kid} not checked: key not published")
        return
    yield f"{at} alg", signature.get("alg") or S512, S512
    octets = b64.decode(signature["signature"])
    digest = bytearray(hashlib.sha512(envelope.body).digest())
    yield f"{at} signature", _holds(keys[kid], octets, bytes(digest)), True
    digest[0] ^= 1
    yield f"{at} signature of a flipped bit", _holds(keys[kid], octets, bytes(digest)), False


def _holds(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except MeshError:
        return False
    return True


def _plaintext(envelope: Envelope, keyring: MemoryKeyring) -> bytes | None:
    """The content where it is clear or a key of `keyring` is a recipient: then opening it must succeed."""
    if envelope.header.get("enc") in (None, "none"):
        return envelope.body
    held = {*keyring.kids()}
    if any(recipient.get("kid") in held for recipient in envelope.header.get("recipients") or []):
        return open_envelope(envelope, keyring=keyring, require_digest=False).plaintext
    return None


def _content(plaintext: bytes) -> Any:
    """The Mesh object in `plaintext`; None where it is something else, a text for instance."""
    if plaintext[:1] not in (b"{", b"["):
        return None
    return jsonbcd.loads(plaintext, tolerant=True)


def _same(before: Any, after: Any, at: str) -> Compared:
    """Nothing was lost: the same values, under the same names or those of the later edition."""
    yield f"{at}: values kept", _leaves(after), _leaves(before)
    yield f"{at}: members kept", _names(after), _names(before)


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return sorted(leaf for item in value.values() for leaf in _leaves(item))
    if isinstance(value, list):
        return sorted(["[]", *(leaf for item in value for leaf in _leaves(item))])
    if isinstance(value, bytes):
        return [json.dumps(b64.encode(value))]
    return [json.dumps(_bare(value) if isinstance(value, str) else value)]


def _names(value: Any) -> list[str]:
    if isinstance(value, dict):
        inner = [name for item in value.values() for name in _names(item)]
        return sorted([*(_modern(name) for name in value), *inner])
    return sorted(name for item in value for name in _names(item)) if isinstance(value, list) else []


def _modern(name: str) -> str:
    """`name`, or what all its names in the two editions have in common."""
    aliases = {**editions.TAGS, "ActivationAccount": "ActivationCommon", "CommonEncryption": "Encryption"}
    for table in editions.MEMBERS.values():
        aliases.update(table)
    aliases |= {"EnvelopedActivationAccount": "EnvelopedActivationCommon"}
    aliases |= {f"Common{key}": key for key in ("Encryption", "Authentication", "Signature")}
    while name in aliases:
        name = aliases[name]
    return name


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _is_envelope(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (2, 3)
        and isinstance(value[0], dict)
        and isinstance(value[1], str | bytes)
    )


def _public_key(parameters: Any) -> PublicKey | None:
    members = parameters.get("PublicKeyECDH") if isinstance(parameters, dict) else None
    if not isinstance(members, dict) or members.get("crv") not in ("Ed448", "X448", "Ed25519", "X25519"):
        return None
    return PublicKey.from_json(parameters)


def _keys_in(value: Any) -> Iterator[tuple[str, PublicKey]]:
    if isinstance(value, dict):
        key = _public_key(value.get("PublicParameters"))
        if key is not None:
            yield key.udf, key
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys_in(item)


def _published_keys(path: Path) -> dict[str, PublicKey]:
    keys = {}
    for file in folders.key_files(path):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            keys[row["udf"]] = PublicKey(row["crv"], b64.decode(row["public"]))
    return keys


def _keyring(folder: Path, named: list[Any]) -> MemoryKeyring:
    """The keys `named` by a wrapper (tagged private keys, E-type UDFs) and those of the vectors of
    `folder`.
    """
    keyring = MemoryKeyring()
    for secret in (
        *_label_secrets(folder),
        *(symmetric.secret(text) for text in named if isinstance(text, str)),
    ):
        keyring.add_symmetric(secret)
    for key in (
        *_seed_keys(folder),
        *(PrivateKey.from_json(tree) for tree in named if isinstance(tree, dict)),
    ):
        keyring.add(key)
    return keyring


@cache
def _label_secrets(folder: Path) -> list[bytes]:
    cases = [case for place in {folders.BESIDE, folder} for case in _cases(place / "udf" / "09_earl.json")]
    return [bytes.fromhex(case["pin_key_hex"]) for case in cases if case.get("kind") == "static_qr"]


@cache
def _seed_keys(folder: Path) -> list[PrivateKey]:
    keys = []
    for place in {folders.BESIDE, folder}:
        for case in _cases(place / "udf" / "07_derive_profile.json"):
            names = _AGREEMENT_KEYS.get(derive.seed_type(case["seed_udf"]), ())
            keys += [derive.derive_key(case["seed_udf"], name) for name in names]
    return keys


def _cases(path: Path) -> list[dict[str, Any]]:
    return list(load(path)["cases"]) if path.exists() else []
