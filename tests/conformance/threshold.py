"""Vectors of threshold key generation, shares and signatures."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance.report import Outcome, Runner, check, load
from tests.conformance.udf import Compared

from mathmesh.keys import algorithms, derive
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.threshold import cogeneration


def runners() -> dict[str, Runner]:
    """Runner of each file pattern."""
    return {
        "threshold/cogeneration.json": _run_cogeneration,
        "threshold/mesh_threshold.json": _run_mesh,
        "threshold/frost_*.json": _run_later,
        "threshold/operate_key_agreement.json": _run_later,
    }


def _run_later(path: Path) -> Iterator[Outcome]:
    yield Outcome(path.name, "not yet", path.name)


def _run_mesh(path: Path) -> Iterator[Outcome]:
    vectors = load(path)
    for index, case in enumerate(vectors["keygen"]):
        yield check(f"{path.name} keygen[{index}]", lambda case=case: _keygen(case))
    for kind in sorted(set(vectors) - {"source", "sources", "note", "keygen"}):
        known = kind in ("split", "sign_unanimous", "sign_quorate")
        yield Outcome(f"{path.name} {kind}", "not yet" if known else "failed", f"{kind}")


def _keygen(case: dict[str, Any]) -> Compared:
    keys = [derive.derive_key(part["udf"], "") for part in case["contributions"]]
    for key, part in zip(keys, case["contributions"], strict=True):
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


def _run_cogeneration(path: Path) -> Iterator[Outcome]:
    vectors = load(path)
    publics = {key["public"] for key in vectors["base"]}
    privates = {key["public"]: key["private"] for key in vectors["base"]}
    for index, case in enumerate(vectors["base"]):
        yield check(f"{path.name} base[{index}]", lambda case=case: _base(case))
    for index, case in enumerate(vectors["cogen"]):
        private = privates.get(case["base_public"]) if case["base_public"] in publics else None
        yield check(
            f"{path.name} cogen[{index}]", lambda case=case, private=private: _composite(case, private)
        )
    for kind in set(vectors) - {"source", "sources", "note", "base", "cogen"}:
        yield Outcome(f"{path.name} {kind}", "failed", "unknown kind")


def _base(case: dict[str, str]) -> Compared:
    key = derive.derive_key(case["seed"], case["info_suffix"])
    yield "alg", key.crv, case["alg"]
    yield "private", (key.key_seed or b"").hex(), case["private"]
    yield "public", key.public.octets.hex(), case["public"]
    yield "udf", key.public.udf, case["udf"]


def _composite(case: dict[str, str], base_private: str | None) -> Compared:
    activation = derive.derive_key(case["activation_seed"], case["info_suffix"])
    base = PublicKey(case["alg"], bytes.fromhex(case["base_public"]))
    public = cogeneration.combine_public(base, activation.public)
    yield "alg", activation.crv, case["alg"]
    yield "activation_private", (activation.key_seed or b"").hex(), case["activation_private"]
    yield "activation_public", activation.public.octets.hex(), case["activation_public"]
    yield "composite_public", public.octets.hex(), case["composite_public"]
    yield "composite_udf", public.udf, case["composite_udf"]
    if base_private is not None:
        key = PrivateKey.from_seed(case["alg"], bytes.fromhex(base_private))
        composite = cogeneration.combine_private(key, activation)
        yield "composite key pair", composite.public.octets.hex(), case["composite_public"]
