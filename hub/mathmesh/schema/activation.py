"""Activations: what turns the base keys of a device into its keys within one account (mesh-schema §6, §7)."""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.mesh_object import MeshStruct, mesh_type
from mathmesh.schema.profile import Assertion


@mesh_type
class ActivationEntry(MeshStruct):
    """The private key of one resource (a store, named as in ``MMM_Network``)."""

    resource: str | None = None
    key: KeyData | None = None
    service_id: str | None = None
    service_address: str | None = None


@mesh_type
class Activation(Assertion):
    """What all activations share; ``activation_key`` is a seed of type 0x0103."""

    activation_key: str | None = None
    entries: tuple[ActivationEntry, ...] | None = None


@mesh_type
class ActivationAccount(Activation):
    """The share that is added to the base keys; ``account_udf`` of the reference names the device, so it
    proves nothing.
    """

    account_udf: str | None = None


@mesh_type
class ActivationCommon(Activation):
    """The account's private keys that the roles of a device grant."""

    profile_signature: KeyData | None = None
    administrator_signature: KeyData | None = None
    encryption: KeyData | None = None
    authentication: KeyData | None = None
    signature: KeyData | None = None


@mesh_type
class ActivationHost(ActivationAccount):
    """The share that is added to the base keys of a host of a service."""


@mesh_type
class ActivationApplication(Activation):
    """What the activations of applications share."""


@mesh_type
class ActivationApplicationSsh(ActivationApplication):
    """The private key of a Secure Shell client."""

    client_key: KeyData | None = None


@mesh_type
class ActivationApplicationMail(ActivationApplication):
    """The private keys of a mail account."""

    smime_sign: KeyData | None = None
    smime_encrypt: KeyData | None = None
    openpgp_sign: KeyData | None = None
    openpgp_encrypt: KeyData | None = None


@mesh_type
class ActivationApplicationGroup(ActivationApplication):
    """The private keys with which a group is administered."""

    account_encryption: KeyData | None = None
    administrator_signature: KeyData | None = None
    account_authentication: KeyData | None = None
    enveloped_connection_service: Envelope | None = None


@mesh_type
class ActivationApplicationCallsign(ActivationApplication):
    """The activation of a callsign; the draft gives it no members."""
