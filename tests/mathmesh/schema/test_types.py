"""Every object of the draft has a class with exactly its members, beside extensions that are named here.

The table is that of the edition of 2022 (draft-hallambaker-mesh-schema; the reference's schema for what a
machine keeps): type, the type it is derived from, and its own members with their kinds: s text, b octets,
t time, i whole number, f number, ? truth value, e envelope, * tagged object, key tagged key, else the type
of a structure; [] is a list. KeyShare, the one type that is missing, is `mathmesh.threshold.key_share`.
"""

import inspect
from datetime import datetime
from typing import Any

import pytest

from mathmesh import schema
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError
from mathmesh.schema import GenericObject, Location, MeshObject, MeshStruct, contact, mesh_object, parse
from mathmesh.schema.mesh_object import REGISTRY, members

TABLE = """\
KeyData - Udf:s X509Certificate:b X509Chain:b[] X509CSR:b NotBefore:t NotOnOrAfter:t \
PublicParameters:key PrivateParameters:key
CompositePrivate Key DeviceKeyUdf:s PrivateSalt:key ServiceShare:key
Assertion - Names:s[] Updated:t NotaryToken:s Conditions:key
Activation Assertion ActivationKey:s Entries:ActivationEntry[]
ActivationEntry - Resource:s Key:KeyData ServiceId:s ServiceAddress:s
Profile Assertion Description:s ProfileSignature:KeyData
ProfileDevice Profile Encryption:KeyData Signature:KeyData Authentication:KeyData
ProfileAccount Profile AccountAddress:s ServiceUdf:s EscrowEncryption:KeyData \
AdministratorSignature:KeyData CommonEncryption:KeyData CommonAuthentication:KeyData
ProfileUser ProfileAccount CommonSignature:KeyData
ProfileGroup ProfileAccount
ProfileService Profile ServiceAuthentication:KeyData ServiceEncryption:KeyData ServiceSignature:KeyData
ProfileHost ProfileDevice
Connection Assertion Subject:s Authority:s Authentication:KeyData
CallsignBinding Assertion Canonical:s Display:s ProfileUdf:s Services:NamedService[]
ConnectionStripped Connection Account:s
ConnectionService Connection ProfileUdf:s Callsign:CatalogedCallsign
ConnectionDevice ConnectionService Roles:s[] Signature:KeyData Encryption:KeyData
ConnectionApplication Connection
ConnectionGroup Connection
AccountHostAssignment Assertion AccountAddess:s HostAddresses:s[] AccessEncrypt:KeyData
ConnectionHost Connection
ActivationAccount Activation AccountUdf:s
ActivationHost ActivationAccount
ActivationCommon Activation ProfileSignature:KeyData AdministratorSignature:KeyData Encryption:KeyData \
Authentication:KeyData Signature:KeyData
ActivationApplication Activation
ActivationApplicationSsh ActivationApplication ClientKey:KeyData
ActivationApplicationMail ActivationApplication SmimeSign:KeyData SmimeEncrypt:KeyData \
OpenpgpSign:KeyData OpenpgpEncrypt:KeyData
ActivationApplicationGroup ActivationApplication AccountEncryption:KeyData \
AdministratorSignature:KeyData AccountAuthentication:KeyData EnvelopedConnectionService:e
ActivationApplicationCallsign ActivationApplication
ApplicationEntry - Identifier:s
ApplicationEntrySsh ApplicationEntry EnvelopedActivation:e
ApplicationEntryGroup ApplicationEntry EnvelopedActivation:e
ApplicationEntryMail ApplicationEntry EnvelopedActivation:e
ApplicationEntryCallsign ApplicationEntry EnvelopedActivation:e
Contact Assertion Id:s Local:s Anchors:Anchor[] NetworkAddresses:NetworkAddress[] Locations:Location[] \
Roles:Role[] Bookmark:Bookmark[] Sources:TaggedSource[]
Anchor - Udf:s Validation:s
TaggedSource - LocalName:s Validation:s BinarySource:b EnvelopedSource:e
ContactGroup Contact
ContactPerson Contact CommonNames:PersonName[]
ContactOrganization Contact CommonNames:OrganizationName[]
OrganizationName - Inactive:? RegisteredName:s DBA:s
PersonName - Inactive:? FullName:s Prefix:s First:s Middle:s[] Last:s Suffix:s PostNominal:s
NetworkAddress - Inactive:? Address:s NetworkCapability:s[] EnvelopedProfileAccount:e \
Protocols:NetworkProtocol[] Capabilities:*[]
NetworkProtocol - Protocol:s Capabilities:*[]
Role - OrganizationName:s Titles:s[] Locations:Location[]
Location - Appartment:s Street:s District:s Locality:s County:s Postcode:s Country:s Latitude:f \
Longitude:f
Bookmark - Uri:s Title:s Role:s[]
Reference - MessageId:s ResponseId:s Relationship:s
Engagement - Key:s Start:t Finish:t StartTravel:s FinishTravel:s TimeZone:s Title:s Description:s \
Location:s Trigger:s[] Conference:s[] Repeat:s Busy:?
CatalogedEntry - Labels:s[] LocalName:s Uid:s
CatalogedDevice CatalogedEntry Updated:t Udf:s DeviceUdf:s SignatureUdf:s EnvelopedProfileUser:e \
EnvelopedProfileDevice:e EnvelopedConnectionService:e EnvelopedConnectionDevice:e \
EnvelopedActivationAccount:e EnvelopedActivationCommon:e ApplicationEntries:*[]
CatalogedPublication CatalogedEntry Id:s Authenticator:s EnvelopedData:e NotOnOrAfter:t
CatalogedCredential CatalogedEntry Protocol:s Service:s Username:s Password:s \
ClientAuthentication:KeyData[] HostAuthentication:KeyData[]
CatalogedApplicationSsh CatalogedApplication ClientKey:KeyData
CatalogedNetwork CatalogedEntry Protocol:s Service:s Username:s Password:s
CatalogedContact CatalogedEntry Key:s Self:? Contact:*
CatalogedAccess CatalogedEntry Capability:*
Capability - Id:s Active:? Issued:i Mode:s Udf:s Witness:s
NullCapability Capability
AccessCapability Capability Rights:s[] EnvelopedCatalogedDevice:e CatalogedDeviceDigest:s
PublicationCapability Capability Identifier:s Digest:s Data:b
CryptographicCapability Capability KeyData:KeyData GranteeAccount:s GranteeUdf:s EnvelopedKeyShare:e
CapabilityDecrypt CryptographicCapability
CapabilityDecryptPartial CapabilityDecrypt
CapabilityDecryptServiced CapabilityDecrypt AuthenticationId:s
CapabilitySign CryptographicCapability
CapabilityKeyGenerate CryptographicCapability
CapabilityFairExchange CryptographicCapability
CatalogedCallsign CatalogedApplication Canonical:s ProfileUdf:s EnvelopedCallsignBinding:e
NamedService - Prefix:s Mapping:s Endpoint:s[]
CatalogedBookmark CatalogedEntry Uri:s Title:s Comments:s[]
CatalogedTask CatalogedEntry EnvelopedTask:e Title:s Key:s
CatalogedApplication CatalogedEntry Default:i Key:s Grant:s[] Deny:s[] EnvelopedCapabilities:e[] \
EnvelopedEscrow:e[]
CatalogedMember CatalogedEntry ContactAddress:s MemberCapabilityId:s ServiceCapabilityId:s
CatalogedGroup CatalogedApplication EnvelopedConnectionAddress:e EnvelopedProfileGroup:e \
EnvelopedActivationCommon:e
CatalogedApplicationMail CatalogedApplication AccountAddress:s InboundConnect:s OutboundConnect:s \
SmimeSign:KeyData SmimeEncrypt:KeyData OpenpgpSign:KeyData OpenpgpEncrypt:KeyData
CatalogedApplicationNetwork CatalogedApplication
MessageInvoice Message
CatalogedReceipt CatalogedEntry
CatalogedTicket CatalogedEntry
DevicePreconfigurationPublic - EnvelopedProfileDevice:e Hailing:s[]
DevicePreconfigurationPrivate DevicePreconfigurationPublic EnvelopedConnectionDevice:e \
EnvelopedConnectionService:e PrivateKey:key ConnectUri:s
Message - MessageId:s Sender:s Recipient:s
MessageError Message ErrorCode:s
MessageComplete Message References:Reference[]
MessagePinValidated Message AuthenticatedData:e ClientNonce:b PinId:s PinWitness:b
MessagePin Message Account:s Expires:t Automatic:? SaltedPin:s Action:s Roles:s[]
RequestConnection MessagePinValidated AccountAddress:s
AcknowledgeConnection Message EnvelopedRequestConnection:e ServerNonce:b Witness:s
RespondConnection Message Result:s CatalogedDevice:CatalogedDevice
MessageContact MessagePinValidated Reply:? Subject:s PIN:s
GroupInvitation Message Text:s Contact:*
RequestConfirmation Message Text:s
ResponseConfirmation Message Request:e Accept:?
RequestTask Message
MessageClaim Message PublicationId:s ServiceAuthenticate:s DeviceAuthenticate:s Expires:t
ProcessResult Message Success:? ErrorReport:s
CatalogedMachine - Id:s Local:s Default:? EnvelopedProfileAccount:e CatalogedDevice:CatalogedDevice \
CatalogedDeviceDigest:s EnvelopedAccountHostAssignment:e
CatalogedService CatalogedMachine EnvelopedProfileService:e EnvelopedProfileHost:e \
EnvelopedActivationHost:e EnvelopedConnectionService:e
CatalogedStandard CatalogedMachine
CatalogedPending CatalogedMachine DeviceUDF:s EnvelopedProfileDevice:e EnvelopedAcknowledgeConnection:e \
AccountAddress:s
CatalogedPreconfigured CatalogedMachine EnvelopedProfileDevice:e EnvelopedConnectionService:e \
EnvelopedConnectionDevice:e AccountAddress:s PublicationId:s ServiceAuthenticator:s \
DeviceAuthenticator:s
"""

KINDS = {
    "s": str,
    "b": bytes,
    "t": datetime,
    "i": int,
    "f": float,
    "?": bool,
    "e": Envelope,
    "*": MeshObject,
    "key": dict,
}

EXTENSIONS = {
    "ConnectionHost": {"Signature"},
    "Capability": {"Expires"},
    "CatalogedDevice": {"MeshHub"},
    "MessageClaim": {"ClaimantUdf", "DeviceProof"},
    "RespondConnection": {"PinProof"},
    "CryptographicCapability": {"EnvelopedKeyShares"},
    "CapabilityDecryptPartial": {"ServiceId", "ServiceAddress"},
}
"""Members of ours, and of the edition of 2021."""

ROWS = {row.split()[0]: row.split()[1:] for row in TABLE.strip().split("\n")}


CLASSES: dict[str, Any] = {
    name: found
    for module in (getattr(schema, name) for name in dir(schema))
    if inspect.ismodule(module)
    for name, found in vars(module).items()
    if inspect.isclass(found) and issubclass(found, MeshStruct) and found.__module__ == module.__name__
}


def declared(name: str) -> dict[str, tuple[Any, bool]]:
    """Wire name → kind, whether it is a list; the members of base types included."""
    base, *own = ROWS[name]
    found = declared(base) if base in ROWS else {}
    for member in own:
        wire, _, kind = member.partition(":")
        multiple = kind.endswith("[]")
        kind = kind.removesuffix("[]")
        found[wire] = (KINDS.get(kind) or CLASSES[kind], multiple)
    return found


def extensions(cls: Any) -> set[str]:
    return {name for base in cls.__mro__ for name in EXTENSIONS.get(base.__name__, ())}


@pytest.mark.parametrize("name", ROWS)
def test_a_type_has_the_members_of_the_draft(name: str) -> None:
    cls = CLASSES[name]
    own = {wire: (member.kind, member.multiple) for wire, member in members(cls).items()}
    assert {wire: own[wire] for wire in own if wire not in extensions(cls)} == declared(name)
    assert extensions(cls) <= own.keys()


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row[0] in ROWS])
def test_a_type_is_derived_from_that_of_the_draft(name: str) -> None:
    assert issubclass(CLASSES[name], CLASSES[ROWS[name][0]])


def test_there_are_no_other_types() -> None:
    ours = {"MeshStruct", "MeshObject", "GenericObject", "HubExtension"}
    ours |= {"CatalogedApplicationVpn", "ActivationApplicationVpn", "ApplicationEntryVpn", "VpnPeer"}
    ours |= {"ContactAccess", "MessageUndelivered"}
    assert CLASSES.keys() - ours == ROWS.keys()


SAMPLES: dict[Any, Any] = {
    str: "text",
    bytes: "AAEC",
    datetime: "2025-01-02T03:04:05Z",
    int: 7,
    float: -52.25,
    bool: False,
    Envelope: [{"dig": "S512"}, "AAEC"],
    MeshObject: {"CatalogedNovelty": {"Id": "M"}},
    dict: {"PublicKeyRSA": {"kid": "M", "n": "AAEC", "e": "AQAB"}},
}


def sample(cls: Any, depth: int = 0) -> dict[str, Any]:
    """A value for every member of a class, down to structures in structures."""
    found: dict[str, Any] = {}
    for wire, member in members(cls).items():
        if member.kind not in SAMPLES and depth > 2:
            continue
        value = SAMPLES[member.kind] if member.kind in SAMPLES else sample(member.kind, depth + 1)
        found[wire] = [value, value] if member.multiple else value
    return found


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_full_objects_are_read_and_written(name: str) -> None:
    cls = REGISTRY[name]
    tree = {name: sample(cls)}
    found = parse(tree)
    assert type(found) is cls
    assert found.unknown == {}
    assert found.to_json() == tree
    assert parse(found.encode()) == found
    assert parse(found.encode_json_b()) == found


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_members_of_a_wrong_kind_are_refused(name: str) -> None:
    for wire in members(REGISTRY[name]):
        with pytest.raises(EncodingError, match=wire):
            parse({name: {wire: object()}})


def test_a_number_stays_as_it_was_written() -> None:
    for value in (52, 52.5, -0.125):
        assert Location.read({"Latitude": value}).write() == {"Latitude": value}
    with pytest.raises(EncodingError, match="a number is expected"):
        Location.read({"Latitude": True})


def test_structures_have_no_tag() -> None:
    assert "Anchor" not in REGISTRY
    assert isinstance(parse({"Anchor": {"Udf": "M"}}), GenericObject)
    assert issubclass(contact.Anchor, MeshStruct)
    assert mesh_object.WIRE_NAMES["CatalogedPending.device_udf"] == "DeviceUDF"
