import hashlib
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import b64
from mathmesh.errors import EncodingError, LocalProtocolError, VerificationError
from mathmesh.keys import algorithms, edwards, montgomery, openssl, scalars
from mathmesh.keys.pair import PrivateKey, PublicKey, generate

AGREEMENT, SIGNATURE = ("X25519", "X448"), ("Ed25519", "Ed448")
CURVES = (*AGREEMENT, *SIGNATURE)


def no_entropy(count: int) -> bytes:
    raise AssertionError("a seed key signs without entropy")


def composite(crv: str) -> PrivateKey:
    return PrivateKey.from_scalar(crv, int.from_bytes(os.urandom(64), "big"))


@pytest.mark.parametrize(
    ("crv", "scalar", "u", "shared"),
    [
        (
            "X25519",
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "X448",
            "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
            "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086",
            "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaadeb445fc66a01b0779d98223961111e21766282f73dd96b6f",
        ),
    ],
)
def test_agreement_of_rfc_7748(crv: str, scalar: str, u: str, shared: str) -> None:
    key = PrivateKey.from_seed(crv, bytes.fromhex(scalar))
    assert key.agree(PublicKey(crv, bytes.fromhex(u))).hex() == shared


def test_ed448_of_rfc_8032_with_its_57_octet_key() -> None:
    # RFC 8032 §7.4, one octet.
    key = PrivateKey.from_seed(
        "Ed448",
        bytes.fromhex(
            "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e"
        ),
    )
    assert key.public.octets.hex() == (
        "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480"
    )
    assert key.sign(b"\x03", no_entropy).hex() == (
        "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779"
        "805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c0"
        "3a00"
    )


def test_ed448_with_a_56_octet_seed_matches_the_published_signature() -> None:
    # The device profile of the 2022 examples signs its payload digest.
    seed = bytes.fromhex(
        "dac4a09cdbc323d041c27129e2209beb032ce609f94a0280b9f526dc1eda5b45f199387c9cab425d2afa4960278a8a18957e69809886babe"
    )
    message = bytes.fromhex(
        "2a2482683a985af95bd34559b5c0ad6703695c0fbb55b404f31b21501af37219"
        "d06f71d4687c5408edf5db5c8de09c24282cbbe3c4ef625a1ec2ff6f716ba3a6"
    )
    signature = PrivateKey.from_seed("Ed448", seed).sign(message, no_entropy)
    assert hashlib.sha256(signature).hexdigest() == (
        hashlib.sha256(
            bytes.fromhex(
                "9a9e4e7e1e4da7b19c863f29763c21aa49554446aa1acfcec4ac42880341b611fd09fe7d9a770fe47a1eff5d5cf9ec19b9b1dba9faaf2766"
                "80fd7df87a2464b50814c1bab0b84d5015f68ab6148601ba15e5a8277904a2df6f8a786f2bd5a03adedf2fc7be90010d3085bbe29de0b28d"
                "3d00"
            )
        ).hexdigest()
    )


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40))
@settings(max_examples=15, deadline=None)
def test_ed25519_signs_as_the_library_does(seed: bytes, message: bytes) -> None:
    key = PrivateKey.from_seed("Ed25519", seed)
    assert key.public.octets == openssl.public_ed25519(seed)
    assert key.sign(message, no_entropy) == openssl.sign_ed25519(seed, message)


@pytest.mark.parametrize("make", [generate, lambda crv, _: composite(crv)], ids=["seed", "composite"])
@pytest.mark.parametrize("crv", SIGNATURE)
def test_signatures_hold_for_their_message_and_key_only(crv: str, make: object) -> None:
    key: PrivateKey = make(crv, os.urandom)  # type: ignore[operator]
    signature = key.sign(b"message", os.urandom)
    key.public.verify(signature, b"message")
    changed = [
        (key.public, signature, b"massage"),
        (generate(crv, os.urandom).public, signature, b"message"),
        (key.public, bytes([signature[0] ^ 1, *signature[1:]]), b"message"),
        (key.public, bytes([*signature[:-2], signature[-2] ^ 1, signature[-1]]), b"message"),
        (key.public, signature[:-1], b"message"),
        (key.public, b"", b"message"),
    ]
    for public, altered, message in changed:
        with pytest.raises(VerificationError):
            public.verify(altered, message)


@pytest.mark.parametrize("crv", SIGNATURE)
def test_composite_nonce_is_secret_and_fresh(crv: str) -> None:
    key = composite(crv)
    drawn: list[int] = []

    def entropy(count: int) -> bytes:
        drawn.append(count)
        return bytes(count)

    first = key.sign(b"message", entropy)
    assert drawn == [32]
    size = len(key.public.octets)
    dom = edwards.DOM4 if crv == "Ed448" else b""
    order = algorithms.curve(crv).order
    for guess in (dom + b"message", dom + bytes(32) + b"message"):
        r = int.from_bytes(edwards.digest(crv, guess), "little") % order
        assert first[:size] != edwards.base_point(crv, r)
    assert key.sign(b"message", os.urandom)[:size] != first[:size]
    with pytest.raises(ValueError, match="nonce"):
        edwards.sign(crv, key.scalar, key.public.octets, b"", b"message")


@pytest.mark.parametrize("crv", AGREEMENT)
def test_agreement_is_mutual_for_seed_and_composite_keys(crv: str) -> None:
    for first in (generate(crv, os.urandom), composite(crv)):
        for second in (generate(crv, os.urandom), composite(crv)):
            shared = first.agree(second.public)
            assert shared == second.agree(first.public)
            assert len(shared) == algorithms.curve(crv).scalar_size


@pytest.mark.parametrize("crv", AGREEMENT)
def test_composite_scalar_is_not_clamped(crv: str) -> None:
    seed = generate(crv, os.urandom)
    same = PrivateKey.from_scalar(crv, seed.scalar)
    peer = generate(crv, os.urandom).public
    assert same.signed_public == seed.signed_public
    assert same.agree(peer) == seed.agree(peer)
    odd = PrivateKey.from_scalar(crv, seed.scalar + 1)
    assert odd.agree(peer) != seed.agree(peer)


@given(st.integers(2**300, 2**448))
@settings(max_examples=30, deadline=None)
def test_clampable_form_survives_clamping(scalar: int) -> None:
    for crv in AGREEMENT:
        curve = algorithms.curve(crv)
        octets = scalars.clampable(crv, scalar)
        value = int.from_bytes(octets, "little")
        assert PrivateKey.from_seed(crv, octets).scalar == value
        assert value % curve.order in (scalar % curve.order, -scalar % curve.order)
        assert value % curve.cofactor == 0


@pytest.mark.parametrize(("crv", "scalar"), [("X448", 0), ("X448", 2), ("X25519", 0), ("X25519", -8)])
def test_scalars_without_clamped_form_are_refused(crv: str, scalar: int) -> None:
    with pytest.raises(EncodingError, match="take another"):
        scalars.clampable(crv, scalar)


@pytest.mark.parametrize("crv", AGREEMENT)
def test_signed_public_lies_on_the_curve_with_the_right_sign(crv: str) -> None:
    base = montgomery.CURVES[crv]
    scalar = int.from_bytes(os.urandom(60), "big")
    point = montgomery.decode(crv, PrivateKey.from_scalar(crv, scalar).signed_public)
    for step in range(1, 5):
        point = montgomery.add(crv, point, (base.u, base.v))
        assert PrivateKey.from_scalar(crv, scalar + step).signed_public == montgomery.encode(crv, point)
        assert montgomery.decode(crv, montgomery.encode(crv, point)) == point


@pytest.mark.parametrize("u", [0, 1, montgomery.CURVES["X448"].p - 1, montgomery.CURVES["X448"].p])
def test_points_of_small_order_on_curve448_are_refused(u: int) -> None:
    for key in (generate("X448", os.urandom), composite("X448")):
        with pytest.raises(VerificationError, match="small order"):
            key.agree(PublicKey("X448", u.to_bytes(56, "little")))


@pytest.mark.parametrize(
    "u", [0, 1, 325606250916557431795983626356110631294008115727848805560023387167927233504]
)
def test_points_of_small_order_on_curve25519_are_refused(u: int) -> None:
    for key in (generate("X25519", os.urandom), composite("X25519")):
        with pytest.raises(VerificationError, match="small order"):
            key.agree(PublicKey("X25519", u.to_bytes(32, "little")))


def test_ephemeral_without_sign_agrees_all_the_same() -> None:
    key, peer = generate("X448", os.urandom), generate("X448", os.urandom)
    short = PublicKey("X448", peer.public.octets[:56])
    assert key.agree(short) == key.agree(peer.public)
    assert short.udf != peer.public.udf


@pytest.mark.parametrize("crv", CURVES)
def test_json_round_trip(crv: str) -> None:
    for key in (generate(crv, os.urandom), composite(crv)):
        value = key.to_json()
        assert PrivateKey.from_json(value) == key
        assert PrivateKey.from_json(value).public == key.public
        direct = value["PrivateKeyECDH"]["crv"].endswith("z")
        assert direct == (key.key_seed is None)
        value["PrivateKeyECDH"]["Public"] = b64.encode(key.public.octets)
        assert PrivateKey.from_json(value) == key
        value["PrivateKeyECDH"]["Public"] = b64.encode(generate(crv, os.urandom).public.octets)
        with pytest.raises(VerificationError):
            PrivateKey.from_json(value)
        assert PublicKey.from_json(key.public.to_json()) == key.public


def test_scalar_of_any_length_is_read() -> None:
    for octets in (b"\x05", (5).to_bytes(57, "little")):
        value = {"PrivateKeyECDH": {"crv": "Ed448z", "Private": b64.encode(octets)}}
        assert PrivateKey.from_json(value) == PrivateKey.from_scalar("Ed448", 5)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"PublicKeyECDH": None},
        {"PublicKeyECDH": {"crv": "X448"}},
        {"PublicKeyECDH": {"Public": b64.encode(bytes(57))}},
        {"PublicKeyECDH": {"crv": "X449", "Public": b64.encode(bytes(57))}},
        {"PublicKeyECDH": {"crv": "X448", "Public": b64.encode(bytes(55))}},
        {"PublicKeyECDH": {"crv": "X448", "Public": b64.encode(bytes(56) + b"\x01")}},
        {"PublicKeyECDH": {"crv": "Ed448", "Public": b64.encode(bytes(56))}},
        {"PublicKeyECDH": {"crv": "X448", "Public": "A=="}},
        {"PublicKeyECDH": {"crv": 5, "Public": b64.encode(bytes(57))}},
    ],
)
def test_malformed_public_objects(value: object) -> None:
    with pytest.raises(EncodingError):
        PublicKey.from_json(value)  # type: ignore[arg-type]


def test_published_text_with_line_breaks_is_read() -> None:
    octets = generate("X448", os.urandom).public.octets
    text = b64.encode(octets)
    broken = text[:40] + "\n  " + text[40:]
    assert PublicKey.from_json({"PublicKeyECDH": {"crv": "X448", "Public": broken}}).octets == octets


def test_keys_refuse_what_they_are_not_for() -> None:
    agreement, signer = generate("X448", os.urandom), generate("Ed448", os.urandom)
    with pytest.raises(LocalProtocolError):
        agreement.sign(b"", os.urandom)
    for key, peer in ((signer, agreement), (agreement, signer), (agreement, generate("X25519", os.urandom))):
        with pytest.raises(LocalProtocolError):
            key.agree(peer.public)
    with pytest.raises(VerificationError):
        agreement.public.verify(bytes(114), b"")


def test_zero_scalar_and_wrong_seed_sizes_are_refused() -> None:
    for crv in CURVES:
        with pytest.raises(EncodingError):
            PrivateKey.from_scalar(crv, 3 * algorithms.curve(crv).order)
        with pytest.raises(EncodingError):
            PrivateKey.from_seed(crv, bytes(31))


def test_neither_text_form_shows_the_secret() -> None:
    for key in (generate("X448", os.urandom), composite("Ed448")):
        for text in (repr(key), str(key)):
            assert str(key.scalar) not in text
            assert b64.encode(key.key_seed or b"none") not in text
