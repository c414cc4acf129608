"""The vector of an Operate transaction: shapes, points of prime order, the agreement when keys are told."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance import threshold_draft as draft
from tests.conformance.report import COMMENTARY, Outcome, check, load
from tests.conformance.udf import Compared

from mathmesh.dare import exchange
from mathmesh.dare.envelope import Envelope, open_envelope
from mathmesh.dare.suites import S512
from mathmesh.keys import algorithms, montgomery, symmetric
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema import parse
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.key_share import KeyShare
from mathmesh.threshold.operate import KeyAgreementOperation, KeyAgreementResult
from mathmesh.threshold.point import Point

_CAPABILITY = "CapabilityDecryptServiced"
_SOME_SCALAR = 0x123456789ABCDEF


def run(path: Path) -> Iterator[Outcome]:
    """One transaction; `keys` are in vectors of our own only."""
    vector = load(path)
    unknown = set(vector) - COMMENTARY - {"catalogedAccess", "request", "response", "keys"}
    if unknown:
        yield Outcome(path.name, "failed", f"unknown members {', '.join(sorted(unknown))}")
    parts = {"catalogedAccess": _capability, "request": _request, "response": _response}
    for name, case in parts.items():
        if name in vector:
            yield check(f"{path.name} {name}", functools.partial(case, vector))
    if "keys" in vector:
        yield check(f"{path.name} agreement", lambda: _agreement(vector))


def _entry(vector: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = vector["catalogedAccess"]["CatalogedAccess"]["Capability"][_CAPABILITY]
    return found


def _operations(vector: dict[str, Any]) -> list[KeyAgreementOperation]:
    return [
        KeyAgreementOperation.from_json(item) for item in vector["request"]["OperateRequest"]["Operations"]
    ]


def _results(vector: dict[str, Any]) -> list[KeyAgreementResult]:
    return [KeyAgreementResult.from_json(item) for item in vector["response"]["OperateResponse"]["Results"]]


def _capability(vector: dict[str, Any]) -> Compared:
    value = vector["catalogedAccess"]
    yield "catalogedAccess", parse(value).to_json(), value
    entry = _entry(vector)
    yield "Active", entry["Active"], True
    envelope = entry["EnvelopedKeyShare"]
    yield "EnvelopedKeyShare", Envelope.from_value(envelope).to_value(), envelope
    if "request" in vector:
        yield "Id is asked for", entry["Id"] in [item.key_id for item in _operations(vector)], True


def _request(vector: dict[str, Any]) -> Compared:
    members = vector["request"]["OperateRequest"]
    written = [operation.to_json() for operation in _operations(vector)]
    yield "Operations", written, members["Operations"]
    yield "request", parse(vector["request"]).to_json(), vector["request"]
    for operation in _operations(vector):
        key = operation.public_key
        yield from _prime_order("PublicKey", Point.decode(key.crv, key.octets))


def _response(vector: dict[str, Any]) -> Compared:
    members = vector["response"]["OperateResponse"]
    results = _results(vector)
    yield "Status", members["Status"], 201
    yield "Results", [result.to_json() for result in results], members["Results"]
    yield "response", parse(vector["response"]).to_json(), vector["response"]
    if "request" in vector:
        yield "number of results", len(results), len(_operations(vector))
    for result in results:
        if result.point is not None:
            yield from _prime_order("Result", result.point)


def _prime_order(name: str, point: Point) -> Compared:
    order = algorithms.curve(point.crv).order
    yield f"order of {name}", draft.ladder(point.crv, order, point.first)[1], 0
    partial = ShareAgreement(PrivateKey.from_scalar(point.crv, _SOME_SCALAR)).partial(point)
    x, z, _, _ = draft.ladder(point.crv, _SOME_SCALAR, point.first)
    yield f"multiple of {name}", partial.first * z % montgomery.CURVES[point.crv].p, x


def _agreement(vector: dict[str, Any]) -> Compared:
    keys, entry = vector["keys"], _entry(vector)
    service = MemoryKeyring([PrivateKey.from_json(keys["service"])])
    envelope = Envelope.from_value(entry["EnvelopedKeyShare"])
    opened = open_envelope(envelope, keyring=service)
    [recipient] = envelope.header["recipients"]
    yield "recipient", [recipient["kid"]], list(service.kids())
    seed = exchange.open_recipients([recipient], service)
    yield "kid", envelope.header["kid"], symmetric.key_id(seed)
    yield "dig", envelope.header["dig"], S512
    served = KeyShare.from_key_data(json.loads(opened.plaintext)["KeyData"])
    device = KeyShare.from_key_data(keys["device"])
    yield "device", device.to_key_data(), keys["device"]
    yield "GranteeAccount", keys["grantee"], entry["GranteeAccount"]
    yield "KeyId", device.key_id, entry["Id"]
    [operation], [result] = _operations(vector), _results(vector)
    yield "AccountAddress", vector["request"]["OperateRequest"]["AccountAddress"], device.service_address
    yield "Result", operation.perform(ShareAgreement(served.share)).to_json(), result.to_json()
    peer = Point.decode(operation.public_key.crv, operation.public_key.octets)
    own = ShareAgreement(device.share).partial(peer)
    yield "agreement_unsigned", result.complete(own).hex(), keys["agreement_unsigned"]
    whole = PrivateKey.from_scalar(device.share.crv, device.share.scalar + served.share.scalar)
    yield "PublicPrimary", whole.public, device.public_primary
    yield "whole key", whole.agree(operation.public_key).hex(), keys["agreement_unsigned"]
