"""Contacts: how to reach a person, an organisation or a group, and which keys are theirs (mesh-schema §8)."""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.mesh_object import MeshObject, MeshStruct, mesh_type
from mathmesh.schema.profile import Assertion

SELF = "Self"
"""Validation of an anchor or a source by its own signature alone."""


@mesh_type
class Anchor(MeshStruct):
    """The UDF of a profile that speaks for the contact, and how that was found to be so."""

    udf: str | None = None
    validation: str | None = None


@mesh_type
class Location(MeshStruct):
    """A place; ``appartment`` is spelled so on the wire, ``latitude`` and ``longitude`` are in degrees."""

    appartment: str | None = None
    street: str | None = None
    district: str | None = None
    locality: str | None = None
    county: str | None = None
    postcode: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@mesh_type
class Role(MeshStruct):
    """What the contact is in an organisation."""

    organization_name: str | None = None
    titles: tuple[str, ...] | None = None
    locations: tuple[Location, ...] | None = None


@mesh_type
class Bookmark(MeshStruct):
    """A page of the contact; ``role`` says what it is for."""

    uri: str | None = None
    title: str | None = None
    role: tuple[str, ...] | None = None


@mesh_type
class NetworkProtocol(MeshStruct):
    """A protocol spoken at an address (``mmm`` is the Mesh) and capabilities that hold for it alone."""

    protocol: str | None = None
    capabilities: tuple[MeshObject, ...] | None = None


@mesh_type
class NetworkAddress(MeshStruct):
    """An address, the profile of the account there and capabilities for it."""

    inactive: bool | None = None
    address: str | None = None
    network_capability: tuple[str, ...] | None = None
    enveloped_profile_account: Envelope | None = None
    protocols: tuple[NetworkProtocol, ...] | None = None
    capabilities: tuple[MeshObject, ...] | None = None


@mesh_type
class TaggedSource(MeshStruct):
    """Where the data of a contact came from: an enveloped Contact, or octets of another form."""

    local_name: str | None = None
    validation: str | None = None
    binary_source: bytes | None = None
    enveloped_source: Envelope | None = None


@mesh_type
class OrganizationName(MeshStruct):
    """A name of an organisation; ``dba`` is the one it does business under."""

    inactive: bool | None = None
    registered_name: str | None = None
    dba: str | None = None


@mesh_type
class PersonName(MeshStruct):
    """A name of a person, whole and in parts."""

    inactive: bool | None = None
    full_name: str | None = None
    prefix: str | None = None
    first: str | None = None
    middle: tuple[str, ...] | None = None
    last: str | None = None
    suffix: str | None = None
    post_nominal: str | None = None


@mesh_type
class Contact(Assertion):
    """What all contacts share."""

    id: str | None = None
    local: str | None = None
    anchors: tuple[Anchor, ...] | None = None
    network_addresses: tuple[NetworkAddress, ...] | None = None
    locations: tuple[Location, ...] | None = None
    roles: tuple[Role, ...] | None = None
    bookmark: tuple[Bookmark, ...] | None = None
    sources: tuple[TaggedSource, ...] | None = None


@mesh_type
class ContactPerson(Contact):
    """A person."""

    common_names: tuple[PersonName, ...] | None = None


@mesh_type
class ContactOrganization(Contact):
    """An organisation."""

    common_names: tuple[OrganizationName, ...] | None = None


@mesh_type
class ContactGroup(Contact):
    """A group of people."""
