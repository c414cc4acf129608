"""Vectors of UDF presentation, digests, fingerprints, key derivation and identifiers."""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.conformance.report import Outcome, Runner, Vector, check, load

from mathmesh.codec import udf, uri
from mathmesh.errors import EncodingError
from mathmesh.keys import derive, digest, earl, fingerprint, hkdf, ids, mac, openssl
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.threshold import cogeneration, recovery, shamir

Compared = Iterator[tuple[str, object, object]]
Case = Callable[[dict[str, Any]], Compared]

_ALGORITHMS = {"sha2": False, "sha2512": False, "sha512": False, "sha3": True, "sha3512": True}
"""Name in lower case without dashes → whether it is SHA-3."""
_PREFIXES = {
    derive.PROFILE_DEVICE: ("BaseDevice", "BaseHost"),
    derive.PROFILE_ACCOUNT: ("CompleteAccount", "BaseService"),
    derive.PROFILE_SERVICE: ("BaseService",),
    derive.ACTIVATION_ACCOUNT: ("ActivationDevice",),
}
"""Code of a seed → how the names of keys begin that are made from it."""
_OPERATIONS = {
    "ProfileSignature": "Profile",
    "AdministratorSignature": "AdminSign",
    "AdministratorEncryption": "AdminEncrypt",
    "CommonEncryption": "Encrypt",
    "CommonAuthentication": "Authenticate",
    "CommonSignature": "Sign",
    "EscrowEncryption": "Escrow",
    "Encryption": "Encrypt",
    "Signature": "Sign",
    "Authentication": "Authenticate",
    "ServiceSignature": "Sign",
    "ServiceEncryption": "Encrypt",
    "ServiceAuthentication": "Authenticate",
}


def runners() -> dict[str, Runner]:
    """Runner of each file pattern."""
    return {
        "udf/01_*.json": by_kind({"fixed": _fixed, "lenient_parse": _lenient, "first_letter": _letters}),
        "udf/02_*.json": all_alike(_content_digest),
        "udf/03_*.json": all_alike(_compression),
        "udf/04_*.json": all_alike(_authenticator),
        "udf/05_*.json": all_alike(_public_key),
        "udf/06_*.json": all_alike(_derive_direct),
        "udf/07_*.json": all_alike(_derive_profile),
        "udf/08_*.json": by_kind({"seed+seed": _seed_and_seed, "public+seed": _public_and_seed}),
        "udf/09_*.json": by_kind({"static_qr": _static_qr, "udf_earl": _udf_earl}),
        "udf/10_*.json": by_kind({"pin": _pin, "make_id": _make_id, "connection_witness": _witness}),
        "udf/11_*.json": by_kind({"split": _split, "recover": _recover, "primes": _primes}),
        "udf/13_*.json": by_kind({"name": _name, "locator": _locator, "mcu": _mcu, "sin": _sin}),
        "udf/14_*.json": all_alike(_signature),
    }


def all_alike(case: Case) -> Runner:
    """Runner of a file whose cases have no kinds."""

    def run(path: Path) -> Iterator[Outcome]:
        for index, vector in enumerate(load(path)["cases"]):
            yield check(f"{path.name}[{index}]", lambda vector=vector: case(Vector(vector)))

    return run


def by_kind(cases: dict[str, Case]) -> Runner:
    """Runner of a file of kinds."""

    def run(path: Path) -> Iterator[Outcome]:
        for index, vector in enumerate(load(path)["cases"]):
            kind = vector.get("kind")
            name = f"{path.name}[{index}] {kind}"
            if kind in cases:
                yield check(name, lambda vector=vector, kind=kind: cases[kind](Vector(vector)))
            else:
                yield Outcome(name, "failed", "unknown kind")

    return run


def _fixed(case: dict[str, Any]) -> Compared:
    code, data = case["type"], bytes.fromhex(case["data_hex"])
    yield "udf", udf.text(code, data), case["udf"]
    yield "type and data_hex", udf.parse(case["udf"]), (code, data)


def _lenient(case: dict[str, Any]) -> Compared:
    for text in case["inputs"]:
        yield text, udf.parse(text), (case["type"], bytes.fromhex(case["data_hex"]))


def _letters(case: dict[str, Any]) -> Compared:
    letters = {str(code): udf.text(code, bytes(16))[0] for code in udf.TYPES}
    yield "map", {code: letters.get(code) for code in case["map"]}, case["map"]


def _content_digest(case: dict[str, Any]) -> Compared:
    data, content_type, sha3 = case["data_utf8"].encode(), case["content_type"], _sha3(case)
    value = digest.typed_value(data, content_type, sha3=sha3)
    hashed = (hashlib.sha3_512 if sha3 else hashlib.sha512)(data)
    yield "cdv_hex", hashed.hexdigest(), case["cdv_hex"]
    yield "typed_input_hex", digest.typed_input(data, content_type, sha3=sha3).hex(), case["typed_input_hex"]
    yield "tcdv_hex", value.hex(), case["tcdv_hex"]
    yield "compression", digest.compression_level(value), case["compression"]
    text = digest.content_digest(data, content_type, bits=case["bits"], sha3=sha3)
    yield "udf", text, case["udf"]
    whole = digest.udf_bytes(data, content_type, sha3=sha3)
    yield "matches", digest.matches(case["udf"], whole, minimum_bits=min(case["bits"], 100)), True


def _sha3(case: dict[str, Any]) -> bool:
    return _ALGORITHMS[case.get("alg", "sha2").lower().replace("-", "")]


def _compression(case: dict[str, Any]) -> Compared:
    value = bytes.fromhex(case["tcdv_hex"])
    yield "trailing_zero_bits", digest.trailing_zero_bits(value), case["trailing_zero_bits"]
    yield "level", digest.compression_level(value), case["level"]


def _authenticator(case: dict[str, Any]) -> Compared:
    key, data, content_type = case["key"], case["data_utf8"].encode(), case["content_type"]
    sha3, bits = _sha3(case), case.get("bits", udf.DEFAULT_BITS)
    yield "prk_hex", mac.content_master_key(key, sha3=sha3).hex(), case["prk_hex"]
    yield "mac_key_hex", mac.content_mac_key(key, sha3=sha3).hex(), case["mac_key_hex"]
    yield "mac_hex", mac.content_mac_value(key, data, content_type, sha3=sha3).hex(), case["mac_hex"]
    yield "udf", mac.content_mac(key, data, content_type, bits=bits, sha3=sha3), case["udf"]


def _public_key(case: dict[str, Any]) -> Compared:
    if case["crv"] == "RSA":
        info = fingerprint.rsa_key_info(int(case["n_hex"], 16), int(case["e_hex"], 16))
    else:
        public = bytes.fromhex(case["public_hex"])
        info = fingerprint.key_info(case["crv"], public)
        yield "udf of the key", PublicKey(case["crv"], public).udf, case["udf"]
    yield "keyinfo_der_hex", info.hex(), case["keyinfo_der_hex"]
    yield "udf", fingerprint.info_udf(info), case["udf"]
    if "oid_udf" in case:
        yield "oid_udf", fingerprint.oid_udf(info), case["oid_udf"]
        if case["crv"] != "RSA":
            yield "oid_udf read", fingerprint.parse_oid_udf(case["oid_udf"]), (case["crv"], public)


def _derive_direct(case: dict[str, Any]) -> Compared:
    seed, name = case["seed_udf"], case["key_name"]
    if "seed_data_utf8" in case:
        yield "seed_data_utf8", derive.seed_octets(seed)[2:], case["seed_data_utf8"].encode()
    yield "ikm_hex", derive.seed_octets(seed).hex(), case["ikm_hex"]
    yield "scalar", str(_key(seed, name, case).scalar), case["scalar"]
    yield from _derived(seed, name, case)


def _derive_profile(case: dict[str, Any]) -> Compared:
    prefixes = _PREFIXES[derive.seed_type(case["seed_udf"])]
    for key in map(Vector, case["keys"]):
        field = key["field"].split()
        store = field[1] if field[0] == "store" else ""
        operation = "Encrypt" if store else _OPERATIONS.get(field[0], field[0])
        yield "operation", operation, key["operation"]
        names = [prefix + operation + store for prefix in prefixes]
        yield f"key_name is of {names}", key["key_name"] in names, True
        yield from _derived(case["seed_udf"], key["key_name"], key)


def _derived(seed: str, name: str, case: dict[str, Any]) -> Compared:
    key = _key(seed, name, case)
    yield "crv", key.crv, case["crv"]
    yield "info_hex", derive.info(seed, name).hex(), case["info_hex"]
    yield "key_seed_hex", (key.key_seed or b"").hex(), case["key_seed_hex"]
    yield "public_hex", key.public.octets.hex(), case["public_hex"]
    yield "udf", key.public.udf, case["udf"]


def _key(seed: str, name: str, case: dict[str, Any]) -> PrivateKey:
    """The key of `seed`; where neither seed nor name tells the curve, of that which the case names."""
    try:
        return derive.derive_key(seed, name)
    except EncodingError:
        return derive.derive_key(seed, name, case["crv"])


def _seed_and_seed(case: dict[str, Any]) -> Compared:
    suffix = case["actor"] + case["operation"]
    yield "base_key_name", "Base" + suffix, case["base_key_name"]
    yield "activation_key_name", "Activation" + suffix, case["activation_key_name"]
    base = derive.derive_key(case["base_seed"], case["base_key_name"])
    activation = derive.derive_key(case["activation_seed"], case["activation_key_name"])
    combined = cogeneration.combine_private(base, activation)
    yield "crv", combined.crv, case["crv"]
    yield "base_public_hex", base.public.octets.hex(), case["base_public_hex"]
    yield "activation_public_hex", activation.public.octets.hex(), case["activation_public_hex"]
    yield "combined_scalar", str(combined.scalar), case["combined_scalar"]
    yield "combined_public_hex", combined.public.octets.hex(), case["combined_public_hex"]
    public = cogeneration.combine_public(base.public, activation.public)
    yield "combined_public_hex by points", public.octets.hex(), case["combined_public_hex"]
    yield "udf", public.udf, case["udf"]


def _public_and_seed(case: dict[str, Any]) -> Compared:
    yield "activation_key_name", "Activation" + case["actor"] + case["operation"], case["activation_key_name"]
    activation = derive.derive_key(case["activation_seed"], case["activation_key_name"])
    base = PublicKey(case["crv"], bytes.fromhex(case["base_public_hex"]))
    public = cogeneration.combine_public(base, activation.public)
    yield "combined_public_hex", public.octets.hex(), case["combined_public_hex"]
    yield "udf", public.udf, case["udf"]


def _static_qr(case: dict[str, Any]) -> Compared:
    secret = earl.connect_secret(case["device_seed"], case["maker_account"], case["pin_bits"] // 8)
    pin = udf.text(udf.ENCRYPTION, secret)
    yield "pin", pin, case["pin"]
    yield "pin_key_hex", secret.hex(), case["pin_key_hex"]
    yield "connect_uri", earl.connect_uri(secret, case["maker_account"]), case["connect_uri"]
    yield "publication_id", earl.publication_id(secret), case["publication_id"]
    service, device = earl.service_authenticator(secret), earl.device_authenticator(secret)
    yield "service_authenticator_key", service, case["service_authenticator_key"]
    yield "device_authenticator_key", device, case["device_authenticator_key"]
    yield "service_authenticate", earl.claim_mac(service, case["claimant"]), case["service_authenticate"]
    yield "device_authenticate", earl.claim_mac(device, case["claimant"]), case["device_authenticate"]
    yield from _publication(secret, case)


def _publication(secret: bytes, case: dict[str, Any]) -> Compared:
    kek = hkdf.hkdf(secret, b"", 32)
    base_seed = openssl.unwrap_key(kek, bytes.fromhex(case["wmk_hex"]))
    prk = hkdf.extract(base_seed, salt=bytes.fromhex(case["salt_hex"]), hash_name="sha256")
    key = hkdf.expand(prk, b"encrypt", 32, hash_name="sha256")
    iv = hkdf.expand(prk, b"iv", 16, hash_name="sha256")
    yield "kek_hex", kek.hex(), case["kek_hex"]
    yield "wmk_hex", openssl.wrap_key(kek, base_seed).hex(), case["wmk_hex"]
    yield "cek_hex", base_seed.hex(), case["cek_hex"]
    yield "key_encrypt_hex", key.hex(), case["key_encrypt_hex"]
    yield "iv_hex", iv.hex(), case["iv_hex"]
    plaintext = openssl.decrypt_cbc(key, iv, bytes.fromhex(case["ciphertext_hex"]))
    yield "ciphertext_hex", openssl.encrypt_cbc(key, iv, plaintext).hex(), case["ciphertext_hex"]
    yield "plaintext_sha512", hashlib.sha512(plaintext).hexdigest(), case["plaintext_sha512"]
    yield "plaintext_len", len(plaintext), case["plaintext_len"]
    yield "plaintext_utf8", plaintext.decode(), case["plaintext_utf8"]


def _udf_earl(case: dict[str, Any]) -> Compared:
    key = case["key"]
    content_id = earl.content_id(key, content_type=case["content_type"], bits=case["bits"])
    authority, named, query, fragment = uri.parse_udf_uri(case["uri"])
    yield "content_id", content_id, case["content_id"]
    yield "uri", (named, query, fragment), (udf.canonical(key), "", "")
    yield "uri again", uri.udf_locator(authority, key), case["uri"]
    yield "target", f"https://{authority}{earl.WELL_KNOWN}{content_id}", case["target"]


def _pin(case: dict[str, Any]) -> Compared:
    salted = ids.salted_pin(case["pin"], case["action"])
    nonce, payload = bytes.fromhex(case["client_nonce_hex"]), bytes.fromhex(case["payload_digest_hex"])
    yield "salted_pin", salted, case["salted_pin"]
    yield "pin_id", ids.pin_id(salted, case["account"]), case["pin_id"]
    witness = ids.pin_witness(salted, case["account"], nonce, payload)
    yield "pin_witness_hex", witness.hex(), case["pin_witness_hex"]


def _make_id(case: dict[str, Any]) -> Compared:
    yield "udf", ids.make_id(case["id"], case["content_type"]), case["udf"]


def _witness(case: dict[str, Any]) -> Compared:
    account, device = (
        PublicKey("Ed448", bytes.fromhex(case[f"{owner}_profile_public_hex"])).udf_bytes
        for owner in ("account", "device")
    )
    yield "account_udf_bytes_hex", account.hex(), case["account_udf_bytes_hex"]
    yield "device_udf_bytes_hex", device.hex(), case["device_udf_bytes_hex"]
    server, client = (bytes.fromhex(case[f"{owner}_nonce_hex"]) for owner in ("server", "client"))
    yield "witness", ids.connection_witness(account, server, device, client), case["witness"]


def _split(case: dict[str, Any]) -> Compared:
    secret = bytes.fromhex(case["secret_hex"])
    coefficients = [int(coefficient) for coefficient in case["coefficients"]]
    yield "prime", str(shamir.prime(len(secret))), case["prime"]
    yield "threshold", len(coefficients) + 1, case["threshold"]
    yield "shares", shamir.split_with(secret, coefficients, case["n"]), case["shares"]


def _recover(case: dict[str, Any]) -> Compared:
    secret, shares, threshold = bytes.fromhex(case["secret_hex"]), case["shares"], case["threshold"]
    for chosen in itertools.combinations(shares, threshold):
        yield "secret_hex", shamir.recover(chosen), secret
    yield "threshold", {udf.parse(share)[1][0] >> 4 for share in shares}, {threshold}
    if "secret_udf" in case:
        yield "secret_udf", udf.text(secret[0], secret[1:]), case["secret_udf"]
    if "key_as_E_udf" in case:
        yield "key_as_E_udf", udf.text(udf.ENCRYPTION, secret), case["key_as_E_udf"]
        yield "key_as_E_udf recovered", recovery.recover(shares).udf, case["key_as_E_udf"]
    if case.get("secret_udf", "").startswith("Z"):
        yield "secret_udf recovered", recovery.recover(shares).udf, case["secret_udf"]


def _primes(case: dict[str, Any]) -> Compared:
    offsets = case["offsets"]
    yield "offsets", list(shamir.PRIME_OFFSETS[: len(offsets)]), offsets


def _name(case: dict[str, Any]) -> Compared:
    yield "uri", uri.udf_name(case["udf"]), _canonical(case["uri"])
    query, fragment = case.get("query", ""), case.get("fragment", "")
    yield "parts", uri.parse_udf_uri(case["uri"]), ("", udf.canonical(case["udf"]), query, fragment)


def _locator(case: dict[str, Any]) -> Compared:
    query, fragment = case.get("query", ""), case.get("fragment", "")
    parts = (case["authority"].lower(), udf.canonical(case["udf"]), query, fragment)
    yield "parts", uri.parse_udf_uri(case["uri"]), parts
    yield "uri", uri.udf_locator(case["authority"], case["udf"]), _canonical(case["uri"])


def _canonical(text: str) -> str:
    """A URI with scheme and authority in lower case, the UDF in its canonical form, and nothing behind it."""
    text = text.partition("#")[0].partition("?")[0]
    scheme, colon, rest = text.partition(":")
    authority, slash, name = rest.rpartition("/")
    return scheme.lower() + colon + authority.lower() + slash + udf.canonical(name)


def _mcu(case: dict[str, Any]) -> Compared:
    yield "parts", uri.parse_mcu(case["uri"]), (case["account"].lower(), udf.canonical(case["pin"]))
    yield "uri", uri.mcu(case["account"], case["pin"]), _canonical(case["uri"])


def _sin(case: dict[str, Any]) -> Compared:
    user, domain = case["user"].lower(), case["domain"].lower()
    parts = (user, domain, udf.canonical(case["udf"]), case["backward_compatible"])
    yield "address", uri.sin_address(*parts), case["address"].lower()
    yield "parts", uri.parse_sin_address(case["address"]), parts


def _signature(case: dict[str, Any]) -> Compared:
    key = PrivateKey.from_seed("Ed448", bytes.fromhex(case["key_seed_hex"]))
    message, signature = bytes.fromhex(case["message_hex"]), bytes.fromhex(case["signature_hex"])
    yield "kid", key.public.udf, case["kid"]
    if "seed_udf" in case:
        yield "seed_udf", derive.derive_key(case["seed_udf"], case["key_name"]) == key, True
    yield "signature_hex", key.sign(message, lambda count: bytes(count)), signature
    key.public.verify(signature, message)
