"""Vectors of threshold key generation, shares, agreement and signatures."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance import threshold_draft as draft
from tests.conformance import threshold_operate, threshold_signing
from tests.conformance.report import COMMENTARY, Outcome, Runner, Vector, check, load
from tests.conformance.udf import Compared

from mathmesh.keys import algorithms, derive, montgomery
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.threshold import cogeneration, split
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.point import Point, combine


def runners() -> dict[str, Runner]:
    """Runner of each file pattern."""
    return {
        "threshold/cogeneration.json": _run_cogeneration,
        "threshold/mesh_threshold.json": _run_mesh,
        "threshold/frost_*.json": threshold_signing.run_frost,
        "threshold/operate_key_agreement.json": threshold_operate.run,
    }


def _run_mesh(path: Path) -> Iterator[Outcome]:
    kinds = {
        "keygen": _keygen,
        "split": _split,
        "sign_unanimous": threshold_signing.sign_unanimous,
        "sign_quorate": threshold_signing.sign_quorate,
    }
    vectors = load(path)
    for kind in set(vectors) - COMMENTARY - set(kinds):
        yield Outcome(f"{path.name} {kind}", "failed", "unknown kind")
    for kind, case in kinds.items():
        for index, vector in enumerate(vectors.get(kind, [])):
            yield check(f"{path.name} {kind}[{index}]", functools.partial(case, Vector(vector)))


def _keygen(case: dict[str, Any]) -> Compared:
    keys = [derive.derive_key(part["udf"], "") for part in case["contributions"]]
    for key, part in zip(keys, map(Vector, case["contributions"]), strict=True):
        yield "private_octets", (key.key_seed or b"").hex(), part["private_octets"]
        yield "scalar", str(key.scalar), part["scalar"]
        yield "public", key.signed_public.hex(), part["public"]
    composite = functools.reduce(cogeneration.combine_private, keys)
    publics = [PublicKey(key.crv, key.signed_public) for key in keys]
    public = functools.reduce(cogeneration.combine_public, publics)
    curve = algorithms.curve(composite.crv)
    yield "curve", composite.crv, case["curve"]
    yield "composite_scalar", str(composite.scalar), case["composite_scalar"]
    yield (
        "composite_scalar_le",
        composite.scalar.to_bytes(curve.scalar_size, "little").hex(),
        case["composite_scalar_le"],
    )
    yield "composite_public", composite.signed_public.hex(), case["composite_public"]
    yield "composite_public by points", public.octets.hex(), case["composite_public"]
    unsigned = None if curve.signs else public.u.hex()
    yield "composite_public_unsigned", unsigned, case["composite_public_unsigned"]


def _split(case: dict[str, Any]) -> Compared:
    key, first, ephemeral = (
        derive.derive_key(case[name]["udf"], "") for name in ("key", "share1", "ephemeral")
    )
    yield "curve", key.crv, case["curve"]
    yield "key", (str(key.scalar), key.signed_public.hex()), (case["key"]["scalar"], case["key"]["public"])
    yield "share1", str(first.scalar), case["share1"]["scalar"]
    yield (
        "ephemeral",
        [
            str(ephemeral.scalar),
            ephemeral.signed_public.hex(),
            PublicKey(key.crv, ephemeral.signed_public).u.hex(),
        ],
        [case["ephemeral"][name] for name in ("scalar", "public_signed", "public_unsigned")],
    )
    second, _ = split.direct_with(key, [first.scalar])
    size = algorithms.curve(key.crv).scalar_size
    peer = Point.decode(key.crv, ephemeral.signed_public)
    results = [ShareAgreement(share).partial(peer) for share in (first, second)]
    combined = combine(results)
    rungs = draft.ladder(key.crv, first.scalar, peer.first)
    computed = {
        "share2_scalar": str(second.scalar),
        "share2_le": second.scalar.to_bytes(size, "little").hex(),
        "ladder_share1": [str(value) for value in rungs],
        "result1_signed": results[0].octets.hex(),
        "result2_signed": results[1].octets.hex(),
        "combined_signed": combined.octets.hex(),
        "agreement_unsigned": combined.agreement.hex(),
    }
    for name in set(case) - COMMENTARY - {"curve", "key", "share1", "ephemeral", "document_defects"}:
        yield name, computed.get(name), case[name]
    yield (
        "u of result1",
        rungs[0] * pow(rungs[1], -1, montgomery.CURVES[key.crv].p) % (montgomery.CURVES[key.crv].p),
        results[0].first,
    )
    yield (
        "agreement",
        key.agree(PublicKey(key.crv, ephemeral.signed_public)).hex(),
        case["agreement_unsigned"],
    )


def _run_cogeneration(path: Path) -> Iterator[Outcome]:
    vectors = load(path)
    bases = list(map(Vector, vectors.get("base", [])))
    privates = {case["public"]: case["private"] for case in bases}
    for index, case in enumerate(bases):
        yield check(f"{path.name} base[{index}]", functools.partial(_base, case))
    for index, case in enumerate(map(Vector, vectors.get("cogen", []))):
        private = privates.get(case["base_public"])
        yield check(f"{path.name} cogen[{index}]", functools.partial(_composite, case, private))
    for kind in set(vectors) - COMMENTARY - {"base", "cogen"}:
        yield Outcome(f"{path.name} {kind}", "failed", "unknown kind")


def _base(case: dict[str, Any]) -> Compared:
    key = derive.derive_key(case["seed"], case["info_suffix"])
    yield "alg", key.crv, case["alg"]
    yield "private", (key.key_seed or b"").hex(), case["private"]
    yield "public", key.public.octets.hex(), case["public"]
    yield "udf", key.public.udf, case["udf"]


def _composite(case: dict[str, Any], base_private: object) -> Compared:
    activation = derive.derive_key(case["activation_seed"], case["info_suffix"])
    base = PublicKey(case["alg"], bytes.fromhex(case["base_public"]))
    public = cogeneration.combine_public(base, activation.public)
    yield "alg", activation.crv, case["alg"]
    yield "activation_private", (activation.key_seed or b"").hex(), case["activation_private"]
    yield "activation_public", activation.public.octets.hex(), case["activation_public"]
    yield "composite_public", public.octets.hex(), case["composite_public"]
    yield "composite_udf", public.udf, case["composite_udf"]
    if isinstance(base_private, str):
        key = PrivateKey.from_seed(case["alg"], bytes.fromhex(base_private))
        composite = cogeneration.combine_private(key, activation)
        yield "composite key pair", composite.public.octets.hex(), case["composite_public"]
