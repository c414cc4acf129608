"""Connections: the credentials of an activated device, signed by the account's administrator (mesh-schema
§6).
"""

from __future__ import annotations

from mathmesh.schema.callsign import CatalogedCallsign
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.mesh_object import mesh_type
from mathmesh.schema.profile import Assertion


@mesh_type
class Connection(Assertion):
    """What all connections share; ``authentication`` is the activated X448 key."""

    subject: str | None = None
    authority: str | None = None
    authentication: KeyData | None = None


@mesh_type
class ConnectionService(Connection):
    """The slim credential that a device shows to the service."""

    profile_udf: str | None = None
    callsign: CatalogedCallsign | None = None


@mesh_type
class ConnectionDevice(ConnectionService):
    """The credential that a device shows to the other devices of its account."""

    roles: tuple[str, ...] | None = None
    signature: KeyData | None = None
    encryption: KeyData | None = None


@mesh_type
class AccountHostAssignment(Assertion):
    """The host that serves an account and the key it reads with; ``AccountAddess`` is spelled so on the
    wire.
    """

    account_addess: str | None = None
    host_addresses: tuple[str, ...] | None = None
    access_encrypt: KeyData | None = None


@mesh_type
class ConnectionStripped(Connection):
    """The connection of an address: ``account`` is the address."""

    account: str | None = None


@mesh_type
class ConnectionApplication(Connection):
    """The connection of an application."""


@mesh_type
class ConnectionGroup(Connection):
    """The connection of a group."""


@mesh_type
class ConnectionHost(Connection):
    """The connection of a host to its service; the edition of 2022 writes a ConnectionService instead.

    ``signature`` is an extension member: the activated key with which the host signs its answers (protocol
    book).
    """

    signature: KeyData | None = None
