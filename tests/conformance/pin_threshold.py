"""Writes our own vectors of threshold operations: `python -m tests.conformance.pin_threshold`.

Inputs are drawn as in `pin_core`, so that a second run writes the same bytes.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.conformance import threshold_draft as draft
from tests.conformance.folders import OWN
from tests.conformance.pin_core import Case, draw, seed

from mathmesh.dare.envelope import seal
from mathmesh.keys import algorithms, derive, edwards
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.threshold import frost, lagrange, split
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.commitment import commit
from mathmesh.threshold.frost_suite import suite
from mathmesh.threshold.key_share import KeyShare
from mathmesh.threshold.operate import KeyAgreementOperation
from mathmesh.threshold.point import Point, combine
from mathmesh.threshold.signing_share import SigningShare

_NOTE = "Made by our own code after it agreed with the published vectors"
_GRANTEE = "alice@example.com"
_CODES = {
    "X25519": derive.X25519,
    "X448": derive.X448,
    "Ed25519": derive.ED25519,
    "Ed448": derive.ED448,
}


def draws(label: str) -> Callable[[int], bytes]:
    """A repeatable source of entropy, other octets at each call."""
    count = iter(range(1000))
    return lambda size: draw(f"{label} {next(count)}", size)


def key_of(crv: str, label: str) -> tuple[str, PrivateKey]:
    """A repeatable seed UDF and its key."""
    text = seed(_CODES[crv], f"threshold {label}")
    return text, derive.derive_key(text, "")


def uniform(crv: str, label: str) -> int:
    """A repeatable scalar."""
    return lagrange.uniform(algorithms.curve(crv).order, draws(label))


def keygen(crv: str) -> Case:
    """Co-generation of two keys."""
    parts = [key_of(crv, label) for label in ("one", "two")]
    curve = algorithms.curve(crv)
    composite = PrivateKey.from_scalar(crv, sum(key.scalar for _, key in parts))
    public = PublicKey(crv, composite.signed_public)
    return {
        "curve": crv,
        "contributions": [
            {
                "udf": text,
                "private_octets": (key.key_seed or b"").hex(),
                "scalar": str(key.scalar),
                "public": key.signed_public.hex(),
            }
            for text, key in parts
        ],
        "composite_scalar": str(composite.scalar),
        "composite_scalar_le": composite.scalar.to_bytes(curve.scalar_size, "little").hex(),
        "composite_public": public.octets.hex(),
        "composite_public_unsigned": None if curve.signs else public.u.hex(),
    }


def splitting(crv: str) -> Case:
    """Direct split and the agreement by both shares."""
    (text, key), (first_text, first), (e_text, e) = (key_of(crv, name) for name in ("key", "share", "e"))
    second, _ = split.direct_with(key, [first.scalar])
    peer = Point.decode(crv, e.signed_public)
    results = [ShareAgreement(share).partial(peer) for share in (first, second)]
    combined = combine(results)
    size = algorithms.curve(crv).scalar_size
    return {
        "curve": crv,
        "key": {"udf": text, "scalar": str(key.scalar), "public": key.signed_public.hex()},
        "share1": {"udf": first_text, "scalar": str(first.scalar)},
        "share2_scalar": str(second.scalar),
        "share2_le": second.scalar.to_bytes(size, "little").hex(),
        "ephemeral": {
            "udf": e_text,
            "scalar": str(e.scalar),
            "public_signed": e.signed_public.hex(),
            "public_unsigned": e.signed_public[:size].hex(),
        },
        "ladder_share1": [str(value) for value in draft.ladder(crv, first.scalar, peer.first)],
        "result1_signed": results[0].octets.hex(),
        "result2_signed": results[1].octets.hex(),
        "combined_signed": combined.octets.hex(),
        "agreement_unsigned": combined.agreement.hex(),
        "document_defects": [],
    }


def coefficients_of(crv: str, label: str, threshold: int) -> list[int]:
    """Coefficients of a repeatable polynomial, but for the constant one."""
    return [uniform(crv, label if degree == 1 else f"{label} {degree}") for degree in range(1, threshold)]


def unanimous(crv: str) -> Case:
    """A signature by all shares of a direct split, with single nonces."""
    keys = [key_of(crv, label) for label in ("alice", "bob")]
    scalars = [key.scalar for _, key in keys]
    public = edwards.base_point(crv, sum(scalars))
    head = {
        "curve": crv,
        "udf": [text for text, _ in keys],
        "share_scalars": [str(scalar) for scalar in scalars],
    }
    return {**head, **_signed(crv, public, scalars, scalars)}


def quorate(crv: str, signers: Sequence[int] = (1, 3), count: int = 3) -> Case:
    """A signature by so many of `count` shares as are needed, with single nonces."""
    text, key = key_of(crv, "group")
    coefficients = coefficients_of(crv, "slope", len(signers))
    shares = split.quorate_with(key, coefficients, count)
    used = [share for share in shares if share.number in signers]
    factors = [share.coefficient(signers) for share in used]
    products = [share.key.scalar * factor for share, factor in zip(used, factors, strict=True)]
    return {
        "curve": crv,
        "udf": text,
        "a0": str(key.scalar),
        **{f"a{degree}": str(value) for degree, value in enumerate(coefficients, 1)},
        "shares": {str(share.number): str(share.key.scalar) for share in shares},
        "signers": list(signers),
        "lagrange": [str(factor) for factor in factors],
        **_signed(crv, key.public.octets, products, [p % algorithms.ED25519.order for p in products]),
    }


def _signed(crv: str, public: bytes, products: list[int], printed: list[int]) -> Case:
    message = "Kitchen lamp"
    nonces = [uniform(crv, f"nonce {number}") for number in range(len(products))]
    right = draft.sign(crv, public, message.encode(), nonces, products)
    dom = draft.DOM2_EMPTY_CONTEXT if crv == "Ed25519" else None
    wrong = draft.sign(crv, public, message.encode(), nonces, printed, dom)
    differs = (right.challenge, right.answer) != (wrong.challenge, wrong.answer)
    return {
        "public": public.hex(),
        "message": message,
        "r": [str(nonce) for nonce in nonces],
        "R_i": right.parts,
        "R": right.commitment,
        "k": right.challenge,
        "S_i": right.answers,
        "signature": right.signature,
        "printed_k": wrong.challenge,
        "printed_S": wrong.answer,
        "document_defects": ["as the published examples are computed"] if differs else [],
    }


def frost_vector(crv: str, hash_name: str, signers: Sequence[int] = (2, 3), count: int = 3) -> dict[str, Any]:
    """A signature by so many of `count` shares as are needed, in the layout of RFC 9591 appendix E."""
    rules, message = suite(crv), b"Kitchen lamp"
    key = PrivateKey.from_scalar(crv, uniform(crv, "frost key"))
    coefficients = coefficients_of(crv, "frost slope", len(signers))
    made = split.quorate_with(key, coefficients, count)
    shares = {share.number: SigningShare.of_quorate(share, key.public) for share in made}
    random = {number: [draw(f"frost {crv} {number} {i}", 32) for i in range(2)] for number in signers}
    nonces, told = ({n: commit(shares[n], _given(random[n])) for n in signers} for _ in range(2))
    commitments = [nonces[number].commitment for number in signers]
    common = frost.session(key.public, commitments, message)
    parts = {n: frost.sign_share(shares[n], nonces[n], commitments, message) for n in signers}
    first = []
    for number in signers:
        hiding, binding = told[number].take()
        first.append(
            {
                "identifier": number,
                "hiding_nonce_randomness": random[number][0].hex(),
                "binding_nonce_randomness": random[number][1].hex(),
                "hiding_nonce": rules.write_scalar(hiding).hex(),
                "binding_nonce": rules.write_scalar(binding).hex(),
                "hiding_nonce_commitment": told[number].commitment.hiding.hex(),
                "binding_nonce_commitment": told[number].commitment.binding.hex(),
                "binding_factor_input": common.binding_inputs[number].hex(),
                "binding_factor": rules.write_scalar(common.binding_factors[number]).hex(),
            }
        )
    public = key.public.octets.hex()
    return {
        "config": {
            "MAX_PARTICIPANTS": str(count),
            "NUM_PARTICIPANTS": str(len(signers)),
            "MIN_PARTICIPANTS": str(len(signers)),
            "name": f"FROST({crv}, {hash_name})",
            "group": crv.lower(),
            "hash": hash_name,
        },
        "inputs": {
            "participant_list": list(signers),
            "group_secret_key": rules.write_scalar(key.scalar).hex(),
            "group_public_key": public,
            "message": message.hex(),
            "share_polynomial_coefficients": [rules.write_scalar(value).hex() for value in coefficients],
            "participant_shares": [
                {"identifier": n, "participant_share": rules.write_scalar(share.key.scalar).hex()}
                for n, share in shares.items()
            ],
            "verifying_key_key": public,
        },
        "round_one_outputs": {"outputs": first},
        "round_two_outputs": {
            "outputs": [{"identifier": n, "sig_share": part.hex()} for n, part in parts.items()]
        },
        "final_output": {"sig": frost.aggregate(key.public, commitments, message, parts).hex()},
        "note": _NOTE,
    }


def operate() -> dict[str, Any]:
    """An agreement by device and service, with the keys of both."""
    account = "kitchen@example.net"
    _, key = key_of("X448", "device")
    _, service = key_of("X448", "service")
    _, ephemeral = key_of("X448", "ephemeral")
    halves = split.direct_with(key, [uniform("X448", "half")])
    device, served = (KeyShare(public_primary=key.public, share=h, service_address=account) for h in halves)
    operation = KeyAgreementOperation(key_id=device.key_id, public_key=ephemeral.public)
    result = operation.perform(ShareAgreement(served.share))
    plaintext = json.dumps({"KeyData": served.to_key_data()}).encode()
    envelope = seal(plaintext, entropy=draws("envelope"), recipients=[service.public])
    capability = {"Id": device.key_id, "Active": True, "GranteeAccount": _GRANTEE}
    return {
        "note": _NOTE,
        "catalogedAccess": {
            "CatalogedAccess": {
                "Capability": {
                    "CapabilityDecryptServiced": {**capability, "EnvelopedKeyShare": envelope.to_value()}
                }
            }
        },
        "request": {"OperateRequest": {"AccountAddress": account, "Operations": [operation.to_json()]}},
        "response": {"OperateResponse": {"Status": 201, "Results": [result.to_json()]}},
        "keys": {
            "device": device.to_key_data(),
            "service": service.to_json(),
            "grantee": _GRANTEE,
            "agreement_unsigned": key.agree(ephemeral.public).hex(),
        },
    }


def _given(random: list[bytes]) -> Callable[[int], bytes]:
    rest = list(random)
    return lambda size: rest.pop(0)


def main() -> None:
    """Writes every file."""
    mesh = {
        "note": _NOTE,
        "keygen": [keygen(crv) for crv in _CODES],
        "split": [splitting(crv) for crv in ("X25519", "X448")],
        "sign_unanimous": [unanimous(crv) for crv in ("Ed25519", "Ed448")],
        "sign_quorate": [quorate(crv) for crv in ("Ed25519", "Ed448")],
    }
    documents = {
        "mesh_threshold.json": mesh,
        "frost_own_ed25519.json": frost_vector("Ed25519", "SHA-512"),
        "frost_own_ed448.json": frost_vector("Ed448", "SHAKE256"),
        "operate_key_agreement.json": operate(),
    }
    for name, document in documents.items():
        path = OWN / "threshold" / name
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
