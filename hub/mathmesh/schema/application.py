"""Applications: the entries of MMM_Application, whose keys go to the devices with the right roles
(mesh-schema §9).
"""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.cataloged import CatalogedEntry
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.mesh_object import mesh_type

GROUP_KEY = "mmm/CatalogedGroup/"
MAIL_KEY = "mailto:"


@mesh_type
class CatalogedApplication(CatalogedEntry):
    """What all applications share: a device has the keys when a role of its is in ``grant`` and none in
    ``deny``; ``enveloped_escrow`` holds the private keys for the account's escrow key.
    """

    default: int | None = None
    key: str | None = None
    grant: tuple[str, ...] | None = None
    deny: tuple[str, ...] | None = None
    enveloped_capabilities: tuple[Envelope, ...] | None = None
    enveloped_escrow: tuple[Envelope, ...] | None = None


@mesh_type
class CatalogedApplicationSsh(CatalogedApplication):
    """A client key of Secure Shell; the entry's key is the UDF of that key."""

    client_key: KeyData | None = None


@mesh_type
class CatalogedApplicationMail(CatalogedApplication):
    """A mail account with its keys; the entry's key is ``mailto:`` and the address."""

    account_address: str | None = None
    inbound_connect: str | None = None
    outbound_connect: str | None = None
    smime_sign: KeyData | None = None
    smime_encrypt: KeyData | None = None
    openpgp_sign: KeyData | None = None
    openpgp_encrypt: KeyData | None = None


@mesh_type
class CatalogedApplicationNetwork(CatalogedApplication):
    """A network as an application; the draft gives it no members."""


@mesh_type
class CatalogedGroup(CatalogedApplication):
    """A group that the account administers; the entry's key is ``mmm/CatalogedGroup/`` and the address."""

    enveloped_connection_address: Envelope | None = None
    enveloped_profile_group: Envelope | None = None
    enveloped_activation_common: Envelope | None = None
