"""Writes our own vectors of the core into tests/vectors: `python -m tests.conformance.pin_core`.

Every input is drawn from SHA-512 of a label, so that a second run writes the same bytes. Run it only to add
cases: what is written once is what later versions must keep.
"""

import hashlib
import json
from typing import Any

from tests.conformance.folders import OWN

from mathmesh.codec import b64, udf, uri
from mathmesh.keys import derive, digest, earl, fingerprint, hkdf, ids, mac, openssl
from mathmesh.keys.pair import PrivateKey
from mathmesh.threshold import cogeneration, shamir

Case = dict[str, Any]

_NOTE = "Made by our own code after it agreed with the published vectors"
_ACCOUNT = "maker@example.net"
_OPERATIONS = {"Profile": "Ed448", "Encrypt": "X448", "Sign": "Ed448", "Authenticate": "X448"}


def draw(label: str, count: int) -> bytes:
    """Repeatable octets for a label."""
    return hashlib.shake_256(label.encode()).digest(count)


def seed(alg: int, label: str) -> str:
    """Repeatable seed UDF."""
    return derive.new_seed(alg, lambda count: draw(label, count))


def presentation() -> list[Case]:
    """udf/01."""
    sizes = {udf.MAC: 15, udf.ENCRYPTION: 32, udf.NONCE: 16, udf.SEED: 34, udf.SHARE: 17}
    cases: list[Case] = []
    for code, size in sizes.items():
        data = draw(f"fixed {code}", size)
        cases.append({"kind": "fixed", "udf": udf.text(code, data), "type": code, "data_hex": data.hex()})
    data = draw("spelling", 15)
    text = udf.text(udf.ENCRYPTION, data)
    inputs = [text.lower(), text.replace("-", " "), text.replace("-", "")]
    cases.append({"kind": "lenient_parse", "inputs": inputs, "type": udf.ENCRYPTION, "data_hex": data.hex()})
    letters = {str(code): udf.text(code, bytes(16))[0] for code in udf.TYPES}
    return [*cases, {"kind": "first_letter", "map": letters}]


def content_digests() -> list[Case]:
    """udf/02."""
    cases = []
    for sha3 in (False, True):
        for bits in (100, 140, 240, 440):
            data, kind = f"Kitchen lamp {bits}", "text/plain"
            value = digest.typed_value(data.encode(), kind, sha3=sha3)
            cases.append(
                {
                    "data_utf8": data,
                    "content_type": kind,
                    "alg": "sha3" if sha3 else "sha2",
                    "cdv_hex": (hashlib.sha3_512 if sha3 else hashlib.sha512)(data.encode()).hexdigest(),
                    "typed_input_hex": digest.typed_input(data.encode(), kind, sha3=sha3).hex(),
                    "tcdv_hex": value.hex(),
                    "compression": digest.compression_level(value),
                    "bits": bits,
                    "udf": digest.content_digest(data.encode(), kind, bits=bits, sha3=sha3),
                }
            )
    return cases


def authenticators() -> list[Case]:
    """udf/04."""
    key, data, kind = "a key in words", "Kitchen lamp", "text/plain"
    return [
        {
            "data_utf8": data,
            "content_type": kind,
            "key": key,
            "prk_hex": mac.content_master_key(key).hex(),
            "mac_key_hex": mac.content_mac_key(key).hex(),
            "mac_hex": mac.content_mac_value(key, data.encode(), kind).hex(),
            "udf": mac.content_mac(key, data.encode(), kind),
        }
    ]


def public_keys() -> list[Case]:
    """udf/05."""
    cases = []
    for alg in (derive.X25519, derive.X448, derive.ED25519, derive.ED448):
        key = derive.derive_key(seed(alg, "public"), "").public
        info = fingerprint.key_info(key.crv, key.octets)
        cases.append(
            {
                "crv": key.crv,
                "public_hex": key.octets.hex(),
                "keyinfo_der_hex": info.hex(),
                "udf": key.udf,
                "oid_udf": fingerprint.oid_udf(info),
            }
        )
    return cases


def derived(seed_udf: str, name: str) -> Case:
    """The fields that udf/06 and udf/07 share."""
    key = derive.derive_key(seed_udf, name)
    return {
        "crv": key.crv,
        "key_name": name,
        "info_hex": derive.info(seed_udf, name).hex(),
        "key_seed_hex": (key.key_seed or b"").hex(),
        "public_hex": key.public.octets.hex(),
        "udf": key.public.udf,
    }


def direct_derivations() -> list[Case]:
    """udf/06."""
    cases = []
    for alg in (derive.X25519, derive.X448, derive.ED25519, derive.ED448):
        for name in ("", "second"):
            text = seed(alg, "direct")
            scalar = str(derive.derive_key(text, name).scalar)
            ikm = derive.seed_octets(text).hex()
            cases.append({"seed_udf": text, "ikm_hex": ikm, "scalar": scalar, **derived(text, name)})
    return cases


def profile_derivations() -> list[Case]:
    """udf/07."""
    device, account = seed(derive.PROFILE_DEVICE, "device"), seed(derive.PROFILE_ACCOUNT, "account")
    fields = {
        "ProfileSignature": "Profile",
        "Encryption": "Encrypt",
        "Signature": "Sign",
        "Authentication": "Authenticate",
    }
    keys = [
        {"field": field, "operation": operation, **derived(device, "BaseDevice" + operation)}
        for field, operation in fields.items()
    ]
    stores = [
        {
            "field": f"store {name}",
            "operation": "Encrypt",
            **derived(account, "CompleteAccountEncrypt" + name),
        }
        for name in ("MMM_Device", "MMM_Access", "MMM_Telemetry_ABCD-EFG")
    ]
    return [{"seed_udf": device, "keys": keys}, {"seed_udf": account, "keys": stores}]


def activations() -> list[Case]:
    """udf/08."""
    base_seed, activation_seed = (
        seed(derive.PROFILE_DEVICE, "device"),
        seed(derive.ACTIVATION_ACCOUNT, "activation"),
    )
    cases: list[Case] = []
    for operation in ("Encrypt", "Sign", "Authenticate"):
        names = {"base": "BaseDevice" + operation, "activation": "ActivationDevice" + operation}
        base, activation = (
            derive.derive_key(base_seed, names["base"]),
            derive.derive_key(activation_seed, names["activation"]),
        )
        combined = cogeneration.combine_private(base, activation)
        common = {"actor": "Device", "operation": operation, "crv": base.crv}
        public = {
            "base_public_hex": base.public.octets.hex(),
            "activation_key_name": names["activation"],
            "combined_public_hex": combined.public.octets.hex(),
            "udf": combined.public.udf,
        }
        cases.append(
            {
                "kind": "seed+seed",
                "base_seed": base_seed,
                "activation_seed": activation_seed,
                **common,
                "base_key_name": names["base"],
                "activation_public_hex": activation.public.octets.hex(),
                "combined_scalar": str(combined.scalar),
                **public,
            }
        )
        cases.append({"kind": "public+seed", "activation_seed": activation_seed, **common, **public})
    return cases


def locators() -> list[Case]:
    """udf/09."""
    device_seed = seed(derive.PROFILE_DEVICE, "device")
    secret = earl.connect_secret(device_seed, _ACCOUNT)
    service, device = earl.service_authenticator(secret), earl.device_authenticator(secret)
    base_seed, salt, plaintext = draw("base seed", 32), draw("salt", 16), '{"DareEnvelope": []}'
    kek = hkdf.hkdf(secret, b"", 32)
    prk = hkdf.extract(base_seed, salt=salt, hash_name="sha256")
    key, iv = (
        hkdf.expand(prk, info, size, hash_name="sha256") for info, size in ((b"encrypt", 32), (b"iv", 16))
    )
    static_qr = {
        "kind": "static_qr",
        "device_seed": device_seed,
        "maker_account": _ACCOUNT,
        "claimant": "alice@example.com",
        "pin_bits": 120,
        "pin": udf.text(udf.ENCRYPTION, secret),
        "connect_uri": earl.connect_uri(secret, _ACCOUNT),
        "pin_key_hex": secret.hex(),
        "publication_id": earl.publication_id(secret),
        "service_authenticator_key": service,
        "device_authenticator_key": device,
        "service_authenticate": earl.claim_mac(service, "alice@example.com"),
        "device_authenticate": earl.claim_mac(device, "alice@example.com"),
        "kek_hex": kek.hex(),
        "wmk_hex": openssl.wrap_key(kek, base_seed).hex(),
        "cek_hex": base_seed.hex(),
        "salt_hex": salt.hex(),
        "key_encrypt_hex": key.hex(),
        "iv_hex": iv.hex(),
        "ciphertext_hex": openssl.encrypt_cbc(key, iv, plaintext.encode()).hex(),
        "plaintext_sha512": hashlib.sha512(plaintext.encode()).hexdigest(),
        "plaintext_len": len(plaintext),
        "plaintext_utf8": plaintext,
    }
    text = udf.text(udf.ENCRYPTION, draw("locator", 16))
    content_id = earl.content_id(text)
    located = {
        "kind": "udf_earl",
        "key": text,
        "content_id": content_id,
        "content_type": digest.UDF_ENCRYPTION,
        "bits": 280,
        "uri": uri.udf_locator("example.net", text),
        "target": f"https://example.net/.well-known/mmm-udf/{content_id}",
    }
    return [static_qr, located]


def identifiers() -> list[Case]:
    """udf/10."""
    pin, account, nonce, payload = (
        udf.text(udf.MAC, draw("pin", 15)),
        "alice@example.com",
        draw("nonce", 16),
        draw("payload", 64),
    )
    salted = ids.salted_pin(pin, "Device")
    message = ids.nonce_id(lambda count: draw("message", count))
    profiles = [
        derive.derive_key(seed(alg, "w"), name).public
        for alg, name in (
            (derive.PROFILE_ACCOUNT, "CompleteAccountProfile"),
            (derive.PROFILE_DEVICE, "BaseDeviceProfile"),
        )
    ]
    server = draw("server nonce", 16)
    return [
        {
            "kind": "pin",
            "pin": pin,
            "action": "Device",
            "account": account,
            "salted_pin": salted,
            "pin_id": ids.pin_id(salted, account),
            "client_nonce_hex": nonce.hex(),
            "payload_digest_hex": payload.hex(),
            "pin_witness_hex": ids.pin_witness(salted, account, nonce, payload).hex(),
        },
        *(
            {"kind": "make_id", "id": message, "content_type": kind, "udf": ids.make_id(message, kind)}
            for kind in (digest.ENVELOPE_ID, digest.RESPONSE_ID)
        ),
        {
            "kind": "connection_witness",
            "account_profile_public_hex": profiles[0].octets.hex(),
            "device_profile_public_hex": profiles[1].octets.hex(),
            "account_udf_bytes_hex": profiles[0].udf_bytes.hex(),
            "device_udf_bytes_hex": profiles[1].udf_bytes.hex(),
            "server_nonce_hex": server.hex(),
            "client_nonce_hex": nonce.hex(),
            "witness": ids.connection_witness(profiles[0].udf_bytes, server, profiles[1].udf_bytes, nonce),
        },
    ]


def shares() -> list[Case]:
    """udf/11."""
    return share_cases(draw("escrow", 35), 3, 5)


def share_cases(secret: bytes, threshold: int, count: int) -> list[Case]:
    """A secret split, and recovered from any `threshold` of the shares."""
    octets = len(secret) - 1
    coefficients = [int.from_bytes(draw(f"coefficient {i}", octets), "big") for i in range(threshold - 1)]
    made = shamir.split_with(secret, coefficients, count)
    return [
        {
            "kind": "split",
            "secret_hex": secret.hex(),
            "threshold": threshold,
            "n": count,
            "coefficients": [str(coefficient) for coefficient in coefficients],
            "prime": str(shamir.prime(len(secret))),
            "shares": made,
        },
        {"kind": "recover", "threshold": threshold, "shares": made, "secret_hex": secret.hex()},
    ]


def uris() -> list[Case]:
    """udf/13."""
    name = digest.content_digest(b"Kitchen lamp", "text/plain")
    pin = udf.text(udf.ENCRYPTION, draw("uri", 15))
    cases: list[Case] = [
        {"kind": "name", "udf": name, "uri": uri.udf_name(name)},
        {
            "kind": "locator",
            "udf": name,
            "authority": "example.net",
            "uri": uri.udf_locator("example.net", name),
        },
        {"kind": "mcu", "account": _ACCOUNT, "pin": pin, "uri": uri.mcu(_ACCOUNT, pin)},
    ]
    for compatible in (True, False):
        parts = {"user": "alice", "domain": "example.net", "udf": name, "backward_compatible": compatible}
        address = uri.sin_address("alice", "example.net", name, compatible)
        cases.append({"kind": "sin", **parts, "address": address})
    return cases


def signatures() -> list[Case]:
    """udf/14."""
    key_seed, message = draw("signer", 56), draw("payload", 64)
    key = PrivateKey.from_seed("Ed448", key_seed)
    return [
        {
            "kid": key.public.udf,
            "key_seed_hex": key_seed.hex(),
            "message_hex": message.hex(),
            "signature_hex": key.sign(message, lambda count: bytes(count)).hex(),
        }
    ]


def cogenerations() -> dict[str, Any]:
    """threshold/cogeneration.json."""
    base_seed, activation_seed = (
        seed(derive.PROFILE_DEVICE, "device"),
        seed(derive.ACTIVATION_ACCOUNT, "activation"),
    )
    bases, composites = [], []
    for operation in ("Profile", "Encrypt", "Sign", "Authenticate"):
        base = derive.derive_key(base_seed, "BaseDevice" + operation)
        bases.append(
            {
                "seed": base_seed,
                "info_suffix": "BaseDevice" + operation,
                "alg": base.crv,
                "private": (base.key_seed or b"").hex(),
                "public": base.public.octets.hex(),
                "udf": base.public.udf,
            }
        )
        if operation == "Profile":
            continue
        activation = derive.derive_key(activation_seed, "ActivationDevice" + operation)
        public = cogeneration.combine_public(base.public, activation.public)
        composites.append(
            {
                "activation_seed": activation_seed,
                "info_suffix": "ActivationDevice" + operation,
                "alg": base.crv,
                "activation_private": (activation.key_seed or b"").hex(),
                "activation_public": activation.public.octets.hex(),
                "base_public": base.public.octets.hex(),
                "composite_public": public.octets.hex(),
                "composite_udf": public.udf,
            }
        )
    return {"note": _NOTE, "base": bases, "cogen": composites}


def computations() -> list[Case]:
    """mesh/computations.json."""
    device_seed = seed(derive.PROFILE_DEVICE, "device")
    secret = udf.text(udf.ENCRYPTION, earl.connect_secret(device_seed, _ACCOUNT))
    _, octets = udf.parse(secret)
    key = derive.derive_key(device_seed, "BaseDeviceEncrypt").public
    message = ids.nonce_id(lambda count: draw("message", count))
    made: list[tuple[str, Case, str]] = [
        ("key_udf", {"crv": key.crv, "public": b64.encode(key.octets)}, key.udf),
        ("envelope_id", {"message_id": message}, ids.envelope_id(message)),
        ("response_id", {"message_id": message}, ids.response_id(message)),
        ("publication_id", {"secret": secret}, earl.publication_id(octets)),
        ("service_authenticator", {"secret": secret}, earl.service_authenticator(octets)),
        ("connect_secret_from_seed", {"seed": device_seed, "account": _ACCOUNT, "bits": 120}, secret),
        (
            "profile_device_key",
            {"seed": device_seed, "name": "BaseDeviceEncrypt"},
            b64.encode(key.octets),
        ),
    ]
    return [
        {"kind": kind, "edition": "2022", "input": given, "output": output} for kind, given, output in made
    ]


def main() -> None:
    """Writes every file."""
    files: dict[str, Any] = {
        "udf/01_presentation.json": presentation(),
        "udf/02_content_digest.json": content_digests(),
        "udf/04_authenticator.json": authenticators(),
        "udf/05_public_keys.json": public_keys(),
        "udf/06_derive_direct.json": direct_derivations(),
        "udf/07_derive_profile.json": profile_derivations(),
        "udf/08_activation.json": activations(),
        "udf/09_earl.json": locators(),
        "udf/10_pin_and_ids.json": identifiers(),
        "udf/11_shamir.json": shares(),
        "udf/13_uri_sin.json": uris(),
        "udf/14_ed448_signatures.json": signatures(),
    }
    documents = {name: {"note": _NOTE, "cases": cases} for name, cases in files.items()}
    documents["threshold/cogeneration.json"] = cogenerations()
    documents["mesh/computations.json"] = computations()  # type: ignore[assignment]
    for name, document in documents.items():
        path = OWN / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
