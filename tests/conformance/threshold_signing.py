"""Vectors of threshold signatures: the drafts' examples and those of RFC 9591."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance import threshold_draft as draft
from tests.conformance.report import COMMENTARY, Outcome, check, load
from tests.conformance.udf import Compared

from mathmesh.errors import EncodingError
from mathmesh.keys import algorithms, derive, edwards
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.threshold import frost, lagrange, split
from mathmesh.threshold.commitment import Commitment, Nonces, commit
from mathmesh.threshold.frost_suite import suite
from mathmesh.threshold.signing_share import SigningShare

_CURVES = {"ed25519": ("Ed25519", "SHA-512"), "ed448": ("Ed448", "SHAKE256")}
_SIGN_INPUTS = COMMENTARY | {"curve", "udf", "message", "r", "signers", "document_defects"}
_COEFFICIENTS = tuple(f"a{degree}" for degree in range(1, 15))


def sign_unanimous(case: dict[str, Any]) -> Compared:
    """All shares of a direct split sign (draft-hallambaker-threshold-sigs)."""
    keys = [derive.derive_key(text, "") for text in case["udf"]]
    yield "curve", {key.crv for key in keys}, {case["curve"]}
    scalars = [key.scalar for key in keys]
    public = edwards.base_point(case["curve"], sum(scalars))
    known = {"share_scalars": [str(scalar) for scalar in scalars], "public": public.hex()}
    yield from _signature(case, public, scalars, scalars, known)


def sign_quorate(case: dict[str, Any]) -> Compared:
    """Some shares of a quorate split sign."""
    crv, key = case["curve"], derive.derive_key(case["udf"], "")
    order = algorithms.curve(crv).order
    coefficients = [int(case[name]) for name in _COEFFICIENTS if name in case]
    shares = split.quorate_with(key, coefficients, len(case["shares"]))
    used = [share for share in shares if share.number in case["signers"]]
    factors = [lagrange.coefficient(share.number, case["signers"], order) for share in used]
    products = [share.key.scalar * factor for share, factor in zip(used, factors, strict=True)]
    known = {
        "a0": str(key.scalar),
        "shares": {str(share.number): str(share.key.scalar) for share in shares},
        "lagrange": [str(factor) for factor in factors],
        "public": key.public.octets.hex(),
    }
    yield "curve", key.crv, crv
    wrongly_reduced = [product % algorithms.ED25519.order for product in products]
    yield from _signature(case, key.public.octets, products, wrongly_reduced, known)


def _signature(
    case: dict[str, Any], public: bytes, products: list[int], printed: list[int], known: dict[str, Any]
) -> Compared:
    crv, message = case["curve"], case["message"].encode()
    nonces = [int(nonce) for nonce in case["r"]]
    right = draft.sign(crv, public, message, nonces, products)
    dom = draft.DOM2_EMPTY_CONTEXT if crv == "Ed25519" else None
    wrong = draft.sign(crv, public, message, nonces, printed, dom)
    computed = {
        **known,
        "R_i": right.parts,
        "R": right.commitment,
        "k": right.challenge,
        "S_i": right.answers,
        "signature": right.signature,
        "printed_k": wrong.challenge,
        "printed_S": wrong.answer,
    }
    for name in set(case) - _SIGN_INPUTS - set(_COEFFICIENTS):
        yield name, computed.get(name), case[name]
    if case.get("document_defects"):
        wrongly = (right.challenge, right.answer) != (wrong.challenge, wrong.answer)
        yield "document_defects", wrongly, True
    PublicKey(crv, public).verify(bytes.fromhex(case["signature"]), message)
    yield "verifies", True, True


def run_frost(path: Path) -> Iterator[Outcome]:
    """One file of RFC 9591 appendix E."""
    vector = load(path)
    yield check(f"{path.name} config", lambda: _config(vector))
    yield check(f"{path.name} keys", lambda: _keys(vector))
    yield check(f"{path.name} signature", lambda: _frost(vector))


def _config(vector: dict[str, Any]) -> Compared:
    config, inputs = vector["config"], vector["inputs"]
    crv, hash_name = _CURVES[config["group"]]
    counts = {
        "MAX_PARTICIPANTS": str(len(inputs["participant_shares"])),
        "NUM_PARTICIPANTS": str(len(inputs["participant_list"])),
        "MIN_PARTICIPANTS": str(len(inputs["share_polynomial_coefficients"]) + 1),
    }
    yield (
        "config",
        {"name": f"FROST({crv}, {hash_name})", "hash": hash_name, **counts},
        {name: value for name, value in config.items() if name != "group"},
    )
    yield "members", set(vector) - COMMENTARY, {
        "config", "inputs", "round_one_outputs", "round_two_outputs", "final_output"
    }  # fmt: skip


def _keys(vector: dict[str, Any]) -> Compared:
    inputs = vector["inputs"]
    _, rules, key = _group(vector)
    coefficients = [
        rules.read_scalar(bytes.fromhex(text)) for text in inputs["share_polynomial_coefficients"]
    ]
    shares = split.quorate_with(key, coefficients, len(inputs["participant_shares"]))
    known = {
        "group_public_key": key.public.octets.hex(),
        "verifying_key_key": key.public.octets.hex(),
        "participant_shares": [
            {"identifier": share.number, "participant_share": rules.write_scalar(share.key.scalar).hex()}
            for share in shares
        ],
    }
    given = {"participant_list", "group_secret_key", "message", "share_polynomial_coefficients"}
    for name in set(inputs) - given:
        yield name, known.get(name), inputs[name]
    yield "group_secret_key", rules.write_scalar(key.scalar).hex(), inputs["group_secret_key"]


def _frost(vector: dict[str, Any]) -> Compared:
    crv, rules, key = _group(vector)
    message = bytes.fromhex(vector["inputs"]["message"])
    shares = {
        item["identifier"]: SigningShare(
            identifier=item["identifier"],
            key=PrivateKey.from_scalar(crv, rules.read_scalar(bytes.fromhex(item["participant_share"]))),
            group=key.public,
        )
        for item in vector["inputs"]["participant_shares"]
    }
    first = vector["round_one_outputs"]["outputs"]
    second = vector["round_two_outputs"]["outputs"]
    signers = vector["inputs"]["participant_list"]
    yield "signers", [[item["identifier"] for item in outputs] for outputs in (first, second)], [signers] * 2
    nonces = {item["identifier"]: _recorded(shares[item["identifier"]], item) for item in first}
    commitments = [item.commitment for item in nonces.values()]
    common = frost.session(key.public, commitments, message)
    for item in first:
        number = item["identifier"]
        hiding, binding = _recorded(shares[number], item).take()
        commitment: Commitment = nonces[number].commitment
        computed = {
            "identifier": number,
            "hiding_nonce": rules.write_scalar(hiding).hex(),
            "binding_nonce": rules.write_scalar(binding).hex(),
            "hiding_nonce_commitment": commitment.hiding.hex(),
            "binding_nonce_commitment": commitment.binding.hex(),
            "binding_factor_input": common.binding_inputs[number].hex(),
            "binding_factor": rules.write_scalar(common.binding_factors[number]).hex(),
        }
        for name in set(item) - {"hiding_nonce_randomness", "binding_nonce_randomness"}:
            yield name, computed.get(name), item[name]
    parts = {
        number: frost.sign_share(shares[number], nonces[number], commitments, message) for number in signers
    }
    for number, part in parts.items():
        frost.verify_share(common, number, shares[number].public, part)
    yield "sig_share", [{"identifier": n, "sig_share": part.hex()} for n, part in parts.items()], second
    signature = frost.aggregate(key.public, commitments, message, parts)
    yield "sig", {"sig": signature.hex()}, vector["final_output"]


def _group(vector: dict[str, Any]) -> tuple[str, Any, PrivateKey]:
    crv, _ = _CURVES[vector["config"]["group"]]
    rules = suite(crv)
    secret = rules.read_scalar(bytes.fromhex(vector["inputs"]["group_secret_key"]))
    return crv, rules, PrivateKey.from_scalar(crv, secret)


def _recorded(share: SigningShare, item: dict[str, Any]) -> Nonces:
    drawn = [bytes.fromhex(item[f"{kind}_nonce_randomness"]) for kind in ("hiding", "binding")]
    if any(len(octets) != 32 for octets in drawn):
        raise EncodingError("nonce randomness has 32 octets")
    return commit(share, lambda count: drawn.pop(0))
