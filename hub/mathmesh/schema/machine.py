"""What a machine knows of its own connections; local to it and never on the wire (mesh-schema §9)."""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.mesh_object import MeshObject, mesh_type


@mesh_type
class CatalogedMachine(MeshObject):
    """What all entries share; ``local`` is a name for people, ``default`` marks the one to use unasked."""

    id: str | None = None
    local: str | None = None
    default: bool | None = None
    enveloped_profile_account: Envelope | None = None
    cataloged_device: CatalogedDevice | None = None
    cataloged_device_digest: str | None = None
    enveloped_account_host_assignment: Envelope | None = None


@mesh_type
class CatalogedStandard(CatalogedMachine):
    """A machine that is connected."""


@mesh_type
class CatalogedPending(CatalogedMachine):
    """A machine whose request is not answered yet."""

    device_udf: str | None = None
    enveloped_profile_device: Envelope | None = None
    enveloped_acknowledge_connection: Envelope | None = None
    account_address: str | None = None


@mesh_type
class CatalogedPreconfigured(CatalogedMachine):
    """A machine that waits to be claimed; it keeps what follows from the secret of its label, not the
    secret.
    """

    enveloped_profile_device: Envelope | None = None
    enveloped_connection_service: Envelope | None = None
    enveloped_connection_device: Envelope | None = None
    account_address: str | None = None
    publication_id: str | None = None
    service_authenticator: str | None = None
    device_authenticator: str | None = None


@mesh_type
class CatalogedService(CatalogedMachine):
    """A machine that is a host of a service."""

    enveloped_profile_service: Envelope | None = None
    enveloped_profile_host: Envelope | None = None
    enveloped_activation_host: Envelope | None = None
    enveloped_connection_service: Envelope | None = None
