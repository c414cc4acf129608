"""Reading and writing: names, kinds of members, tags, unknown members."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import jsonbcd
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError
from mathmesh.schema import (
    AccessCapability,
    AccountHostAssignment,
    CatalogedAccess,
    CatalogedDevice,
    CatalogedNetwork,
    ConnectionDevice,
    GenericObject,
    HubExtension,
    KeyData,
    MessageClaim,
    MessageComplete,
    ProfileUser,
    Reference,
    RespondConnection,
    parse,
)

KEY = {"PublicKeyECDH": {"crv": "X448", "Public": "AAEC"}}


def test_members_have_their_wire_names_and_forms() -> None:
    device = CatalogedDevice(
        local_name="lamp",
        labels=(),
        updated=datetime(2025, 1, 2, tzinfo=UTC),
        enveloped_profile_user=Envelope({"dig": "S512"}, b"\x00\x01"),
        mesh_hub=HubExtension(room="kitchen"),
    )
    assert device.to_json() == {
        "CatalogedDevice": {
            "Labels": [],
            "LocalName": "lamp",
            "Updated": "2025-01-02T00:00:00Z",
            "EnvelopedProfileUser": [{"dig": "S512"}, "AAE"],
            "MeshHub": {"Room": "kitchen"},
        }
    }


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (KeyData(udf="M", x509_csr=b"\x00"), {"Udf": "M", "X509CSR": "AA"}),
        (KeyData(x509_chain=(b"\x00", b"\x01")), {"X509Chain": ["AA", "AQ"]}),
        (AccountHostAssignment(account_addess="a@b"), {"AccountAddess": "a@b"}),
        (MessageClaim(device_proof=b"\xff", claimant_udf="M"), {"ClaimantUdf": "M", "DeviceProof": "_w"}),
        (AccessCapability(id="M", active=False, issued=3), {"Id": "M", "Active": False, "Issued": 3}),
        (MessageComplete(references=(Reference(message_id="N"),)), {"References": [{"MessageId": "N"}]}),
    ],
)
def test_single_members(item: Any, expected: dict[str, Any]) -> None:
    assert item.write() == expected
    assert type(item).read(expected) == item


def test_a_tagged_member_is_tagged_and_a_typed_one_is_not() -> None:
    access = CatalogedAccess(capability=AccessCapability(id="M"))
    assert access.to_json() == {"CatalogedAccess": {"Capability": {"AccessCapability": {"Id": "M"}}}}
    respond = RespondConnection(cataloged_device=CatalogedDevice(udf="M"))
    assert respond.to_json() == {"RespondConnection": {"CatalogedDevice": {"Udf": "M"}}}
    assert parse(access.to_json()) == access
    assert parse(respond.to_json()) == respond


def test_an_unknown_capability_keeps_its_tag_and_members() -> None:
    tree = {"CatalogedAccess": {"Capability": {"CapabilityNew": {"Id": "M", "X": [1, {"Y": None}]}}}}
    access = CatalogedAccess.decode(tree)
    assert isinstance(access.capability, GenericObject)
    assert access.to_json() == tree


def test_unknown_members_survive_at_every_depth() -> None:
    tree = {
        "ProfileUser": {
            "Novel": {"Deep": [1, 2]},
            "AccountAddress": "a@b",
            "ProfileSignature": {"Udf": "M", "PublicParameters": KEY, "Shape": "round"},
        }
    }
    assert ProfileUser.decode(jsonbcd.dumps(tree)).to_json() == tree


def test_a_null_member_is_an_absent_one() -> None:
    assert CatalogedNetwork.decode({"CatalogedNetwork": {"Service": None, "Uid": "u"}}).write() == {
        "Uid": "u"
    }


def test_an_object_of_another_type_is_generic() -> None:
    found = parse(b'{"CatalogedRecipe":{"Name":"soup","Steps":[]}}')
    assert found.tag == "CatalogedRecipe"
    assert found.encode() == b'{"CatalogedRecipe":{"Name":"soup","Steps":[]}}'


def test_json_b_holds_octets_as_octets() -> None:
    connection = ConnectionDevice(roles=("device",), signature=KeyData(udf="M", public_parameters=KEY))
    octets = connection.encode_json_b()
    assert b"\x88\x03\x00\x01\x02" in octets
    assert ConnectionDevice.decode(octets) == connection
    assert parse(octets) == connection


def test_raw_line_feeds_are_read_on_demand_only() -> None:
    octets = b'{"CatalogedNetwork":{"Service":"a\n  b"}}'
    assert CatalogedNetwork.decode(octets, tolerant=True).service == "a\n  b"
    with pytest.raises(EncodingError):
        CatalogedNetwork.decode(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b"[]",
        b"{}",
        b'{"ProfileUser":{},"ProfileDevice":{}}',
        b'{"ProfileUser":[]}',
        b'{"ProfileUser":{"AccountAddress":7}}',
        b'{"ProfileUser":{"ProfileSignature":"M"}}',
        b'{"ProfileUser":{"Names":"one"}}',
        b'{"ProfileUser":{"Updated":"yesterday"}}',
        b'{"ProfileUser":{"AccountAddress":"a@b","AccountAddress":"c@d"}}',
        b'{"AccessCapability":{"Active":1}}',
        b'{"AccessCapability":{"Issued":true}}',
        b'{"CatalogedAccess":{"Capability":{"A":{},"B":{}}}}',
        b'{"CatalogedDevice":{"EnvelopedProfileUser":"text"}}',
        b'{"MessageClaim":{"DeviceProof":"?"}}',
        b'{"CatalogedDevice":{"MeshHub":{"Description":"lamp"}}}',
    ],
)
def test_malformed_objects_are_refused(octets: bytes) -> None:
    with pytest.raises(EncodingError):
        parse(octets)


def test_an_error_names_the_member() -> None:
    with pytest.raises(EncodingError, match=r"RespondConnection\.CatalogedDevice: CatalogedDevice\.Udf"):
        parse(b'{"RespondConnection":{"CatalogedDevice":{"Udf":1}}}')


def test_decode_wants_its_own_type() -> None:
    with pytest.raises(EncodingError, match="expected ProfileUser, found CatalogedNetwork"):
        ProfileUser.decode(b'{"CatalogedNetwork":{}}')


_TEXT = st.text(max_size=20)
_JSON = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(_TEXT, _TEXT, st.binary(max_size=40), st.dictionaries(st.text("xyz", min_size=1), _JSON, max_size=4))
def test_what_is_written_is_read_again(
    service: str, sender: str, proof: bytes, unknown: dict[str, Any]
) -> None:
    for item in (
        CatalogedNetwork(service=service, unknown=unknown),
        MessageClaim(sender=sender, device_proof=proof, unknown=unknown),
    ):
        assert parse(item.encode()) == item
        assert parse(item.encode_json_b()) == item
