"""Vectors of the values that messages and objects of both editions hold: `mesh/computations.json`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.conformance.report import Outcome, Runner, check, load

from mathmesh.codec import b64, udf
from mathmesh.keys import derive, earl, ids, symmetric
from mathmesh.keys.pair import PublicKey
from mathmesh.threshold import cogeneration


def runners() -> dict[str, Runner]:
    """Runner of each file pattern."""
    return {"mesh/computations.json": _run}


def _run(path: Path) -> Iterator[Outcome]:
    for index, case in enumerate(load(path)):
        kind = case.get("kind")
        name = f"{path.name}[{index}] {kind}"
        if kind not in _KINDS:
            yield Outcome(name, "failed", "unknown kind")
            continue
        yield check(name, lambda case=case, kind=kind: _compare(_KINDS[kind], case))


def _compare(
    kind: Callable[[dict[str, Any]], str], case: dict[str, Any]
) -> Iterator[tuple[str, object, object]]:
    yield "output", kind(case["input"]), case["output"]


def _public(crv: str, text: str) -> PublicKey:
    return PublicKey(crv, b64.decode(text))


def _pin_witness(given: dict[str, Any]) -> str:
    nonce, payload = b64.decode(given["client_nonce"]), b64.decode(given["payload_digest"])
    return b64.encode(ids.pin_witness(given["salted_pin"], given["account"], nonce, payload))


def _connection_witness(given: dict[str, Any]) -> str:
    keys = {owner: _public("Ed448", given[f"{owner}_key"]) for owner in ("account", "device")}
    for owner, key in keys.items():
        if key.udf != given.get(f"{owner}_udf", key.udf):
            raise ValueError(f"{owner}_udf is not that of {owner}_key")
    return ids.connection_witness(
        keys["account"].udf_bytes,
        b64.decode(given["server_nonce"]),
        keys["device"].udf_bytes,
        b64.decode(given["client_nonce"]),
    )


def _activated_key(given: dict[str, Any]) -> str:
    activation = derive.derive_key(given["activation_seed"], "ActivationDevice" + given["operation"])
    base = _public(activation.crv, given["base_public"])
    return b64.encode(cogeneration.combine_public(base, activation.public).octets)


def _connect_secret(given: dict[str, Any]) -> str:
    secret = earl.connect_secret(given["seed"], given["account"], given["bits"] // 8)
    return udf.text(udf.ENCRYPTION, secret)


_KINDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "key_udf": lambda given: _public(given["crv"], given["public"]).udf,
    "salted_pin": lambda given: ids.salted_pin(given["pin"], given["action"]),
    "pin_id": lambda given: ids.pin_id(given["salted_pin"], given["account"]),
    "pin_witness": _pin_witness,
    "connection_witness": _connection_witness,
    "envelope_id": lambda given: ids.envelope_id(given["message_id"]),
    "response_id": lambda given: ids.response_id(given["message_id"]),
    "publication_id": lambda given: earl.publication_id(symmetric.secret(given["secret"])),
    "service_authenticator": lambda given: earl.service_authenticator(symmetric.secret(given["secret"])),
    "device_authenticator": lambda given: earl.device_authenticator(symmetric.secret(given["secret"])),
    "service_authenticate": lambda given: earl.claim_mac(
        earl.service_authenticator(symmetric.secret(given["secret"])), given["sender"]
    ),
    "device_authenticate": lambda given: earl.claim_mac(
        earl.device_authenticator(symmetric.secret(given["secret"])), given["sender"]
    ),
    "profile_device_key": lambda given: b64.encode(
        derive.derive_key(given["seed"], given["name"]).public.octets
    ),
    "activated_key": _activated_key,
    "connect_secret_from_seed": _connect_secret,
}
