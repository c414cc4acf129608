"""Mesh objects: profiles, connections, activations, catalog entries, capabilities and messages.

Reading accepts the editions of 2021 and 2022, writing is that of 2022 (draft-hallambaker-mesh-schema).
Objects are in this package's modules, their verification in `validation` and `claim`, their making in
`build`.
"""

from mathmesh.schema.activated import ActivatedKeys, DeviceKeys, activate, activated_public
from mathmesh.schema.activation import ActivationAccount, ActivationCommon, ActivationEntry
from mathmesh.schema.capability import AccessCapability, Capability, NullCapability
from mathmesh.schema.cataloged import (
    CatalogedAccess,
    CatalogedDevice,
    CatalogedEntry,
    CatalogedNetwork,
    CatalogedPublication,
    HubExtension,
)
from mathmesh.schema.claim import device_proof, open_publication, verify_message_claim
from mathmesh.schema.connection import AccountHostAssignment, Connection, ConnectionDevice, ConnectionService
from mathmesh.schema.key_data import KeyData, same_udf
from mathmesh.schema.mesh_object import GenericObject, MeshObject, MeshStruct, parse
from mathmesh.schema.message import Message, MessageClaim, MessageComplete, Reference, RespondConnection
from mathmesh.schema.preconfiguration import DevicePreconfigurationPrivate, DevicePreconfigurationPublic
from mathmesh.schema.primary_key import primary_key
from mathmesh.schema.profile import (
    Profile,
    ProfileAccount,
    ProfileDevice,
    ProfileGroup,
    ProfileService,
    ProfileUser,
)
from mathmesh.schema.validation import (
    VerifiedDevice,
    administrator_key,
    connected_keys,
    verify_activation_account,
    verify_activation_common,
    verify_cataloged_device,
    verify_connection_device,
    verify_connection_service,
    verify_profile_device,
    verify_profile_service,
    verify_profile_user,
)

__all__ = [
    "AccessCapability",
    "AccountHostAssignment",
    "ActivatedKeys",
    "ActivationAccount",
    "ActivationCommon",
    "ActivationEntry",
    "Capability",
    "CatalogedAccess",
    "CatalogedDevice",
    "CatalogedEntry",
    "CatalogedNetwork",
    "CatalogedPublication",
    "Connection",
    "ConnectionDevice",
    "ConnectionService",
    "DeviceKeys",
    "DevicePreconfigurationPrivate",
    "DevicePreconfigurationPublic",
    "GenericObject",
    "HubExtension",
    "KeyData",
    "MeshObject",
    "MeshStruct",
    "Message",
    "MessageClaim",
    "MessageComplete",
    "NullCapability",
    "Profile",
    "ProfileAccount",
    "ProfileDevice",
    "ProfileGroup",
    "ProfileService",
    "ProfileUser",
    "Reference",
    "RespondConnection",
    "VerifiedDevice",
    "activate",
    "activated_public",
    "administrator_key",
    "connected_keys",
    "device_proof",
    "open_publication",
    "parse",
    "primary_key",
    "same_udf",
    "verify_activation_account",
    "verify_activation_common",
    "verify_cataloged_device",
    "verify_connection_device",
    "verify_connection_service",
    "verify_message_claim",
    "verify_profile_device",
    "verify_profile_service",
    "verify_profile_user",
]
