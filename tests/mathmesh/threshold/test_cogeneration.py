import os

import pytest
from Crypto.Signature import eddsa

from mathmesh.errors import EncodingError, LocalProtocolError, VerificationError
from mathmesh.keys import algorithms, edwards, montgomery
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from mathmesh.threshold import cogeneration

# draft-hallambaker-mesh-schema, activation of alice's second device: base, activation and composite keys.
ENCRYPTION = (
    "c97ca671a6e18ffcae84bf3c1c6fea98db90cd06d61b0f0bb88c1c09b58f456ff0bb33e83b389c91f34561622a99caf40141ed78f5c9286280",
    "f48ca098aac516e8ab306632f04d9d9bc6b7ca34a9892b081216dba1a54f805ba9b8367cee82a5679384a9f160a942ff1e178fb0a4a1170080",
    "04234f1ca35f833973c158eabf5bbdb87932b2197aa89519823fdb0f0c0b922e4bd6ef3c4c207a2abd6c21cc6a76286808450ca86b96b0be00",
)


def signed(key: PrivateKey) -> PublicKey:
    return PublicKey(key.crv, key.signed_public)


def test_published_composite() -> None:
    base, activation, composite = (PublicKey("X448", bytes.fromhex(text)) for text in ENCRYPTION)
    assert cogeneration.combine_public(base, activation) == composite
    assert cogeneration.combine_public(activation, base) == composite
    assert composite.udf == "MAST-EV3R-CLXM-LVOO-L3FH-QHJ7-WATP"


@pytest.mark.parametrize("crv", list(algorithms.CURVES))
def test_both_sides_arrive_at_the_same_pair(crv: str) -> None:
    for _ in range(3):
        base, activation = generate(crv, os.urandom), generate(crv, os.urandom)
        composite = cogeneration.combine_private(base, activation)
        assert cogeneration.combine_public(signed(base), signed(activation)) == composite.public
        assert composite.scalar == (base.scalar + activation.scalar) % algorithms.curve(crv).order


@pytest.mark.parametrize("crv", list(algorithms.CURVES))
def test_combining_is_associative_and_doubles(crv: str) -> None:
    one, two, three = (generate(crv, os.urandom) for _ in range(3))
    combine = cogeneration.combine_public
    left = combine(combine(signed(one), signed(two)), signed(three))
    assert left == combine(signed(one), combine(signed(two), signed(three)))
    assert combine(signed(one), signed(one)) == signed(cogeneration.combine_private(one, one))


@pytest.mark.parametrize("crv", list(algorithms.CURVES))
def test_keys_that_cancel_are_refused(crv: str) -> None:
    scalar = generate(crv, os.urandom).scalar
    key, opposite = (PrivateKey.from_scalar(crv, number) for number in (scalar, -scalar))
    with pytest.raises(VerificationError, match="cancel"):
        cogeneration.combine_public(signed(key), signed(opposite))
    with pytest.raises(EncodingError):
        cogeneration.combine_private(key, opposite)


def test_sign_octet_is_needed_and_counts() -> None:
    base, activation = generate("X448", os.urandom), generate("X448", os.urandom)
    unsigned = PublicKey("X448", base.public.octets[:56])
    with pytest.raises(EncodingError, match="sign"):
        cogeneration.combine_public(unsigned, activation.public)
    other = PublicKey("X448", base.public.octets[:56] + bytes([base.public.octets[56] ^ 0x80]))
    assert cogeneration.combine_public(other, activation.public) != cogeneration.combine_public(
        base.public, activation.public
    )


def test_points_off_the_curve_are_refused() -> None:
    good = {crv: signed(generate(crv, os.urandom)) for crv in algorithms.CURVES}
    refused = 0
    for crv, key in good.items():
        for last in range(40):
            octets = bytes([*key.octets[:5], last, *key.octets[6:]])
            try:
                cogeneration.combine_public(PublicKey(crv, octets), key)
            except VerificationError:
                refused += 1
    assert 40 < refused < 160


@pytest.mark.parametrize(
    ("crv", "octets"),
    [
        ("X448", bytes(57)),
        ("X448", (1).to_bytes(57, "little")),
        ("X25519", bytes(33)),
        ("X25519", (1).to_bytes(33, "little")),
        ("Ed448", (1).to_bytes(57, "little")),
        ("Ed25519", (1).to_bytes(32, "little")),
        ("Ed25519", (2**255 - 20).to_bytes(32, "little")),
        ("Ed448", bytes(57)),
    ],
)
def test_points_of_small_order_are_refused(crv: str, octets: bytes) -> None:
    key = signed(generate(crv, os.urandom))
    for pair in ((PublicKey(crv, octets), key), (key, PublicKey(crv, octets))):
        with pytest.raises(VerificationError):
            cogeneration.combine_public(*pair)


def test_ed25519_point_with_a_part_of_small_order_is_refused() -> None:
    key = generate("Ed25519", os.urandom).public
    low = (2**255 - 20).to_bytes(32, "little")  # y = -1, of order two
    total = edwards.decode("Ed25519", key.octets) + eddsa.import_public_key(low).pointQ
    mixed = PublicKey("Ed25519", edwards.encode("Ed25519", total))
    with pytest.raises(VerificationError, match="prime order"):
        cogeneration.combine_public(mixed, key)


def test_curves_are_not_mixed() -> None:
    one, two = generate("X448", os.urandom), generate("Ed448", os.urandom)
    with pytest.raises(LocalProtocolError):
        cogeneration.combine_public(one.public, two.public)
    with pytest.raises(LocalProtocolError):
        cogeneration.combine_private(one, two)


def test_composite_agrees_and_signs_like_the_sum_of_its_parts() -> None:
    base, activation = generate("X448", os.urandom), generate("X448", os.urandom)
    composite, peer = cogeneration.combine_private(base, activation), generate("X448", os.urandom)
    partial = [
        montgomery.decode("X448", PrivateKey.from_scalar("X448", key.scalar * peer.scalar).signed_public)
        for key in (base, activation)
    ]
    u, _ = montgomery.add("X448", *partial)
    assert composite.agree(peer.public) == u.to_bytes(56, "little")
