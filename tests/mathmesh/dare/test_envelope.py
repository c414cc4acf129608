"""Envelopes: seal and open, all forms, and every alteration refused."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import b64
from mathmesh.dare import edss, protection
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, open_envelope, seal
from mathmesh.errors import EncodingError, KeyUnavailableError, MeshError, PolicyError, VerificationError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PublicKey, generate

ENTROPY = random.Random("envelopes").randbytes
ALICE, BOB = generate("X448", ENTROPY), generate("X25519", ENTROPY)
SIGNER, OTHER = generate("Ed448", ENTROPY), generate("Ed448", ENTROPY)
SECRET = ENTROPY(15)
PLAINTEXT = b'{"temp":21.5}'
META = ContentMeta(unique_id="x", cty="application/json")


def sealed(**options: Any) -> Envelope:
    given_options: dict[str, Any] = {"recipients": [ALICE.public], "signer": SIGNER, "content_meta": META}
    return seal(PLAINTEXT, entropy=ENTROPY, **(given_options | options))


@pytest.mark.parametrize(
    "keyring", [MemoryKeyring([ALICE]), MemoryKeyring([BOB]), MemoryKeyring((), [SECRET])]
)
def test_each_recipient_opens(keyring: MemoryKeyring) -> None:
    envelope = sealed(recipients=[ALICE.public, BOB.public], symmetric=[SECRET], envelope_id="MID")
    opened = open_envelope(envelope, keyring=keyring, signers=[SIGNER.public], require_signature=True)
    assert opened.plaintext == PLAINTEXT
    assert opened.content_meta == META
    assert opened.signed_by == (SIGNER.public.udf,)
    assert opened.unverified == ()
    assert envelope.envelope_id == "MID"
    assert envelope.kids[:2] == (ALICE.public.udf, BOB.public.udf)
    assert PLAINTEXT not in envelope.to_json() + envelope.body


def test_unencrypted_and_unsigned() -> None:
    envelope = seal(PLAINTEXT, entropy=ENTROPY)
    assert envelope.body == PLAINTEXT
    assert list(envelope.header) == ["dig"]
    assert list(envelope.trailer) == ["PayloadDigest"]
    assert open_envelope(envelope).plaintext == PLAINTEXT


def test_seeds_and_salts_differ_between_envelopes() -> None:
    first, second = sealed(), sealed()
    assert first.header["Salt"] != second.header["Salt"]
    assert first.header["kid"] != second.header["kid"]
    assert first.body != second.body


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=6).map("x-{}".format), st.integers() | st.text(max_size=9), max_size=3
    ),
    st.binary(max_size=300),
)
@settings(max_examples=25, deadline=None)
def test_all_forms_say_the_same(unknown: dict[str, object], body: bytes) -> None:
    envelope = replace(sealed(), body=body)
    envelope = replace(envelope, header=envelope.header | unknown)
    for octets in (envelope.to_json(), envelope.to_json_b(), envelope.to_stream()):
        assert Envelope.from_bytes(octets) == envelope
    assert Envelope.from_value(envelope.to_value()) == envelope
    assert Envelope.from_value({"DareEnvelope": envelope.to_value()}) == envelope


def test_header_signatures_count_like_those_of_the_trailer() -> None:
    envelope = sealed()
    moved = Envelope(envelope.header | envelope.trailer, envelope.body)
    assert open_envelope(
        moved, keyring=MemoryKeyring([ALICE]), signers={"": SIGNER.public}, require_signature=True
    ).signed_by == (SIGNER.public.udf,)


def test_a_key_under_a_false_name_verifies_nothing() -> None:
    signers = {SIGNER.public.udf: OTHER.public}
    with pytest.raises(VerificationError, match="not signed by a key that is trusted"):
        open_envelope(sealed(), keyring=MemoryKeyring([ALICE]), signers=signers, require_signature=True)


def test_unknown_signers_are_listed() -> None:
    opened = open_envelope(sealed(), keyring=MemoryKeyring([ALICE]), signers=[OTHER.public])
    assert (opened.signed_by, opened.unverified) == ((), (SIGNER.public.udf,))


def test_missing_key_names_the_recipients() -> None:
    with pytest.raises(KeyUnavailableError, match=ALICE.public.udf):
        open_envelope(sealed(), keyring=MemoryKeyring([generate("X448", ENTROPY)]))
    with pytest.raises(KeyUnavailableError):
        open_envelope(sealed())


def test_a_recipient_with_a_false_kid_is_found_by_trying() -> None:
    envelope = sealed()
    entry = envelope.header["recipients"][0] | {"kid": BOB.public.udf}
    header = envelope.header | {"recipients": [entry]}
    opened = open_envelope(replace(envelope, header=header), keyring=MemoryKeyring([BOB, ALICE]))
    assert opened.plaintext == PLAINTEXT


def test_recipients_of_unknown_kind_do_not_hinder() -> None:
    envelope = sealed()
    strange = {"kid": "M", "epk": {"PublicKeyECDH": {"crv": "P-256", "Public": "AAAA"}}, "wmk": "AAAA"}
    header = envelope.header | {"recipients": [strange, *envelope.header["recipients"]]}
    opened = open_envelope(replace(envelope, header=header), keyring=MemoryKeyring([ALICE]))
    assert opened.plaintext == PLAINTEXT


def flip(text: str) -> str:
    octets = bytearray(b64.decode(text))
    octets[len(octets) // 2] ^= 1
    return b64.encode(bytes(octets))


def signature_with(**changes: Any) -> Callable[[Envelope], Envelope]:
    def change(envelope: Envelope) -> Envelope:
        entry = dict(envelope.trailer["signatures"][0])
        for name, value in changes.items():
            entry[name] = value(entry[name]) if callable(value) else value
        return replace(envelope, trailer=envelope.trailer | {"signatures": [entry]})

    return change


def header_with(**changes: Any) -> Callable[[Envelope], Envelope]:
    return lambda envelope: replace(envelope, header=envelope.header | changes)


def wrong_wrap(envelope: Envelope) -> Envelope:
    entry = envelope.header["recipients"][0]
    return header_with(recipients=[entry | {"wmk": flip(entry["wmk"])}])(envelope)


@pytest.mark.parametrize(
    ("alter", "error"),
    [
        (lambda e: replace(e, body=e.body[:-1] + bytes([e.body[-1] ^ 1])), VerificationError),
        (
            lambda e: replace(e, trailer=e.trailer | {"PayloadDigest": b64.encode(bytes(64))}),
            VerificationError,
        ),
        (lambda e: replace(e, trailer=e.trailer | {"PayloadDigest": "AAAA"}), VerificationError),
        (lambda e: replace(e, trailer={}), VerificationError),
        (signature_with(signature=flip), VerificationError),
        (signature_with(witness=flip), VerificationError),
        (signature_with(alg="S256"), VerificationError),
        (wrong_wrap, KeyUnavailableError),
        (header_with(enc="A256GCM"), PolicyError),
        (header_with(dig="S256"), PolicyError),
        (header_with(Salt="AAAA"), EncodingError),
        (header_with(recipients=[{}] * 65), PolicyError),
        (header_with(recipients="x"), EncodingError),
        (header_with(recipients=[]), KeyUnavailableError),
        (header_with(annotations=["AA"] * 1025), PolicyError),
    ],
)
def test_alterations_are_refused(alter: Callable[[Envelope], Envelope], error: type[MeshError]) -> None:
    with pytest.raises(error):
        open_envelope(alter(sealed()), keyring=MemoryKeyring([ALICE]), signers=[SIGNER.public])


@pytest.mark.parametrize(
    "gone", [("enc",), ("enc", "Salt"), ("enc", "recipients"), ("enc", "Salt", "recipients")]
)
def test_a_body_is_not_taken_in_clear_that_was_encrypted(gone: tuple[str, ...]) -> None:
    envelope = sealed()
    header = {name: value for name, value in envelope.header.items() if name not in gone}
    with pytest.raises(VerificationError, match="how the body is encrypted"):
        open_envelope(replace(envelope, header=header), signers=[SIGNER.public])


def test_bodies_without_digest_are_opened_only_when_asked() -> None:
    bare = replace(sealed(signer=None), trailer={})
    with pytest.raises(VerificationError, match="no digest"):
        open_envelope(bare, keyring=MemoryKeyring([ALICE]))
    opened = open_envelope(bare, keyring=MemoryKeyring([ALICE]), require_digest=False)
    assert opened.plaintext == PLAINTEXT


def test_a_verified_signature_stands_for_the_digest() -> None:
    envelope = sealed()
    only_signed = replace(envelope, trailer={"signatures": envelope.trailer["signatures"]})
    opened = open_envelope(only_signed, keyring=MemoryKeyring([ALICE]), signers=[SIGNER.public])
    assert opened.signed_by == (SIGNER.public.udf,)


def test_small_order_ephemeral_key_is_refused() -> None:
    envelope = sealed(recipients=[BOB.public])
    entry = envelope.header["recipients"][0] | {"epk": PublicKey("X25519", bytes(32)).to_json()}
    with pytest.raises(MeshError):
        open_envelope(header_with(recipients=[entry])(envelope), keyring=MemoryKeyring([BOB]))


@pytest.mark.parametrize(
    "octets", [b"{}", b"[]", b"[{}", b"[1,2]", b'[{},"!"]', b'[{},"AA",7]', b"[{},7]", b'[{},"","",""]']
)
def test_malformed_envelopes_are_refused(octets: bytes) -> None:
    with pytest.raises(EncodingError):
        Envelope.from_bytes(octets)


def test_oversized_headers_are_refused() -> None:
    with pytest.raises(PolicyError, match="64 KiB"):
        Envelope.from_value([{"x": "y" * 70000}, ""])


def test_annotations() -> None:
    seed, salt = ENTROPY(32), ENTROPY(16)
    octets = edss.encode(edss.prefix(1), b"topic", seed, salt)
    assert edss.decode(octets, seed, salt) == (b"\x01", b"topic")
    assert edss.decode(edss.encode(b"\x00", b"clear")) == (b"\x00", b"clear")
    assert [edss.prefix(counter).hex() for counter in (0, 255, 256, 512)] == ["00", "ff", "0001", "0002"]
    for malformed in (b"\x88\x00", b"\x80\x00\x80\x00", b"\x88\x00" * 4):
        with pytest.raises(EncodingError):
            edss.decode(malformed)


def test_keys_of_different_salts_and_purposes_differ() -> None:
    seed = ENTROPY(32)
    salts = [bytes(16), bytes(15) + b"\x01", b"\x01" + bytes(16)]
    bodies = {protection.encrypt(seed, salt, bytes(16)) for salt in salts}
    assert len(bodies) == len(salts)
    assert protection.frame_mac_key(seed) not in bodies
