import os

import pytest

from mathmesh.codec import b64
from mathmesh.errors import EncodingError, PolicyError, RemoteProtocolError, VerificationError
from mathmesh.keys import algorithms
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from mathmesh.threshold import split
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.key_share import KeyShare
from mathmesh.threshold.operate import KeyAgreementOperation, KeyAgreementResult
from mathmesh.threshold.point import Point

# draft-hallambaker-mesh-protocol, example of the Operate transaction.
OPERATION = {
    "CryptographicOperationKeyAgreement": {
        "KeyId": "MCF2-77X7-Q5FS-DJG7-4HCE-ZHNT-QSTM",
        "PublicKey": {
            "PublicKeyECDH": {
                "crv": "X448",
                "Public": "6g--3_5bty8vg41b8tK08-nFeUNObahnomLL1LN43yLrNcYXCsJmYTjiMYFGBU5kZXl-vYLFOf-A",
            }
        },
    }
}
RESULT = {
    "CryptographicResultKeyAgreement": {
        "KeyAgreement": {
            "KeyAgreementECDH": {
                "Curve": "X448",
                "Result": "briigu6GI6-NODNwIQC47od8lyTFDvQ3kW1F-ghZ8_I1gR7WUbeNaMh_1Rik89qVajPB6PwFIVaA",
            }
        }
    }
}


def signed(key: PrivateKey) -> PublicKey:
    return PublicKey(key.crv, key.signed_public)


def test_published_shapes() -> None:
    assert KeyAgreementOperation.from_json(OPERATION).to_json() == OPERATION
    assert KeyAgreementResult.from_json(RESULT).to_json() == RESULT


@pytest.mark.parametrize("crv", ["X448", "X25519"])
def test_device_and_service_agree_over_the_wire(crv: str) -> None:
    key, ephemeral = generate(crv, os.urandom), generate(crv, os.urandom)
    device, served = (
        KeyShare(public_primary=key.public, share=half) for half in split.direct(key, 2, os.urandom)
    )
    operation = KeyAgreementOperation(key_id=device.key_id, public_key=signed(ephemeral))
    asked = KeyAgreementOperation.from_json(operation.to_json())
    assert asked == operation
    answer = KeyAgreementResult.from_json(asked.perform(ShareAgreement(served.share)).to_json())
    own = ShareAgreement(device.share).partial(Point.decode(crv, ephemeral.signed_public))
    assert answer.complete(own) == key.agree(ephemeral.public)
    assert answer.complete(answer.point or own) != key.agree(ephemeral.public)


def test_quorum_over_the_wire() -> None:
    key, ephemeral = generate("X448", os.urandom), generate("X448", os.urandom)
    first, _, third = split.quorate(key, 2, 3, os.urandom)
    operation = KeyAgreementOperation(
        key_id=third.key.public.udf, public_key=ephemeral.public, key_coefficient=third.coefficient([1, 3])
    )
    sent = operation.to_json()
    assert len(b64.decode(sent["CryptographicOperationKeyAgreement"]["KeyCoefficient"])) == 56
    asked = KeyAgreementOperation.from_json(sent)
    assert asked == operation
    answer = asked.perform(ShareAgreement(third.key))
    own = ShareAgreement(first.key, first.coefficient([1, 3])).partial(
        Point.decode("X448", ephemeral.public.octets)
    )
    assert answer.complete(own) == key.agree(ephemeral.public)


def test_refusals_of_the_service() -> None:
    key = generate("X448", os.urandom)
    share = ShareAgreement(key)

    def ask(public: PublicKey, coefficient: int | None = None) -> KeyAgreementResult:
        return KeyAgreementOperation(
            key_id=key.public.udf, public_key=public, key_coefficient=coefficient
        ).perform(share)

    with pytest.raises(EncodingError, match="sign"):
        ask(PublicKey("X448", key.public.u))
    with pytest.raises(VerificationError):
        ask(PublicKey("X448", bytes(57)))
    with pytest.raises(PolicyError):
        ask(signed(generate("X25519", os.urandom)))
    for zero in (0, algorithms.X448.order):
        with pytest.raises(EncodingError, match="zero"):
            ask(key.public, zero)


def test_a_refusal_is_told_to_the_client() -> None:
    refused = KeyAgreementResult(error="the capability is not active")
    assert refused.to_json() == {"CryptographicResultKeyAgreement": {"Error": "the capability is not active"}}
    read = KeyAgreementResult.from_json(refused.to_json())
    point = Point.decode("X448", generate("X448", os.urandom).signed_public)
    with pytest.raises(RemoteProtocolError, match="not active"):
        read.complete(point)


def test_answers_that_do_not_fit() -> None:
    point = Point.decode("X448", generate("X448", os.urandom).signed_public)
    other = Point.decode("X25519", generate("X25519", os.urandom).signed_public)
    with pytest.raises(RemoteProtocolError):
        KeyAgreementResult(point=other).complete(point)
    p = 2**448 - 2**224 - 1
    opposite = Point(crv="X448", first=point.first, second=p - point.second)
    with pytest.raises(VerificationError, match="cancel"):
        KeyAgreementResult(point=opposite).complete(point)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"CryptographicOperationKeyAgreement": []},
        {"CryptographicOperationKeyAgreement": {"PublicKey": {}}},
        {"CryptographicOperationKeyAgreement": {"KeyId": "M"}},
        {
            "CryptographicOperationKeyAgreement": {
                **OPERATION["CryptographicOperationKeyAgreement"],
                "KeyCoefficient": 5,
            }
        },
    ],
)
def test_malformed_operations(value: dict[str, object]) -> None:
    with pytest.raises(EncodingError):
        KeyAgreementOperation.from_json(value)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"KeyAgreement": {}},
        {"KeyAgreement": {"KeyAgreementECDH": {"Curve": "X448"}}},
        {"KeyAgreement": {"KeyAgreementECDH": {"Result": "AA"}}},
        {"KeyAgreement": {"KeyAgreementECDH": {"Curve": "X448", "Result": "AA"}}},
        {"KeyAgreement": {"KeyAgreementECDH": {"Curve": "P256", "Result": "AA"}}},
    ],
)
def test_malformed_results(members: dict[str, object]) -> None:
    with pytest.raises(EncodingError):
        KeyAgreementResult.from_json({"CryptographicResultKeyAgreement": members})


def test_result_off_the_curve_is_refused() -> None:
    octets, refused = bytearray(generate("X448", os.urandom).signed_public), 0
    for value in range(40):
        octets[7] = value
        agreed = {"KeyAgreementECDH": {"Curve": "X448", "Result": b64.encode(bytes(octets))}}
        try:
            KeyAgreementResult.from_json({"CryptographicResultKeyAgreement": {"KeyAgreement": agreed}})
        except VerificationError:
            refused += 1
    assert 5 < refused < 35
