"""Vectors of JSON-B, key identifiers, envelopes, key exchange and signatures; sequences are next door."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from tests.conformance import dare_sequences, folders
from tests.conformance.report import ABSENT, Outcome, Runner, Vector, by_list, check, load

from mathmesh.codec import b64, json_writer, jsonbcd
from mathmesh.dare import edss, exchange, frame, protection, text_form
from mathmesh.dare import signature as dare_signature
from mathmesh.dare.envelope import Envelope, open_envelope
from mathmesh.dare.suites import S512
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import fingerprint, hkdf, openssl, symmetric
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey, PublicKey

Compared = Iterator[tuple[str, object, object]]


def runners() -> Mapping[str, Runner]:
    """Runner of each file pattern."""
    return {
        "dare/jbcd.json": _run_jbcd,
        "dare/key_identifiers.json": by_list({"keys": _key_identifier, "symmetric": _symmetric_identifier}),
        "dare/payload_digests.json": by_list({"": _payload_digest}),
        "dare/signatures.json": by_list({"signatures": _signature}),
        "dare/encryption.json": by_list(
            {
                "reference": _reference,
                "trace": _trace,
                "earl": _earl,
                "eds_plain": _plain_annotation,
                "own_prototype_only": _own_prototype,
            }
        ),
        "dare/encryption_x448_mesh.json": by_list({"": _mesh_recipient}),
        "dare/own_vectors*.json": _run_own,
        "dare/own_*.dare": _run_own_envelope,
        **dare_sequences.runners(),
    }


def _refused(action: Callable[[], object]) -> bool:
    try:
        action()
    except (EncodingError, VerificationError):
        return True
    return False


# --- JSON-B ---


def _run_jbcd(path: Path) -> Iterator[Outcome]:
    yield from by_list(
        {
            "decode": _decode,
            "decode_binary": _decode_binary,
            "json_c": _decode,
            "encode_shortest": _encode,
            "must_reject": _must_reject,
            "tags": _tag,
            "frames": _frame,
        }
    )(path)


def _decode(case: dict[str, Any]) -> Compared:
    """Integers beyond 2^53 may be told as decimal text, binary items as base64url."""
    value, expected = jsonbcd.loads(bytes.fromhex(case["hex"])), case["value"]
    if isinstance(value, int) and isinstance(expected, str):
        expected = int(expected)
    yield "value", _plain(value), expected


def _plain(value: Any) -> Any:
    """`value` as JSON can tell it."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return b64.encode(value) if isinstance(value, bytes) else value


def _decode_binary(case: dict[str, Any]) -> Compared:
    yield "bytes_hex", jsonbcd.loads(bytes.fromhex(case["hex"])), bytes.fromhex(case["bytes_hex"])


def _encode(case: dict[str, Any]) -> Compared:
    """Integers beyond 2^53 are written as decimal strings; the expected octets tell them from text."""
    value = bytes.fromhex(case["bytes_hex"]) if "bytes_hex" in case else case["value"]
    kind = case["hex"][:2] if "hex" in case else ""
    if isinstance(value, str) and kind.startswith("a"):
        value = int(value)
    octets = jsonbcd.dumps_b(value)
    if "hex" in case:
        shown = case["hex"].removesuffix("..")
        yield "hex", octets.hex() if shown == case["hex"] else octets.hex()[: len(shown)], shown
    yield "sha256", hashlib.sha256(octets).hexdigest(), case["sha256"]
    yield "value", jsonbcd.loads(octets), value


def _must_reject(case: dict[str, Any]) -> Compared:
    yield "refused", _refused(lambda: jsonbcd.loads(bytes.fromhex(case["hex"]))), True


def _tag(case: dict[str, Any]) -> Compared:
    yield "hex", json_writer.tag(int(case["code"], 16), case["length"]).hex(), case["hex"]


def _frame(case: dict[str, Any]) -> Compared:
    if "hex" in case:
        records = [bytes.fromhex(record) for record in case["records_hex"]]
        yield "hex", frame.pack_frame(records).hex(), case["hex"]
        yield "records_hex", list(frame.unpack_frame(bytes.fromhex(case["hex"]))), records
        return
    records = [bytes(length) for length in case["records_len"]]
    packed = frame.pack_frame(records).hex()
    prefix, suffix = case["prefix_hex"], case["suffix_hex"]
    yield "prefix_hex", packed[: len(prefix)], prefix
    yield "suffix_hex", packed[-len(suffix) :], suffix
    yield (
        "records_len",
        [len(item) for item in frame.unpack_frame(bytes.fromhex(packed))],
        case["records_len"],
    )


# --- identifiers, digests, signatures ---


def _key_identifier(case: dict[str, Any]) -> Compared:
    yield "kid", fingerprint.key_udf(case["crv"], bytes.fromhex(case["public_hex"])), case["kid"]


def _symmetric_identifier(case: dict[str, Any]) -> Compared:
    secret = symmetric.secret(case["udf"])
    yield "secret_hex", secret.hex(), case["secret_hex"]
    yield "kid", symmetric.key_id(secret), case["kid"]


def _payload_digest(case: dict[str, Any]) -> Compared:
    digest = protection.payload_digest(b64.decode(case["body"]))
    yield "PayloadDigest", digest, b64.decode(case["PayloadDigest"])


def _signature(case: dict[str, Any]) -> Compared:
    key = PublicKey(case["crv"], bytes.fromhex(case["public_hex"]))
    message, signature = bytes.fromhex(case["message_hex"]), bytes.fromhex(case["signature_hex"])
    yield "kid", key.udf, case["kid"]
    yield "alg", case.get("alg", S512), S512
    if "body" in case:
        yield "message_hex", protection.payload_digest(b64.decode(case["body"])), message
    yield "verifies", dare_signature.verify(key, signature, message), None
    altered = bytes([message[0] ^ 1]) + message[1:]
    yield "altered message is refused", _refused(lambda: dare_signature.verify(key, signature, altered)), True
    for variant in (signature[:-1], signature[:-1] + bytes([signature[-1] ^ 1]), signature + b"\0"):
        found = _refused(lambda variant=variant: dare_signature.verify(key, variant, message))
        yield "altered signature is refused", found, True
    if "seed_hex" in case:
        made = PrivateKey.from_seed(case["crv"], bytes.fromhex(case["seed_hex"]))
        yield "public_hex of the seed", made.public.octets.hex(), case["public_hex"]


# --- key exchange and content protection ---


def _exchange(case: dict[str, Any], agreement: bytes, info: bytes) -> Compared:
    """From an agreement result to the base seed."""
    kek = exchange.key_encryption_key(agreement, info)
    yield "kek_hex", kek.hex(), case["kek_hex"]
    yield (
        "base_seed_hex",
        openssl.unwrap_key(kek, bytes.fromhex(case["wrapped_hex"])).hex(),
        case["base_seed_hex"],
    )
    yield (
        "wrapped_hex",
        openssl.wrap_key(kek, bytes.fromhex(case["base_seed_hex"])).hex(),
        case["wrapped_hex"],
    )


def _content(case: dict[str, Any], ciphertext: bytes) -> Compared:
    """From base seed and salt to the plaintext."""
    seed, salt = bytes.fromhex(case["base_seed_hex"]), bytes.fromhex(case["salt_hex"])
    prk = protection.content_prk(seed, salt)
    yield "key_hex", hkdf.expand(prk, b"encrypt", 32, hash_name="sha256").hex(), case["key_hex"]
    yield "iv_hex", hkdf.expand(prk, b"iv", 16, hash_name="sha256").hex(), case["iv_hex"]
    plaintext = case["plaintext"].encode()
    yield "plaintext", protection.decrypt(seed, salt, ciphertext), plaintext
    yield "ciphertext", protection.encrypt(seed, salt, plaintext), ciphertext


def _reference(case: dict[str, Any]) -> Compared:
    envelope = Envelope.from_value(case["envelope"])
    key = PrivateKey.from_seed(case["crv"], bytes.fromhex(case["private_hex"]))
    entry = envelope.header["recipients"][0]
    ephemeral = PublicKey.from_json(entry["epk"])
    yield "ephemeral_public_hex", ephemeral.octets.hex(), case["ephemeral_public_hex"]
    yield "wrapped_hex", b64.decode(entry["wmk"]).hex(), case["wrapped_hex"]
    agreement = exchange.agree(key, ephemeral)
    yield "agreement_hex", agreement.hex(), case["agreement_hex"]
    yield from _exchange(case, agreement, case["kdf_info"].encode())
    yield "salt_hex", b64.decode(envelope.header["Salt"]).hex(), case["salt_hex"]
    yield from _content(case, envelope.body)
    seed = exchange.open_recipients(envelope.header["recipients"], MemoryKeyring([key]))
    yield "base_seed_hex by key", seed.hex(), case["base_seed_hex"]
    yield "kid_of_seed", symmetric.key_id(seed), case["kid_of_seed"]
    yield "kid_in_header", envelope.header.get("kid"), case.get("kid_in_header")
    opened = open_envelope(envelope, keyring=MemoryKeyring([key]), require_digest=False)
    yield "plaintext by envelope", opened.plaintext, case["plaintext"].encode()
    if "witness_hex" in case:
        signature = b64.decode(envelope.merged()["signatures"][0]["signature"])
        witness = protection.witness(seed, b64.decode(envelope.header["Salt"]), signature)
        yield "witness_hex", witness.hex(), case["witness_hex"]


def _trace(case: dict[str, Any]) -> Compared:
    """Salt, keys and ciphertext are of one object; agreement, key-encryption key and wrap of another."""
    kek = exchange.key_encryption_key(bytes.fromhex(case["agreement_hex"]), b"master")
    yield "kek_info_master_hex", kek.hex(), case["kek_info_master_hex"]
    wrapped = bytes.fromhex(case["wrapped_hex"])
    yield "wrapped_hex", openssl.wrap_key(kek, openssl.unwrap_key(kek, wrapped)), wrapped
    yield from _content(case, bytes.fromhex(case["ciphertext_hex"]))


def _earl(case: dict[str, Any]) -> Compared:
    secret = symmetric.secret(case["udf"])
    yield "secret_hex", secret.hex(), case["secret_hex"]
    yield "recipient_kid", symmetric.key_id(secret), case["recipient_kid"]
    yield from _exchange(case, secret, b"")
    body = b64.decode(case["body"])
    yield from _content(case, body)
    header = {
        "enc": "A256CBC",
        "Salt": b64.encode(bytes.fromhex(case["salt_hex"])),
        "recipients": [{"kid": case["recipient_kid"], "wmk": b64.encode(bytes.fromhex(case["wrapped_hex"]))}],
    }
    keyring = MemoryKeyring((), [secret])
    opened = open_envelope(Envelope(header, body), keyring=keyring, require_digest=False)
    yield "plaintext by envelope", opened.plaintext, case["plaintext"].encode()


def _plain_annotation(case: dict[str, Any]) -> Compared:
    octets, prefix = bytes.fromhex(case["encoded_hex"]), bytes.fromhex(case["salt_prefix_hex"])
    yield "decoded", edss.decode(octets), (prefix, case["data"].encode())
    yield "encoded_hex", edss.encode(prefix, case["data"].encode()).hex(), case["encoded_hex"]


def _own_prototype(case: dict[str, Any]) -> Compared:
    recipient = PrivateKey.from_seed(case["crv"], bytes.fromhex(case["recipient_private_hex"]))
    ephemeral = PrivateKey.from_seed(case["crv"], bytes.fromhex(case["ephemeral_private_hex"]))
    yield "recipient_public_hex", recipient.public.octets.hex(), case["recipient_public_hex"]
    yield "ephemeral_public_hex", ephemeral.public.octets.hex(), case["ephemeral_public_hex"]
    yield "agreement_hex", recipient.agree(ephemeral.public).hex(), case["agreement_hex"]
    yield from _exchange(case, ephemeral.agree(recipient.public), b"")
    yield from _content(case, bytes.fromhex(case["ciphertext_hex"]))
    seed, salt = bytes.fromhex(case["base_seed_hex"]), bytes.fromhex(case["salt_hex"])
    for item in case.get("edss", []):
        prefix, octets = bytes.fromhex(item["salt_prefix_hex"]), bytes.fromhex(item["encoded_hex"])
        yield from _counted(item["index"], prefix)
        yield "encoded_hex", edss.encode(prefix, item["data"].encode(), seed, salt), octets
        yield "data", edss.decode(octets, seed, salt), (prefix, item["data"].encode())


def _counted(index: int, prefix: bytes) -> Compared:
    """The reference writes counters beyond 255 so that several have one prefix; ours have their own."""
    if index < 256:
        yield "salt_prefix_hex", edss.prefix(index), prefix
    else:
        yield "low octet of salt_prefix_hex", index & 255, prefix[0]
        yield "own prefix", int.from_bytes(edss.prefix(index), "little"), index


def _mesh_recipient(case: dict[str, Any]) -> Compared:
    key = PrivateKey.from_seed(case["crv"], bytes.fromhex(case["private_hex"]))
    yield "recipient_kid", key.public.udf, case["recipient_kid"]
    yield "kid", case["recipient"]["kid"], case["recipient_kid"]
    seed = exchange.open_recipients([case["recipient"]], MemoryKeyring([key]))
    yield "base_seed_hex", seed.hex(), case["base_seed_hex"]
    salted = Vector(case | {"salt_hex": b64.decode(case["salt"]).hex()})
    yield from _content(salted, b64.decode(case["body"]))


# --- vectors of our own trial ---


_ENVELOPE_MEMBERS = ("recipient_private_hex", "signer_private_hex", "json", "ciphertext_hex")


def _own(path: Path) -> list[dict[str, Any]]:
    """The trials in a file: one, or a list of them."""
    vectors = load(path)
    return list(map(Vector, vectors if isinstance(vectors, list) else [vectors]))


def _run_own(path: Path) -> Iterator[Outcome]:
    for vectors in _own(path):
        if set(_ENVELOPE_MEMBERS) & set(vectors):
            yield check(f"{path.name} envelope", partial(_own_envelope, vectors))
        for name in vectors:
            if name.startswith("sequence_"):
                yield check(f"{path.name} {name}", partial(dare_sequences.own, vectors, name, path))
        for case in vectors.get("frame_must_reject", []):
            octets = bytes.fromhex(case["hex"])
            rows: Iterable[tuple[str, object, object]] = [
                ("refused", _refused(lambda octets=octets: frame.unpack_frame(octets)), True)
            ]
            yield check(f"{path.name} frame_must_reject {case['name']}", lambda rows=rows: rows)


def _own_envelope(case: dict[str, Any]) -> Compared:
    recipient = PrivateKey.from_seed("X448", bytes.fromhex(case["recipient_private_hex"]))
    signer = PrivateKey.from_seed("Ed448", bytes.fromhex(case["signer_private_hex"]))
    yield "recipient_kid", recipient.public.udf, case["recipient_kid"]
    yield "signer_public_hex", signer.public.octets.hex(), case["signer_public_hex"]
    yield from _content(case, bytes.fromhex(case["ciphertext_hex"]))
    digest = protection.payload_digest(bytes.fromhex(case["ciphertext_hex"]))
    yield "payload_digest_hex", digest.hex(), case["payload_digest_hex"]
    signature = signer.sign(digest, _no_entropy)
    yield "signature_hex", signature.hex(), case["signature_hex"]
    seed, salt = bytes.fromhex(case["base_seed_hex"]), bytes.fromhex(case["salt_hex"])
    yield "witness_hex", protection.witness(seed, salt, signature).hex(), case["witness_hex"]
    text = case["json"].encode()
    binary, stream = bytes.fromhex(case["json_b_hex"]), bytes.fromhex(case["stream_file_hex"])
    for form in (text, binary, stream):
        envelope = Envelope.from_bytes(form)
        yield "json", envelope.to_json(), text
        yield "json_b_hex", envelope.to_json_b(), binary
        yield "stream_file_hex", envelope.to_stream(text_form.reference_text), stream
        opened = open_envelope(
            envelope, keyring=MemoryKeyring([recipient]), signers=[signer.public], require_signature=True
        )
        yield "plaintext by envelope", opened.plaintext, case["plaintext"].encode()
        yield "signed by", opened.signed_by, (signer.public.udf,)
        annotation = b64.decode(envelope.header["annotations"][0])
        yield "annotation_plain", edss.decode(annotation, seed, salt)[1], case["annotation_plain"].encode()


_FORMS = {"*.json.dare": "json", "*.jsonb.dare": "json_b_hex", "*.stream.dare": "stream_file_hex"}


def _run_own_envelope(path: Path) -> Iterator[Outcome]:
    """The file holds an envelope of the trials beside it, in the form that its name says."""

    def case() -> Compared:
        form = next(form for pattern, form in _FORMS.items() if fnmatchcase(path.name, pattern))
        octets = path.read_bytes()
        told = [vectors for vectors in _trials(path) if vectors.get(form) is not None]
        forms = [(v[form].encode() if form == "json" else bytes.fromhex(v[form]), v["json"]) for v in told]
        yield "is an envelope of the trials", octets in [held for held, _ in forms], True
        text = next(text for held, text in forms if held == octets)
        yield "envelope", Envelope.from_bytes(octets).to_json(), ABSENT if text is ABSENT else text.encode()

    yield check(path.name, case)


def _trials(path: Path) -> Iterator[dict[str, Any]]:
    """The trials of the files own_vectors* beside `path`, then those of the other known folders."""
    listing = folders.companion(path, "own_vectors.json")
    for file in (*sorted(path.parent.glob("own_vectors*.json")), listing):
        if file.exists():
            yield from _own(file)


def _no_entropy(count: int) -> bytes:
    raise AssertionError(f"{count} octets of entropy were asked for; the signature is deterministic")
