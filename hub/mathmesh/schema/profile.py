"""Profiles: self-signed assertions that name the keys of a device, an account or a service (mesh-schema
§5).
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.schema.key_data import KeyData
from mathmesh.schema.mesh_object import JsonObject, MeshObject, mesh_type


@mesh_type
class Assertion(MeshObject):
    """What every signed statement may carry."""

    names: tuple[str, ...] | None = None
    updated: datetime | None = None
    notary_token: str | None = None
    conditions: JsonObject | None = None


@mesh_type
class Profile(Assertion):
    """A profile; its UDF is that of its ProfileSignature key (Ed448)."""

    description: str | None = None
    profile_signature: KeyData | None = None

    @property
    def udf(self) -> str:
        """The UDF of the profile as it states it; trust it only after verification."""
        return (self.profile_signature.udf if self.profile_signature else None) or ""


@mesh_type
class ProfileDevice(Profile):
    """A device: the base keys that activations add to (X448, Ed448, X448)."""

    encryption: KeyData | None = None
    signature: KeyData | None = None
    authentication: KeyData | None = None


@mesh_type
class ProfileAccount(Profile):
    """What the profiles of a user and of a group share."""

    account_address: str | None = None
    service_udf: str | None = None
    escrow_encryption: KeyData | None = None
    administrator_signature: KeyData | None = None
    common_encryption: KeyData | None = None
    common_authentication: KeyData | None = None


@mesh_type
class ProfileUser(ProfileAccount):
    """A user's account."""

    common_signature: KeyData | None = None


@mesh_type
class ProfileGroup(ProfileAccount):
    """A group's account."""


@mesh_type
class ProfileService(Profile):
    """A Mesh service provider."""

    service_authentication: KeyData | None = None
    service_encryption: KeyData | None = None
    service_signature: KeyData | None = None


@mesh_type
class ProfileHost(ProfileDevice):
    """A host of a service: the base keys that its activation adds to."""
