"""What the builders make, beyond what verification asks."""

from typing import Any

import pytest

from mathmesh.codec import b64, jsonbcd, udf
from mathmesh.dare.envelope import Envelope, open_envelope
from mathmesh.errors import EncodingError, LocalProtocolError, PolicyError
from mathmesh.keys import derive, ids
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.schema import (
    AccessCapability,
    ActivationAccount,
    CatalogedDevice,
    DevicePreconfigurationPrivate,
    MessageComplete,
    NullCapability,
    Reference,
    RespondConnection,
    parse,
    verify_connection_device,
    verify_connection_service,
    verify_profile_user,
)
from mathmesh.schema.build import (
    adopt_activation,
    enveloped,
    make_access_capability,
    make_activation_common,
    make_cataloged_device,
    make_message_complete,
    make_null_capability,
    make_preconfiguration_private,
    make_profile_device,
    make_profile_service,
    make_profile_user,
    make_respond_connection,
)

ALICE_SEED = "ZAAQ-FKAT-PL72-4IHW-GIKY-IG5T-2IJG-JHC2-PMI7-44XR-HSBH-TKZI-WPNZ-F2XT"
COFFEE_SEED = "ZAAQ-AHCC-PWZG-EQXO-M4QM-OYWT-HDPG-DQ3D-HMIG-ABHP-LED2-KPAG-LOTB-QMJ7"
SERVICE_UDF = "MD3P-ALTL-T6I4-U6ER-O4ZD-5AP5-J6SO"


def test_the_published_account_follows_from_its_seed(world: Any) -> None:
    envelope = make_profile_user(ALICE_SEED, "Alice@Example.com", SERVICE_UDF, world.now)
    profile = verify_profile_user(envelope)
    assert profile.account_address == "alice@example.com"
    assert profile.service_udf == SERVICE_UDF
    names = {
        "profile_signature": "MARP-HH6B-D2JW-WLQ6-RWPQ-2SLS-AI2V",
        "escrow_encryption": "MAND-BKQ3-XXGY-AYTS-L7VX-OOHW-HT7P",
        "administrator_signature": "MAJ5-HQAF-XXGK-W6BW-EGH3-ELNH-EQ7I",
        "common_encryption": "MASL-5B72-3K3B-PKQR-MGHP-L5QP-MVOA",
        "common_authentication": "MA76-DK4C-DZFG-CAVP-YCTU-X6O5-ZU5M",
        "common_signature": "MDWZ-36RF-622V-XT6X-O6KB-3S5J-4JE3",
    }
    assert {name: getattr(profile, name).udf for name in names} == names


def test_the_published_device_follows_from_its_seed(world: Any) -> None:
    envelope = make_profile_device(COFFEE_SEED, world.now, description="coffee pot")
    assert envelope.envelope_id == "MBYN-VC7T-AIEX-KCK2-WQLP-4B52-3GWY"
    tree: Any = jsonbcd.loads(envelope.body)
    members = tree["ProfileDevice"]
    assert members["Description"] == "coffee pot"
    assert members["Encryption"]["Udf"] == "MD7T-7PDV-DH4R-OE4A-SICS-7GW6-UYYR"
    assert members["Authentication"]["Udf"] == "MAE5-BQ6L-VWWB-75GT-FPMM-VBON-3EDZ"
    assert b"Private" not in envelope.body


def test_a_seed_of_another_type_is_refused(world: Any) -> None:
    for make in (
        lambda: make_profile_device(ALICE_SEED, world.now),
        lambda: make_profile_service(ALICE_SEED, world.now),
        lambda: make_profile_user(COFFEE_SEED, "a@b.c", SERVICE_UDF, world.now),
    ):
        with pytest.raises(LocalProtocolError, match="a seed of type"):
            make()


def test_an_address_that_is_none_is_refused(world: Any) -> None:
    with pytest.raises(EncodingError):
        make_profile_user(ALICE_SEED, "alice", SERVICE_UDF, world.now)


def test_the_header_describes_the_object(world: Any) -> None:
    meta = world.profile_user.content_meta
    assert (meta.unique_id, meta.message_type) == (world.account.udf, "ProfileUser")
    assert (meta.cty, meta.created) == ("application/mmm/object", world.now)
    assert world.profile_user.header["dig"] == "S512"


def test_the_envelope_of_a_message_has_the_id_of_its_message(world: Any, claim: Envelope) -> None:
    message_id = parse(claim.body).write()["MessageId"]
    assert claim.envelope_id == ids.envelope_id(message_id)
    assert claim.content_meta.unique_id == message_id


def test_the_entry_tells_name_room_and_description(world: Any, cataloged: Any) -> None:
    members = cataloged.to_json()["CatalogedDevice"]
    assert members["LocalName"] == "kitchen lamp"
    assert members["Labels"] == ["lamp"]
    assert members["MeshHub"] == {"Room": "kitchen", "Description": {"d": 1, "m": "maker/lamp"}}
    assert members["DeviceUdf"] == world.profile_device_object.udf
    assert members["Udf"] == world.keys.public.authentication.udf
    assert members["SignatureUdf"] == world.keys.public.signature.udf
    assert CatalogedDevice.decode({"CatalogedDevice": members | {"MeshOther": 1}}).unknown == {"MeshOther": 1}


def test_another_administrator_connects_no_device(world: Any) -> None:
    with pytest.raises(PolicyError, match="is not the administrator"):
        make_cataloged_device(
            world.profile_user,
            world.profile_device,
            world.key("AdminSign", world.other_seed),
            [],
            world.activation_seed,
            world.entropy,
            world.now,
        )


def test_nothing_secret_is_in_clear_in_the_entry(world: Any, cataloged: Any) -> None:
    texts = [cataloged.encode(), *(value.body for value in cataloged_envelopes(cataloged))]
    for secret in (world.activation_seed, world.device_seed, world.account_seed):
        assert not any(secret.encode() in text for text in texts)
    assert not any(b"PrivateParameters" in text for text in texts)


def cataloged_envelopes(cataloged: Any) -> list[Envelope]:
    names = [name for name in CatalogedDevice.__slots__ if name.startswith("enveloped_")]
    return [getattr(cataloged, name) for name in names]


def test_what_the_device_is_handed_is_a_text_array_with_its_digest(world: Any, cataloged: Any) -> None:
    octets = adopt_activation(cataloged)
    header, body, trailer = jsonbcd.loads(octets)  # type: ignore[misc]
    assert octets.startswith(b'[{"')
    assert octets.isascii()
    assert header["enc"] == "A256CBC"
    [recipient] = header["recipients"]
    assert recipient["kid"] == world.profile_device_object.encryption.udf
    assert trailer["PayloadDigest"]
    plaintext = open_envelope(Envelope.from_bytes(octets), keyring=world.base_keyring).plaintext
    assert ActivationAccount.decode(plaintext).activation_key == world.activation_seed
    assert len(octets) < 1400, "a constrained device takes records of 2 KiB"
    assert isinstance(body, str)


def test_access_is_for_the_activated_key(world: Any, cataloged: Any) -> None:
    access = make_access_capability(
        cataloged, world.entropy, world.now, administrator=world.key("AdminSign"), rights=["device"]
    )
    capability = access.capability
    assert isinstance(capability, AccessCapability)
    assert capability.id == world.keys.public.authentication.udf
    assert capability.active is True
    assert capability.rights == ("device",)
    envelope = capability.enveloped_cataloged_device
    assert envelope is not None
    assert envelope.kids == (world.keys.public.encryption.udf,)
    opened = open_envelope(
        envelope,
        keyring=world.activated_keyring,
        signers=[world.key("AdminSign").public],
        require_signature=True,
    )
    assert CatalogedDevice.decode(opened.plaintext) == cataloged
    code, digest = udf.parse(capability.cataloged_device_digest or "")
    assert (code, len(digest)) == (udf.DIGEST, 15)
    assert envelope.trailer["PayloadDigest"].startswith(b64.encode(digest))
    assert parse(access.encode()) == access


def test_revoked_access_is_null(world: Any) -> None:
    access = make_null_capability("MAAA")
    assert access.capability == NullCapability(id="MAAA", active=False)
    assert access.to_json() == {
        "CatalogedAccess": {"Capability": {"NullCapability": {"Id": "MAAA", "Active": False}}}
    }


@pytest.mark.parametrize(
    ("roles", "stores", "keys"),
    [
        ([], [], []),
        (["null"], [], []),
        (["device"], ["MMM_Network", "MMM_Application"], []),
        (
            ["device", "message"],
            [
                "MMM_Network",
                "MMM_Application",
                "MMM_Contact",
                "MMM_Publication",
                "MMM_Inbound",
                "MMM_Outbound",
            ],
            ["encryption", "authentication", "signature"],
        ),
    ],
)
def test_roles_grant_keys(world: Any, roles: list[str], stores: list[str], keys: list[str]) -> None:
    common = make_activation_common(world.account_seed, roles)
    assert [entry.resource for entry in common.entries or ()] == stores
    names = ["encryption", "authentication", "signature", "administrator_signature", "profile_signature"]
    assert [name for name in names if getattr(common, name)] == keys


def test_only_super_can_sign_the_profile(world: Any) -> None:
    for role in ("device", "message", "web", "admin"):
        assert make_activation_common(world.account_seed, [role]).profile_signature is None
    common = make_activation_common(world.account_seed, ["super"])
    assert common.profile_signature is not None
    assert common.profile_signature.udf == world.account.udf
    assert "MMM_Access" in [entry.resource for entry in common.entries or ()]


def test_store_keys_are_those_of_the_stores(world: Any) -> None:
    [network, _] = make_activation_common(world.account_seed, ["device"]).entries or ()
    assert network.key is not None
    expected = derive.derive_key(world.account_seed, "CompleteAccountEncryptMMM_Network")
    assert network.key.private_key("X448") == expected


def test_an_unknown_role_is_refused(world: Any) -> None:
    with pytest.raises(PolicyError, match="there is no role landlord"):
        make_activation_common(world.account_seed, ["device", "landlord"])


def test_the_answer_reaches_the_device(world: Any, cataloged: Any) -> None:
    request = "NDZ4-LGXM-W7JI-6NRH-I2AS-UPUB-QUBL"
    envelope = make_respond_connection(
        request,
        "Accept",
        cataloged,
        world.profile_device_object,
        sender="Alice@hub.local",
        signer=world.key("Sign"),
        entropy=world.entropy,
        now=world.now,
    )
    assert envelope.envelope_id == ids.envelope_id(ids.response_id(request))
    opened = open_envelope(
        envelope, keyring=world.base_keyring, signers=[world.key("Sign").public], require_signature=True
    )
    message = RespondConnection.decode(opened.plaintext)
    assert message.message_id == ids.response_id(request)
    assert (message.sender, message.result) == ("alice@hub.local", "Accept")
    assert message.cataloged_device == cataloged


@pytest.mark.parametrize(("result", "with_entry"), [("Accept", False), ("Reject", True), ("Maybe", False)])
def test_an_answer_without_sense_is_not_made(
    world: Any, cataloged: Any, result: str, with_entry: bool
) -> None:
    with pytest.raises(LocalProtocolError):
        make_respond_connection(
            "NDZ4-LGXM-W7JI-6NRH-I2AS-UPUB-QUBL",
            result,
            cataloged if with_entry else None,
            world.profile_device_object,
            sender="alice@hub.local",
            signer=world.key("Sign"),
            entropy=world.entropy,
            now=world.now,
        )


def test_completion_is_signed(world: Any) -> None:
    reference = Reference(message_id="NAAA", response_id="MBBB", relationship="Closed")
    envelope = make_message_complete(
        [reference],
        sender="alice@hub.local",
        signer=world.key("Sign"),
        entropy=world.entropy,
        now=world.now,
    )
    opened = open_envelope(envelope, signers=[world.key("Sign").public], require_signature=True)
    message = MessageComplete.decode(opened.plaintext)
    assert message.references == (reference,)
    assert udf.parse(message.message_id or "")[0] == udf.NONCE


def test_preconfiguration_holds_the_seed_and_the_makers_connections(world: Any) -> None:
    item = make_preconfiguration_private(
        world.device_seed,
        world.profile_device,
        "mcu://maker@hub.local/EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM",
        ["mmm-tcp://127.0.0.1:7000"],
        world.now,
        maker_profile=world.other_user,
        administrator=world.key("AdminSign", world.other_seed),
    )
    again = DevicePreconfigurationPrivate.decode(item.encode())
    assert again == item
    assert again.private_key == {
        "PrivateKeyUDF": {"PrivateValue": world.device_seed, "KeyType": "MeshProfileDevice"}
    }
    assert again.enveloped_connection_service is not None
    assert again.enveloped_connection_device is not None
    service = verify_connection_service(again.enveloped_connection_service, world.other)
    connection = verify_connection_device(again.enveloped_connection_device, world.other)
    base = world.profile_device_object
    assert service.authentication == connection.authentication == base.authentication
    assert (connection.encryption, connection.signature) == (base.encryption, base.signature)


def test_preconfiguration_without_the_makers_account(world: Any) -> None:
    item = make_preconfiguration_private(world.device_seed, world.profile_device, None, [], world.now)
    assert item.enveloped_connection_device is None
    assert item.connect_uri is None
    with pytest.raises(PolicyError, match="is not the administrator"):
        make_preconfiguration_private(
            world.device_seed,
            world.profile_device,
            None,
            [],
            world.now,
            maker_profile=world.other_user,
            administrator=world.key("AdminSign"),
        )


def test_times_are_written_in_whole_seconds(world: Any) -> None:
    moment = world.now.replace(microsecond=123456)
    envelope = make_profile_user(world.account_seed, "alice@hub.local", SERVICE_UDF, moment)
    assert verify_profile_user(envelope).updated == world.now


def test_equal_entropy_gives_equal_octets(world: Any, cataloged: Any, octets: Any) -> None:
    def make(label: str) -> Envelope:
        return enveloped(
            cataloged, entropy=octets(label), now=world.now, recipients=[world.keys.public.encryption]
        )

    assert make("same") == make("same")
    assert make("same").body != make("other").body
    keyring = MemoryKeyring([world.keys.encryption])
    assert open_envelope(make("other"), keyring=keyring).plaintext == cataloged.encode()
