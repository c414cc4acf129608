"""Virtual private networks of an account: an addition of ours beside the applications of the draft.

The members of a WireGuard configuration; its secrets are the client key, in the activation of a device, and
nothing else.
"""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.activation import ActivationApplication
from mathmesh.schema.application import CatalogedApplication
from mathmesh.schema.application_entry import ApplicationEntry
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.mesh_object import MeshStruct, mesh_type


@mesh_type
class VpnPeer(MeshStruct):
    """The other end of a tunnel: its X25519 key, where it is (``host:port``), and the addresses behind it."""

    key: KeyData | None = None
    endpoint: str | None = None
    allowed: tuple[str, ...] | None = None


@mesh_type
class CatalogedApplicationVpn(CatalogedApplication):
    """A tunnel; the entry's key is the UDF of the client's X25519 key."""

    client_key: KeyData | None = None
    addresses: tuple[str, ...] | None = None
    dns: tuple[str, ...] | None = None
    peers: tuple[VpnPeer, ...] | None = None


@mesh_type
class ActivationApplicationVpn(ActivationApplication):
    """The private key of a tunnel's client."""

    client_key: KeyData | None = None


@mesh_type
class ApplicationEntryVpn(ApplicationEntry):
    """Holds an ActivationApplicationVpn."""

    enveloped_activation: Envelope | None = None
