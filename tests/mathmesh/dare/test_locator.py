import dataclasses
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import b64, jsonbcd, udf
from mathmesh.dare import protection
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.dare.locator import keys_in, open_located, seal_located
from mathmesh.errors import (
    EncodingError,
    KeyUnavailableError,
    LocalProtocolError,
    MeshError,
    PolicyError,
    VerificationError,
)
from mathmesh.keys import earl, symmetric
from mathmesh.keys.pair import PrivateKey, generate

KEY = udf.text(udf.ENCRYPTION, bytes(range(15)))
OTHER = udf.text(udf.ENCRYPTION, bytes(range(1, 16)))
CONTACT = PrivateKey.from_seed("Ed448", bytes(range(56)))
CONTACT_KEY = earl.contact_key(CONTACT.public)
CONTACT_TEXT = jsonbcd.dumps({"ContactPerson": {"Key": CONTACT.public.to_json()}})


@given(st.binary(max_size=200), st.sampled_from([15, 16, 32]))
@settings(max_examples=15, deadline=None)
def test_round_trip(content: bytes, octets: int) -> None:
    key = symmetric.new_key(os.urandom, octets)
    sealed = seal_located(content, key, entropy=os.urandom, content_meta=ContentMeta(cty="text/plain"))
    assert sealed.envelope_id == earl.content_id(key)
    found = open_located(Envelope.from_bytes(sealed.to_json()), key)
    assert (found.content, found.authenticated, found.content_meta.cty) == (content, True, "text/plain")


def test_another_key_opens_nothing() -> None:
    sealed = seal_located(b"content", KEY, entropy=os.urandom)
    with pytest.raises(KeyUnavailableError):
        open_located(sealed, OTHER)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (udf.text(udf.ENCRYPTION, bytes(14)), PolicyError),
        (symmetric.key_id(bytes(16)), EncodingError),
        (udf.text(udf.MAC, bytes(16)), EncodingError),
    ],
)
def test_what_is_no_key(key: str, error: type[MeshError]) -> None:
    with pytest.raises(error):
        seal_located(b"", key, entropy=os.urandom)


def test_every_bit_of_the_envelope_that_matters() -> None:
    """The server alters the body, recomputes the digest, and cannot forge the signature of the key."""
    sealed = seal_located(b"pay 100 to the bearer of this", KEY, entropy=os.urandom)
    for position in range(0, 8 * len(sealed.body), 5):
        number = int.from_bytes(sealed.body, "big") ^ 1 << position
        body = number.to_bytes(len(sealed.body), "big")
        digest = b64.encode(protection.payload_digest(body))
        trailer = sealed.trailer | {"PayloadDigest": digest}
        for altered in (
            dataclasses.replace(sealed, body=body),
            dataclasses.replace(sealed, body=body, trailer=trailer),
            Envelope(sealed.header, body, {"PayloadDigest": digest}),
        ):
            with pytest.raises(VerificationError):
                open_located(altered, KEY)


def test_another_salt_is_noticed_although_no_signature_covers_it() -> None:
    sealed = seal_located(b"content", KEY, entropy=os.urandom)
    for _ in range(20):
        header = sealed.header | {"Salt": b64.encode(os.urandom(16))}
        with pytest.raises(VerificationError):
            open_located(dataclasses.replace(sealed, header=header), KEY)
    entry = {name: value for name, value in sealed.trailer["signatures"][0].items() if name != "witness"}
    without = dataclasses.replace(sealed, trailer=sealed.trailer | {"signatures": [entry]})
    with pytest.raises(VerificationError):
        open_located(without, KEY)


def test_content_of_others_is_given_on_demand_only() -> None:
    plain = seal(b"content", entropy=os.urandom, symmetric=[symmetric.secret(KEY)])
    with pytest.raises(VerificationError, match="not authenticated"):
        open_located(plain, KEY)
    found = open_located(plain, KEY, require_authentication=False)
    assert (found.content, found.authenticated) == (b"content", False)


def test_contact() -> None:
    sealed = seal_located(CONTACT_TEXT, CONTACT_KEY, entropy=os.urandom, signer=CONTACT)
    assert CONTACT_KEY[:2] in ("EE", "EF", "EG", "EH")
    found = open_located(sealed, CONTACT_KEY)
    assert (found.content, found.signer) == (CONTACT_TEXT, CONTACT.public)


def test_contact_signed_by_another_key() -> None:
    thief = generate("Ed448", os.urandom)
    for signer in (thief, None):
        with pytest.raises(LocalProtocolError):
            seal_located(CONTACT_TEXT, CONTACT_KEY, entropy=os.urandom, signer=signer)
    for signer in (thief, None):
        secret = symmetric.secret(CONTACT_KEY)
        forged = seal(CONTACT_TEXT, entropy=os.urandom, symmetric=[secret], signer=signer)
        for signers in ([], [thief.public, CONTACT.public]):
            with pytest.raises(VerificationError):
                open_located(forged, CONTACT_KEY, signers=signers, require_authentication=False)


def test_contact_whose_key_comes_from_elsewhere() -> None:
    sealed = seal_located(b"no JSON", CONTACT_KEY, entropy=os.urandom, signer=CONTACT)
    with pytest.raises(VerificationError):
        open_located(sealed, CONTACT_KEY)
    assert open_located(sealed, CONTACT_KEY, signers=[CONTACT.public]).signer == CONTACT.public


def test_keys_inside_envelopes_are_found() -> None:
    inner = Envelope({}, CONTACT_TEXT)
    nested = {"Anchors": [{"EnvelopedProfileAccount": inner.to_value()}, {"PublicKeyECDH": {"crv": "none"}}]}
    assert list(keys_in(jsonbcd.dumps(nested))) == [CONTACT.public]
    value: object = inner.to_value()
    for _ in range(5):
        value = Envelope({}, jsonbcd.dumps(value)).to_value()
    assert list(keys_in(jsonbcd.dumps(value))) == []
    assert list(keys_in(b"no JSON")) == []
