import os
from typing import Any

import pytest

from mathmesh.codec import b64
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import algorithms
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from mathmesh.schema import KeyData
from mathmesh.threshold import split
from mathmesh.threshold.key_share import KeyShare

CURVES = list(algorithms.CURVES)


def share_of(crv: str) -> KeyShare:
    key = generate(crv, os.urandom)
    half, _ = split.direct(key, 2, os.urandom)
    return KeyShare(public_primary=key.public, share=half, service_address="kitchen@example.net")


@pytest.mark.parametrize("crv", CURVES)
def test_shape(crv: str) -> None:
    share = share_of(crv)
    data = share.to_key_data()
    assert data["Udf"] == share.public_primary.udf
    members = data["PrivateParameters"]["KeyShare"]
    assert members["PublicPrimary"] == share.public_primary.to_json()
    assert members["ServiceAddress"] == "kitchen@example.net"
    assert "ServiceId" not in members
    written = members["Share"]["PrivateKeyECDH"]
    assert written["crv"] == crv + "z"
    assert len(b64.decode(written["Private"])) == {"X25519": 32, "X448": 56, "Ed25519": 32, "Ed448": 56}[crv]
    assert KeyShare.from_key_data(data) == share
    assert KeyShare.from_json(share.to_json()).key_id == PublicKey(crv, share.share.signed_public).udf


def test_service_id_is_kept() -> None:
    key = generate("X448", os.urandom)
    share = KeyShare(public_primary=key.public, share=key, service_id="MDNA-AAAA")
    assert KeyShare.from_json(share.to_json()).service_id == "MDNA-AAAA"


def test_share_from_a_seed_is_written_as_its_scalar() -> None:
    key = generate("X448", os.urandom)
    written = KeyShare(public_primary=key.public, share=key).to_json()["KeyShare"]["Share"]["PrivateKeyECDH"]
    assert written["crv"] == "X448z"
    read = KeyShare.from_json(KeyShare(public_primary=key.public, share=key).to_json())
    assert read.share.public == key.public


@pytest.mark.parametrize("crv", ["Ed25519", "Ed448"])
@pytest.mark.parametrize("octets", [1, 20, 57, 64])
def test_scalars_of_any_length_are_read_and_written_at_full_length(crv: str, octets: int) -> None:
    share = share_of(crv).to_json()
    scalar = (7).to_bytes(octets, "little")
    share["KeyShare"]["Share"]["PrivateKeyECDH"]["Private"] = b64.encode(scalar)
    read = KeyShare.from_json(share)
    assert read.share == PrivateKey.from_scalar(crv, 7)
    written = read.to_json()["KeyShare"]["Share"]["PrivateKeyECDH"]["Private"]
    assert b64.decode(written) == (7).to_bytes(algorithms.curve(crv).scalar_size, "little")


def test_lives_in_key_data_of_the_schema() -> None:
    share = share_of("X448")
    data = KeyData(udf=share.public_primary.udf, private_parameters=share.to_json())
    assert data.write() == share.to_key_data()
    assert KeyShare.from_key_data(data.write()) == share


def test_share_of_another_key_is_refused() -> None:
    one, two = share_of("X448"), share_of("X448")
    data = {**one.to_key_data(), "Udf": two.public_primary.udf}
    with pytest.raises(VerificationError, match="under the name of another"):
        KeyShare.from_key_data(data)
    with pytest.raises(EncodingError):
        KeyShare(public_primary=one.public_primary, share=generate("Ed448", os.urandom))


def drop(name: str) -> Any:
    def change(members: dict[str, Any]) -> None:
        del members[name]

    return change


def put(name: str, value: object) -> Any:
    def change(members: dict[str, Any]) -> None:
        members[name] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        drop("PublicPrimary"),
        drop("Share"),
        put("Share", "text"),
        put("ServiceAddress", 5),
        put("ServiceId", []),
        put("Share", {"PrivateKeyECDH": {"crv": "X448z", "Private": ""}}),
        put("Share", {"PrivateKeyECDH": {"crv": "Ed448z", "Private": "BQ"}}),
    ],
)
def test_malformed_shares_are_refused(change: Any) -> None:
    value = share_of("X448").to_json()
    change(value["KeyShare"])
    with pytest.raises(EncodingError):
        KeyShare.from_json(value)


def test_no_secret_is_shown() -> None:
    share = share_of("X448")
    assert str(share.share.scalar) not in repr(share)
