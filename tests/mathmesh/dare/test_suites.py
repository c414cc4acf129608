"""Several signers and recipients of every kind, cloaked headers, annotations, and what is off by default."""

import random
from dataclasses import replace
from typing import Any

import pytest

from mathmesh.codec import b64
from mathmesh.dare import edss, exchange, signature
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, open_envelope, seal
from mathmesh.dare.exchange import HybridKeyring
from mathmesh.dare.suites import A256GCM, HYBRID, INTEROPERABLE, OWN, S256
from mathmesh.errors import (
    EncodingError,
    KeyUnavailableError,
    LocalProtocolError,
    MeshError,
    PolicyError,
    VerificationError,
)
from mathmesh.keys import edwards
from mathmesh.keys.hybrid import HybridPrivateKey, HybridPublicKey
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey, PublicKey, generate

ENTROPY = random.Random("suites").randbytes
KEYS = {crv: generate(crv, ENTROPY) for crv in ("X25519", "X448", "Ed25519", "Ed448")}
QUANTUM = HybridPrivateKey.generate(ENTROPY)
PLAINTEXT = b"what is sealed " * 5
CLOAKED = {"ContentMetaData": b64.encode(ContentMeta(filename="secret.txt").encode())}


def sealed(**options: Any) -> Envelope:
    return seal(PLAINTEXT, entropy=ENTROPY, **({"recipients": [KEYS["X448"].public]} | options))


@pytest.mark.parametrize("crv", KEYS)
def test_recipients_of_every_curve(crv: str) -> None:
    envelope = sealed(recipients=[key.public for key in KEYS.values()])
    assert open_envelope(envelope, keyring=MemoryKeyring([KEYS[crv]])).plaintext == PLAINTEXT
    with pytest.raises(KeyUnavailableError):
        open_envelope(envelope, keyring=MemoryKeyring([generate(crv, ENTROPY)]))


def test_agreement_of_signature_keys() -> None:
    for crv in ("Ed25519", "Ed448"):
        other = generate(crv, ENTROPY)
        shared = exchange.agree(KEYS[crv], other.public)
        assert shared == exchange.agree(other, KEYS[crv].public)
        assert len(shared) == len(other.public.octets)
    small = PublicKey("Ed25519", bytes([1]) + bytes(31))
    with pytest.raises(VerificationError, match="prime order"):
        exchange.agree(KEYS["Ed25519"], small)
    with pytest.raises(LocalProtocolError):
        exchange.agree(KEYS["Ed25519"], KEYS["X448"].public)


def test_one_bad_entry_does_not_keep_the_others_from_opening() -> None:
    envelope = sealed(recipients=[KEYS["X25519"].public, KEYS["X448"].public])
    first, second = envelope.header["recipients"]
    bad = first | {"epk": PublicKey("X25519", bytes(32)).to_json()}
    altered = replace(envelope, header=envelope.header | {"recipients": [bad, second]})
    assert open_envelope(altered, keyring=MemoryKeyring(KEYS.values())).plaintext == PLAINTEXT


def test_several_signers() -> None:
    one, two = KEYS["Ed448"], KEYS["Ed25519"]
    envelope = sealed(signer=one, signers=[two])
    keyring = MemoryKeyring([KEYS["X448"]])
    opened = open_envelope(envelope, keyring=keyring, signers=[one.public, two.public])
    assert opened.signed_by == (one.public.udf, two.public.udf)
    opened = open_envelope(envelope, keyring=keyring, signers=[two.public], require_signature=True)
    assert (opened.signed_by, opened.unverified) == ((two.public.udf,), (one.public.udf,))
    entries = [dict(entry) for entry in envelope.trailer["signatures"]]
    entries[1]["signature"] = entries[0]["signature"]
    altered = replace(envelope, trailer=envelope.trailer | {"signatures": entries})
    with pytest.raises(VerificationError):
        open_envelope(altered, keyring=keyring, signers=[one.public, two.public])


def context_signature(key: PrivateKey, message: bytes) -> bytes:
    """As the published reference signs: dom2 of the empty context in front of what is hashed."""
    order = 2**252 + 27742317777372353535851937790883648493
    r = int.from_bytes(edwards.digest("Ed25519", edwards.DOM2, b"nonce" * 8, message), "little") % order
    commitment = edwards.base_point("Ed25519", r)
    hashed = edwards.digest("Ed25519", edwards.DOM2, commitment, key.public.octets, message)
    answer = (r + int.from_bytes(hashed, "little") * key.scalar) % order
    return commitment + answer.to_bytes(32, "little")


def test_the_context_form_of_ed25519_is_read() -> None:
    key, digest = KEYS["Ed25519"], bytes(range(64))
    made = context_signature(key, digest)
    signature.verify(key.public, made, digest)
    signature.verify(key.public, key.sign(digest, ENTROPY), digest)
    with pytest.raises(VerificationError):
        key.public.verify(made, digest)
    order = 2**252 + 27742317777372353535851937790883648493
    twin = made[:32] + (int.from_bytes(made[32:], "little") + order).to_bytes(32, "little")
    for wrong in (made[:-1], made + b"\0", bytes(64), twin, bytes([made[0] ^ 1]) + made[1:]):
        with pytest.raises(VerificationError):
            signature.verify(key.public, wrong, digest)
    with pytest.raises(VerificationError):
        signature.verify(key.public, made, digest[:-1] + b"\0")
    with pytest.raises(VerificationError):
        signature.verify(generate("Ed25519", ENTROPY).public, made, digest)


@pytest.mark.parametrize(
    ("options", "name"),
    [({"enc": A256GCM}, "A256GCM"), ({"dig": S256}, "S256"), ({"recipients": [QUANTUM.public]}, HYBRID)],
)
def test_what_is_off_by_default(options: dict[str, Any], name: str) -> None:
    with pytest.raises(PolicyError, match=name):
        sealed(**options)
    envelope = sealed(**options, suites=OWN, signer=KEYS["Ed448"])
    keyring = HybridKeyring([QUANTUM], [KEYS["X448"]])
    signers = [KEYS["Ed448"].public]
    opened = open_envelope(envelope, keyring=keyring, suites=OWN, signers=signers, require_signature=True)
    assert opened.plaintext == PLAINTEXT
    if name != HYBRID:
        with pytest.raises(PolicyError, match=name):
            open_envelope(envelope, keyring=keyring)


def test_unknown_algorithms_are_never_replaced() -> None:
    for suites in (INTEROPERABLE, OWN):
        for options in ({"enc": "A128CBC"}, {"dig": "S384"}):
            with pytest.raises(PolicyError):
                sealed(**options, suites=suites)
        for named in ([], ["S512"], {"a": 1}, 7):
            with pytest.raises(PolicyError):
                suites.digest(named)
            with pytest.raises(PolicyError):
                suites.encryption(named)
    with pytest.raises(PolicyError, match="leave them out"):
        sealed(enc="none")


def test_gcm_refuses_altered_bodies_and_needs_no_digest_to_do_so() -> None:
    envelope = sealed(enc=A256GCM, suites=OWN)
    body = envelope.body[:-1] + bytes([envelope.body[-1] ^ 1])
    with pytest.raises(VerificationError):
        open_envelope(
            replace(envelope, body=body, trailer={}),
            keyring=MemoryKeyring([KEYS["X448"]]),
            suites=OWN,
            require_digest=False,
        )


def test_hybrid_keys() -> None:
    public = QUANTUM.public
    assert HybridPrivateKey.from_json(QUANTUM.to_json()).public == public
    assert HybridPublicKey.from_json(public.to_json()) == public
    secret, ciphertext, ephemeral = public.encapsulate(ENTROPY)
    assert QUANTUM.decapsulate(ciphertext, ephemeral) == secret
    other = generate("X448", ENTROPY).public
    assert QUANTUM.decapsulate(ciphertext, other) != secret
    assert QUANTUM.decapsulate(bytes([ciphertext[0] ^ 1]) + ciphertext[1:], ephemeral) != secret
    with pytest.raises(VerificationError):
        QUANTUM.decapsulate(ciphertext[:-1], ephemeral)
    for octets in (public.octets[:-1], public.octets + b"\0"):
        with pytest.raises(EncodingError):
            HybridPublicKey(octets)
    for value in ({}, {"PublicKeyHybrid": {}}, {"PublicKeyHybrid": {"alg": HYBRID}}):
        with pytest.raises(EncodingError):
            HybridPublicKey.from_json(value)
    with pytest.raises(EncodingError):
        HybridPrivateKey(bytes(31))
    assert "seed" not in repr(QUANTUM)


def test_hybrid_entries_open_under_their_key_only() -> None:
    envelope = sealed(recipients=[QUANTUM.public, KEYS["X448"].public], suites=OWN)
    assert open_envelope(envelope, keyring=MemoryKeyring([KEYS["X448"]])).plaintext == PLAINTEXT
    assert open_envelope(envelope, keyring=HybridKeyring([QUANTUM])).plaintext == PLAINTEXT
    with pytest.raises(KeyUnavailableError):
        open_envelope(envelope, keyring=HybridKeyring([HybridPrivateKey.generate(ENTROPY)]))
    entry = envelope.header["recipients"][0]
    for change in ({"kem": "AAAA"}, {"epk": KEYS["X25519"].public.to_json()}):
        header = envelope.header | {"recipients": [entry | change]}
        with pytest.raises(KeyUnavailableError):
            open_envelope(replace(envelope, header=header), keyring=HybridKeyring([QUANTUM]))
    for form in (envelope.to_json(), envelope.to_json_b(), envelope.to_stream()):
        assert Envelope.from_bytes(form) == envelope


def test_cloaked_members_and_annotations() -> None:
    visible = ContentMeta(filename="shown.txt")
    for options in ({}, {"enc": A256GCM, "suites": OWN}):
        envelope = sealed(content_meta=visible, cloaked=CLOAKED, annotations=[b"a", b"bb"], **options)
        assert envelope.content_meta == visible
        assert b"secret" not in envelope.to_json_b()
        opened = open_envelope(envelope, keyring=MemoryKeyring([KEYS["X448"]]), suites=OWN)
        assert opened.content_meta.filename == "secret.txt"
        assert opened.annotations == (b"a", b"bb")
        assert opened.header["Salt"] == envelope.header["Salt"]
    clear = seal(PLAINTEXT, entropy=ENTROPY, annotations=[b"a", b"bb"])
    assert edss.decode(b64.decode(clear.header["annotations"][0])) == (b"\x00", b"a")
    assert open_envelope(clear).annotations == (b"a", b"bb")


def test_cloaks_have_limits() -> None:
    with pytest.raises(PolicyError, match="without encryption"):
        seal(PLAINTEXT, entropy=ENTROPY, cloaked=CLOAKED)
    for member in ("Salt", "recipients", "PayloadDigest", "SequenceInfo"):
        with pytest.raises(LocalProtocolError):
            sealed(cloaked={member: "x"})
    with pytest.raises(PolicyError, match="1024"):
        sealed(annotations=[b""] * 1025)


def test_altered_annotations_and_cloaks_are_refused() -> None:
    envelope = sealed(cloaked=CLOAKED, annotations=[b"a", b"b"])
    keyring = MemoryKeyring([KEYS["X448"]])
    first = envelope.header["annotations"][0]
    foreign = sealed(annotations=[b"x"]).header["annotations"][0]
    changes: list[dict[str, Any]] = [
        {"annotations": [first, first]},
        {"annotations": [foreign]},
        {"annotations": [7]},
        {"annotations": ["AAAA"]},
        {"cloaked": first},
        {"cloaked": "AAAA"},
    ]
    for change in changes:
        with pytest.raises(MeshError):
            open_envelope(replace(envelope, header=envelope.header | change), keyring=keyring)
